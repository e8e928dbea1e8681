//! Brings the map of PSCADA together with the plant: every name must be one that its device has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use field::map::DataType;
use field::slave::{Command, Content, Entry, Param, SlaveMap};
use jiff::tz::TimeZone;
use protocol::command::{Check, CommandAction, CommandSpec, Setting};
use protocol::id::{DeviceId, PointKey};
use protocol::point::{Device, Plant};

use super::row::{Row, Shows};
use crate::finding::{Findings, Place, nearest};

/// The map as a slave wants it; what does not fit is left out and noted.
pub(super) fn assign(
    rows: &[Row],
    units: &BTreeMap<DeviceId, u8>,
    plant: &Plant,
    file: &Arc<str>,
    findings: &mut Findings,
) -> SlaveMap {
    let mut entries: Vec<(u8, u64, Entry)> = Vec::new();
    let mut unserved = BTreeSet::new();
    for row in rows {
        let mut notes = Notes { file, row: row.number, findings };
        let Some(device) = plant.device(&row.device) else {
            let near = nearest(row.device.as_str(), plant.devices.iter().map(|d| d.id.as_str()));
            notes.mistake("device", format!("there is no device `{}`{near}", row.device));
            continue;
        };
        let unit = units.get(&device.id);
        if unit.is_none() && unserved.insert(&device.id) {
            notes.warn("device", format!("device `{}` has no `pscada_unit`", device.id));
        }
        let content = content(row, device, plant, &mut notes);
        if let (Some(&unit), Some(content)) = (unit, content) {
            let entry = Entry { device: device.id.clone(), mapping: row.mapping.clone(), content };
            check_collisions(unit, &entry, &entries, &mut notes);
            entries.push((unit, row.number, entry));
        }
    }
    check_empty(units, &entries, file, findings);
    SlaveMap::new(entries.into_iter().map(|(unit, _, entry)| (unit, entry)))
}

/// Where the findings of one row go.
struct Notes<'a> {
    file: &'a Arc<str>,
    row: u64,
    findings: &'a mut Findings,
}

impl Notes<'_> {
    fn mistake(&mut self, column: &'static str, text: impl Into<String>) {
        self.findings.mistake(&self.place(column), text);
    }

    fn warn(&mut self, column: &'static str, text: impl Into<String>) {
        self.findings.warn(&self.place(column), text);
    }

    fn place(&self, column: &'static str) -> Place {
        Place::Row { file: self.file.clone(), row: self.row, column: Some(column) }
    }
}

fn content(row: &Row, device: &Device, plant: &Plant, notes: &mut Notes<'_>) -> Option<Content> {
    let command = match &row.command {
        Some(name) => Some(command(row, name, device, notes)?),
        None => None,
    };
    Some(match &row.shows {
        Shows::Reserved => Content::Reserved,
        Shows::Quality => Content::Quality,
        Shows::Clock => {
            let usual = || device.command(SET_CLOCK).map(|command| command.name.clone());
            let command = row.command.clone().or_else(usual);
            Content::Clock { zone: zone(device, plant), command }
        }
        Shows::Point(key) => {
            check_point(row, key, device, notes)?;
            Content::Value { point: Some(key.clone()), command }
        }
        Shows::Nothing => {
            let is_written =
                command.as_ref().is_some_and(|command| command.param == Param::Written);
            let point = row.command.as_ref().and_then(|name| device.command(name));
            let point = point.and_then(target).filter(|_| is_written);
            Content::Value { point: point.cloned(), command }
        }
    })
}

/// The point that the command gives the value of its parameter.
fn target(command: &CommandSpec) -> Option<&PointKey> {
    match &command.action {
        CommandAction::Write { point, value: Setting::Param, .. } => Some(point),
        _ => None,
    }
}

fn command(row: &Row, name: &str, device: &Device, notes: &mut Notes<'_>) -> Option<Command> {
    let Some(spec) = device.command(name) else {
        let near = nearest(name, device.commands.iter().map(|command| command.name.as_str()));
        let text = format!("device `{}` has no command `{name}`{near}", device.id);
        notes.mistake("command", text);
        return None;
    };
    let is_fixed = matches!(&spec.action, CommandAction::Write { .. }) && !spec.needs_param();
    if is_fixed && row.param.is_some() {
        notes.mistake("param", format!("`{name}` takes no parameter"));
    }
    let wants_code =
        matches!(&spec.action, CommandAction::Write { verify, .. } if *verify == Check::Code);
    if wants_code && row.param.is_none() {
        notes.mistake("param", format!("`{name}` needs a fault code, which no register holds"));
    }
    let is_written = row.param.is_none() && spec.needs_param();
    let param = if is_written { Param::Written } else { Param::Fixed(row.param.clone()) };
    Some(Command { name: name.into(), param })
}

fn check_point(row: &Row, key: &PointKey, device: &Device, notes: &mut Notes<'_>) -> Option<()> {
    let Some(point) = device.point(key) else {
        let near = nearest(key.as_str(), device.points.iter().map(|point| point.key.as_str()));
        notes.mistake("point", format!("device `{}` has no point `{key}`{near}", device.id));
        return None;
    };
    if row.mapping.data_type == DataType::Bit && !point.is_switch() {
        notes.mistake("datatype", format!("`{key}` is a number, and no bit"));
    }
    Some(())
}

/// Of one register, only bits can stand in several rows.
fn check_collisions(unit: u8, entry: &Entry, entries: &[(u8, u64, Entry)], notes: &mut Notes<'_>) {
    let other = entries.iter().find(|(known, _, other)| *known == unit && entry.collides(other));
    if let Some((_, row, _)) = other {
        notes.mistake("address", format!("unit {unit} has something else there, in row {row}"));
    }
}

fn check_empty(
    units: &BTreeMap<DeviceId, u8>,
    entries: &[(u8, u64, Entry)],
    file: &Arc<str>,
    findings: &mut Findings,
) {
    for device in units.keys() {
        if !entries.iter().any(|(.., entry)| entry.device == *device) {
            let place = Place::File(file.clone());
            findings.warn(&place, format!("has no row of device `{device}`"));
        }
    }
}

fn zone(device: &Device, plant: &Plant) -> TimeZone {
    let site = plant.sites.iter().find(|site| site.id == device.site);
    // The names of zones were checked where they stand.
    site.and_then(|site| TimeZone::get(&site.zone).ok()).unwrap_or(TimeZone::UTC)
}

/// What a clock orders where the map does not say it.
const SET_CLOCK: &str = "SET_CLOCK";
