//! What `gapless check-config` prints.

use std::io::{self, Write};

use super::finding::Finding;
use super::section::Setting;
use super::{Configuration, Refusal};

/// Tells what was read from `name`: every value with its source, every mistake and warning.
pub(crate) fn print(
    out: &mut impl Write,
    name: &str,
    read: &Result<Configuration, Refusal>,
) -> io::Result<()> {
    match read {
        Ok(configuration) => {
            settings(out, &configuration.settings)?;
            findings(out, "warning", &configuration.warnings)?;
            writeln!(out, "{name} is right: {}", count(configuration))
        }
        Err(refusal) => {
            settings(out, &refusal.settings)?;
            findings(out, "warning", &refusal.warnings)?;
            findings(out, "mistake", &refusal.mistakes)?;
            writeln!(out, "{name} cannot be used: {} mistakes", refusal.mistakes.len())
        }
    }
}

fn settings(out: &mut impl Write, settings: &[Setting]) -> io::Result<()> {
    settings
        .iter()
        .try_for_each(|Setting { key, value, place }| writeln!(out, "{key} = {value}  # {place}"))
}

fn findings(out: &mut impl Write, kind: &str, findings: &[Finding]) -> io::Result<()> {
    findings.iter().try_for_each(|finding| writeln!(out, "{kind}: {finding}"))
}

fn count(configuration: &Configuration) -> String {
    let plant = &configuration.plant;
    let points: usize = plant.devices.iter().map(|device| device.points.len()).sum();
    format!(
        "{} sites, {} channels, {} devices, {points} points",
        plant.sites.len(),
        configuration.channels.len(),
        plant.devices.len()
    )
}
