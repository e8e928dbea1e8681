//! `[pscada]`: where PSCADA finds us, its Modbus slave, and what it finds there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use field::map::Transport;
use field::slave::{Rules, SerialLine, SlaveConfig, Stale, Way};
use protocol::id::DeviceId;
use protocol::point::Plant;

use self::row::Row;
use crate::channels::{self, Channels, RTU_KEYS};
use crate::devices::Devices;
use crate::finding::Findings;
use crate::parse::{choice, integer, word};
use crate::points::each_row;
use crate::quantity::duration;
use crate::section::{Placed, Section};
use crate::settings::socket;
use crate::{PointTable, Source};

mod assign;
mod row;

/// What `[pscada]` and its map say; whether points and commands are there is not known yet.
pub(crate) struct Draft {
    way: Way,
    stale: Stale,
    sentinel: u16,
    reach_timeout: Duration,
    units: BTreeMap<DeviceId, u8>,
    rows: Vec<Row>,
    /// The map, as findings name it.
    file: Arc<str>,
}

pub(crate) fn read(
    root: &mut Section<'_>,
    source: &Source,
    devices: &Devices,
    channels: &Channels,
) -> Option<Draft> {
    let units = units(devices);
    if !root.has("pscada") {
        for unit in units.values() {
            root.notes.findings.warn(&unit.place, "`pscada_unit` goes with a section [pscada]");
        }
        return None;
    }
    let mut section = root.section("pscada");
    let way = way(&mut section, channels);
    let stale = section.read_or("stale", "last", choice(&STALE));
    let sentinel = section.read_or("sentinel", SENTINEL, integer(0..=u16::MAX));
    let timeout = duration(SHORTEST_REACH..=LONGEST_REACH);
    let reach_timeout = section.read_or("reach_timeout", "10s", timeout);
    let (file, bytes) = map(&mut section, source);
    let findings = &mut section.notes.findings;
    let mut rows = Vec::new();
    each_row(&file, &bytes?, &row::HEADING, findings, |row| rows.extend(row::read(row)));
    if units.is_empty() {
        findings.warn(&section.place, "no [[device]] has a `pscada_unit`: PSCADA finds nothing");
    }
    section.finish();
    Some(Draft {
        way: way?,
        stale: stale?,
        sentinel: sentinel?,
        reach_timeout: reach_timeout?,
        units: units.into_iter().map(|(device, unit)| (device, unit.value)).collect(),
        rows,
        file,
    })
}

impl Draft {
    /// Brings the map together with the plant, and marks the devices that PSCADA finds.
    pub(crate) fn assemble(self, plant: &mut Plant, findings: &mut Findings) -> SlaveConfig {
        let map = assign::assign(&self.rows, &self.units, plant, &self.file, findings);
        for device in &mut plant.devices {
            let unit = self.units.get(&device.id);
            device.has_pscada = unit.is_some_and(|unit| map.devices(*unit).contains(&device.id));
        }
        let rules = Rules { map, stale: self.stale, sentinel: self.sentinel };
        SlaveConfig { way: self.way, rules, reach_timeout: self.reach_timeout }
    }
}

fn units(devices: &Devices) -> BTreeMap<DeviceId, Placed<u8>> {
    let units = devices.list.iter();
    units.filter_map(|draft| Some((draft.id.clone(), draft.pscada_unit.clone()?))).collect()
}

fn way(section: &mut Section<'_>, channels: &Channels) -> Option<Way> {
    let transport = section.require("transport", choice(&[("tcp", Bus::Tcp), ("rtu", Bus::Rtu)]));
    let transport = transport.map(|transport| transport.value);
    let way = match transport {
        Some(Bus::Tcp) => {
            section.require("listen", socket).map(|listen| Way::Tcp { listen: listen.value })
        }
        Some(Bus::Rtu) => line(section, channels).map(Way::Rtu),
        None => None,
    };
    let is_known = transport.is_some();
    section.pass_over(&["listen"], is_known.then_some("goes with transport = \"tcp\""));
    section.pass_over(&RTU_KEYS, is_known.then_some("goes with transport = \"rtu\""));
    way
}

#[derive(Clone, Copy)]
enum Bus {
    Tcp,
    Rtu,
}

/// A line to PSCADA cannot be one to the boards as well: it has one master.
fn line(section: &mut Section<'_>, channels: &Channels) -> Option<SerialLine> {
    let line = channels::rtu(section)?;
    let is_taken = channels.list.iter().any(|channel| match &channel.transport {
        Transport::Rtu { path, .. } => *path == line.path,
        Transport::Tcp { .. } => false,
    });
    if is_taken {
        let text = format!("the line {} already belongs to a channel", line.path);
        section.notes.findings.mistake(&section.place, text);
    }
    Some(line)
}

/// The map and its name.
fn map(section: &mut Section<'_>, source: &Source) -> (Arc<str>, Option<Cow<'static, [u8]>>) {
    let name = section.read("map", word);
    let place = name.as_ref().map_or_else(|| section.place.clone(), |name| name.place.clone());
    let name = name.map_or_else(|| "pscada.csv".into(), |name| name.value);
    match &source.points {
        PointTable::Embedded(_) => {
            (format!("demo {name}").into(), Some(Cow::Borrowed(DEMONSTRATION)))
        }
        PointTable::Beside(folder) => {
            let path = folder.join(&name);
            let read = std::fs::read(&path)
                .map_err(|error| format!("cannot read the map, {}: {error}", path.display()));
            let bytes = section.notes.findings.keep(&place, read);
            (path.display().to_string().into(), bytes.map(Cow::Owned))
        }
    }
}

/// The sample that the documentation shows.
const DEMONSTRATION: &[u8] = include_bytes!("../../pscada.csv");

const STALE: [(&str, Stale); 3] =
    [("last", Stale::Last), ("sentinel", Stale::Sentinel), ("exception", Stale::Exception)];

/// 0x8000, which most masters take for no number.
const SENTINEL: &str = "32768";

const SHORTEST_REACH: Duration = Duration::from_secs(1);
const LONGEST_REACH: Duration = Duration::from_secs(3600);
