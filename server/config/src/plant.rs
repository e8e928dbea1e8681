//! Brings devices, points and channels together: the plant for those who watch it, and the
//! registers for those who poll it.

use std::collections::BTreeMap;
use std::sync::Arc;

use field::map::{ChannelConfig, Target, Transport};
use protocol::id::{DeviceId, PointKey};
use protocol::point::{Device, Plant, Point};

use crate::channels::Channels;
use crate::commands::{self, Draft as Command};
use crate::devices::{Devices, Draft};
use crate::finding::{Findings, Place, nearest};
use crate::points::Entry;
use crate::quantity::spelled;
use crate::sites::Sites;

/// All that the files say of the plant.
pub(crate) struct Parts {
    pub sites: Sites,
    pub channels: Channels,
    pub devices: Devices,
    pub commands: Vec<Command>,
    pub entries: Vec<Entry>,
    /// The point table, as findings name it.
    pub table: Arc<str>,
}

/// The plant and its channels; what does not fit together is left out and noted.
pub(crate) fn assemble(parts: Parts, findings: &mut Findings) -> (Plant, Vec<ChannelConfig>) {
    let Parts { sites, channels, devices, commands, entries, table } = parts;
    let mut of_device = BTreeMap::<DeviceId, Vec<Entry>>::new();
    for entry in entries {
        let row = Place::Row { file: table.clone(), row: entry.row, column: Some("device") };
        devices.names.check(&entry.device, &row, findings);
        of_device.entry(entry.device.clone()).or_default().push(entry);
    }
    let mut plant = Plant { sites: sites.list, ..Plant::default() };
    let mut configs = channels.list;
    for draft in devices.list {
        let entries = of_device.remove(&draft.id).unwrap_or_default();
        check_overview(&draft, &entries, findings);
        let config = configs.iter_mut().find(|config| config.id == draft.channel);
        if let Some(config) = &config {
            check_unit(&draft, config, findings);
            check_polls(&entries, config, &table, findings);
        }
        let orders = entries.iter().filter_map(Entry::command).collect();
        let feedback = entries.iter().map(|entry| entry.feedback.clone()).enumerate();
        let feedback = feedback.filter_map(|(point, mapping)| Some((point, mapping?))).collect();
        let (points, mappings) =
            entries.into_iter().map(|entry| (entry.point, entry.mapping)).unzip();
        if let Some(config) = config {
            let (device, unit) = (draft.id.clone(), draft.unit);
            let target = Target { device, unit, mappings, feedback };
            config.targets.push(target);
        }
        plant.devices.push(Device { commands: orders, ..device(draft, points) });
    }
    commands::assign(&commands, &mut plant.devices, findings);
    (plant, configs)
}

fn device(draft: Draft, points: Vec<Point>) -> Device {
    Device {
        id: draft.id,
        site: draft.site,
        channel: draft.channel,
        name: draft.name,
        points,
        overview: draft.overview.map(|overview| overview.value).unwrap_or_default(),
        commands: Vec::new(),
        has_pscada: false,
        has_system_server: false,
    }
}

/// The values of a tile must be points of the device, and few.
fn check_overview(draft: &Draft, entries: &[Entry], findings: &mut Findings) {
    if entries.is_empty() {
        findings.warn(&draft.place, format!("device `{}` has no points", draft.id));
        return;
    }
    let Some(overview) = &draft.overview else { return };
    if overview.value.len() > MOST_IN_OVERVIEW {
        let text = format!("`overview` holds {MOST_IN_OVERVIEW} points at most");
        findings.mistake(&overview.place, text);
    }
    let keys: Vec<&PointKey> = entries.iter().map(|entry| &entry.point.key).collect();
    for key in overview.value.iter().filter(|key| !keys.contains(key)) {
        let near = nearest(key.as_str(), keys.iter().map(|key| key.as_str()));
        let text = format!("`overview`: device `{}` has no point `{key}`{near}", draft.id);
        findings.mistake(&overview.place, text);
    }
}

/// On a serial line 0 speaks to all at once, and 248 to 255 are reserved.
fn check_unit(draft: &Draft, config: &ChannelConfig, findings: &mut Findings) {
    let is_serial = matches!(config.transport, Transport::Rtu { .. });
    if is_serial && !(1..=247).contains(&draft.unit) {
        let text = format!("`unit` must be 1 to 247 on a serial line, not {}", draft.unit);
        findings.mistake(&draft.place, text);
    }
}

/// A point is read when its channel is polled, or less often.
fn check_polls(
    entries: &[Entry],
    config: &ChannelConfig,
    table: &Arc<str>,
    findings: &mut Findings,
) {
    for Entry { row, mapping, .. } in entries {
        if let Some(poll) = mapping.poll.filter(|poll| *poll < config.poll_interval) {
            let place = Place::Row { file: table.clone(), row: *row, column: Some("poll_ms") };
            let (poll, channel) = (spelled(poll), spelled(config.poll_interval));
            let id = config.id;
            let text = format!("{poll} is more often than channel {id} is polled, {channel}");
            findings.warn(&place, text);
        }
    }
}

/// A tile has room for three values.
const MOST_IN_OVERVIEW: usize = 3;
