//! What a slave answers to one request: decided from its map and what is known, nothing else.

use std::collections::BTreeMap;

use protocol::id::{DeviceId, PointKey};
use protocol::reading::{Quality, Reading};
use protocol::time::Timestamp;

use super::clock::{self, Staged};
use super::encode::encode;
use super::map::{Content, Entry, SlaveMap, Unit};
use super::wish::Wished;
use super::write;
use crate::map::Area;
use crate::pdu::{self, Exception, Request, addresses};

/// How a slave answers.
#[derive(Clone, Debug)]
pub struct Rules {
    pub map: SlaveMap,
    pub stale: Stale,
    /// What stands in a register whose value is not known; of a coil, its lowest bit.
    pub sentinel: u16,
}

/// What a read finds in the place of a value that is stale, bad or out of reach.
///
/// A quality register says so in any case.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Stale {
    /// The last value, however old; the sentinel as long as there is none.
    #[default]
    Last,
    /// The sentinel.
    Sentinel,
    /// Nothing: the read is answered with exception 04.
    Exception,
}

/// Whoever knows the values.
pub trait Source: Send + Sync {
    /// All that is known of a device, in one piece; `None` before its first poll.
    fn readings(&self, device: &DeviceId) -> Option<BTreeMap<PointKey, Reading>>;
}

impl<F> Source for F
where
    F: Fn(&DeviceId) -> Option<BTreeMap<PointKey, Reading>> + Send + Sync,
{
    fn readings(&self, device: &DeviceId) -> Option<BTreeMap<PointKey, Reading>> {
        self(device)
    }
}

/// What a request comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Nothing: it was for somebody else.
    Silence,
    /// These bytes, at once.
    Bytes(Vec<u8>),
    /// These bytes, once all orders are carried out, one after the other.
    Wishes { wished: Vec<Wished>, confirmation: Vec<u8> },
}

impl Rules {
    /// Answers what `unit` was asked; a write of half a clock is kept in `staged`.
    pub fn answer(
        &self,
        unit: u8,
        request: &[u8],
        source: &dyn Source,
        now: Timestamp,
        staged: &mut Staged,
    ) -> Answer {
        let Some(own) = self.map.unit(unit) else { return Answer::Silence };
        let function = request.first().copied().unwrap_or(0);
        let wished = match Request::read(request) {
            Ok(Request::Read { area, start, count }) => {
                let cells = self.cells(own, area, (start, count.into()), source, now);
                let shown = cells.map(|cells| shown(function, area, &cells));
                return Answer::Bytes(or_refusal(function, shown));
            }
            Ok(Request::WriteCoils { start, values }) => {
                let words: Vec<_> = values.into_iter().map(u16::from).collect();
                write::wished((unit, own), Area::Coil, start, &words, now, staged)
            }
            Ok(Request::WriteRegisters { start, values }) => {
                write::wished((unit, own), Area::HoldingRegister, start, &values, now, staged)
            }
            Err(exception) => Err(exception),
        };
        match wished {
            Ok(wished) if !wished.is_empty() => {
                Answer::Wishes { wished, confirmation: pdu::confirmation(request) }
            }
            wished => {
                Answer::Bytes(or_refusal(function, wished.map(|_| pdu::confirmation(request))))
            }
        }
    }

    /// What stands at each address; all of them must be in the map.
    fn cells(
        &self,
        unit: &Unit,
        area: Area,
        (start, count): (u16, usize),
        source: &dyn Source,
        now: Timestamp,
    ) -> Result<Vec<u16>, Exception> {
        addresses(start, count)?;
        let mut cells = vec![None; count];
        let mut known = Known { source, devices: BTreeMap::new() };
        for entry in unit.within(area, start, count) {
            let shown = self.show(unit, entry, &mut known, now);
            for place in 0..entry.width() {
                let at = usize::from(entry.mapping.address) + place;
                let cell = at.checked_sub(start.into()).and_then(|at| cells.get_mut(at));
                let Some(cell) = cell else { continue };
                let word = shown.as_ref().map(|words| words.get(place).copied().unwrap_or(0));
                let before = cell.unwrap_or(Shown::Word(0));
                *cell = Some(before.beside(word.map_or(Shown::Doubtful, Shown::Word)));
            }
        }
        let cells: Option<Vec<Shown>> = cells.into_iter().collect();
        let cells = cells.ok_or(Exception::IllegalAddress)?;
        cells.into_iter().map(|cell| self.settle(cell)).collect()
    }

    fn settle(&self, cell: Shown) -> Result<u16, Exception> {
        match cell {
            Shown::Word(word) => Ok(word),
            Shown::Doubtful if self.stale == Stale::Exception => Err(Exception::DeviceFailure),
            Shown::Doubtful => Ok(self.sentinel),
        }
    }

    /// The registers of one entry; nothing where its value must not be shown.
    fn show(
        &self,
        unit: &Unit,
        entry: &Entry,
        known: &mut Known<'_>,
        now: Timestamp,
    ) -> Option<Vec<u16>> {
        match &entry.content {
            Content::Reserved | Content::Value { point: None, .. } => Some(vec![0; entry.width()]),
            Content::Quality => Some(vec![worst(unit, &entry.device, known)]),
            Content::Clock { zone, .. } => Some(clock::show(now, zone).into()),
            Content::Value { point: Some(point), .. } => {
                let reading = known.reading(&entry.device, point);
                let is_shown = self.stale == Stale::Last || reading.quality < Quality::Stale;
                let value = reading.value.filter(|_| is_shown)?;
                Some(encode(&entry.mapping, value))
            }
        }
    }
}

/// What a register or a bit shows, put together from all that stand in it.
#[derive(Clone, Copy)]
enum Shown {
    Word(u16),
    /// One of them has no value that can be shown.
    Doubtful,
}

impl Shown {
    fn beside(self, other: Self) -> Self {
        match (self, other) {
            (Self::Word(one), Self::Word(other)) => Self::Word(one | other),
            _ => Self::Doubtful,
        }
    }
}

/// What was known when the request came: taken once a device, so that one answer is of one piece.
struct Known<'a> {
    source: &'a dyn Source,
    devices: BTreeMap<DeviceId, BTreeMap<PointKey, Reading>>,
}

impl Known<'_> {
    fn reading(&mut self, device: &DeviceId, point: &PointKey) -> Reading {
        if !self.devices.contains_key(device) {
            let readings = self.source.readings(device).unwrap_or_default();
            self.devices.insert(device.clone(), readings);
        }
        let reading = self.devices.get(device).and_then(|readings| readings.get(point));
        reading.copied().unwrap_or(Reading::NOT_READ)
    }
}

/// The code of the worst quality among the device's points that stand in the map of the unit.
fn worst(unit: &Unit, device: &DeviceId, known: &mut Known<'_>) -> u16 {
    let own = unit.entries().iter().filter(|entry| entry.device == *device);
    let points = own.filter_map(|entry| match &entry.content {
        Content::Value { point, .. } => point.as_ref(),
        _ => None,
    });
    points.map(|point| code(known.reading(device, point).quality)).max().unwrap_or(0)
}

/// As a quality register has it.
fn code(quality: Quality) -> u16 {
    match quality {
        Quality::Good => 0,
        Quality::Simulated | Quality::Uncertain => 1,
        Quality::Stale => 2,
        Quality::Bad => 3,
        Quality::NoComm => 4,
    }
}

fn shown(function: u8, area: Area, cells: &[u16]) -> Vec<u8> {
    if area.holds_bits() {
        let bits: Vec<_> = cells.iter().map(|cell| cell & 1 == 1).collect();
        pdu::bits(function, &bits)
    } else {
        pdu::registers(function, cells)
    }
}

fn or_refusal(function: u8, bytes: Result<Vec<u8>, Exception>) -> Vec<u8> {
    bytes.unwrap_or_else(|exception| pdu::refusal(function, exception))
}
