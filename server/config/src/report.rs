//! What `gapless check-config` prints.

use std::io::{self, Write};

use crate::finding::{Finding, counted, visible};
use crate::section::Setting;
use crate::{Configuration, Refusal};

/// Tells what was read from `name`: every value with its source, every mistake and warning.
pub fn print(
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
            let mistakes = counted(refusal.mistakes.len(), "mistake");
            writeln!(out, "{name} cannot be used: {mistakes}")
        }
    }
}

fn settings(out: &mut impl Write, settings: &[Setting]) -> io::Result<()> {
    settings.iter().try_for_each(|Setting { key, value, place }| {
        let value: String = value.chars().map(visible).collect();
        let value = if value.is_empty() { "none" } else { &value };
        writeln!(out, "{key} = {value}  # {place}")
    })
}

fn findings(out: &mut impl Write, kind: &str, findings: &[Finding]) -> io::Result<()> {
    findings.iter().try_for_each(|finding| writeln!(out, "{kind}: {finding}"))
}

fn count(configuration: &Configuration) -> String {
    let plant = &configuration.plant;
    let points: usize = plant.devices.iter().map(|device| device.points.len()).sum();
    let parts = [
        counted(plant.sites.len(), "site"),
        counted(configuration.channels.len(), "channel"),
        counted(plant.devices.len(), "device"),
        counted(points, "point"),
    ];
    parts.join(", ")
}
