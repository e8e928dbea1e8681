//! What stands where for PSCADA: unit by unit, the values it may read and the orders it may write.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use protocol::id::{DeviceId, PointKey};

use crate::clock;
use crate::map::{Area, DataType, Mapping};

/// The map of every unit that a slave answers for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SlaveMap {
    units: BTreeMap<u8, Unit>,
}

/// One place of a unit's map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub device: DeviceId,
    /// Where it stands, and how its value is written there.
    pub mapping: Mapping,
    pub content: Content,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Nothing: it reads as zero.
    Reserved,
    /// How far the values of its device can be trusted: the code of the worst of those in the map.
    Quality,
    /// Four registers with the time of day in this zone; who writes them orders `command`.
    Clock { zone: TimeZone, command: Option<String> },
    /// A point, a command, or a point that a command sets. A command alone reads as zero.
    Value { point: Option<PointKey>, command: Option<Command> },
}

/// What a write orders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Command {
    pub name: String,
    pub param: Param,
}

/// Where the parameter of an order comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Param {
    /// It is always the same. ON, or any number but zero, gives the order; OFF and zero do nothing.
    Fixed(Option<String>),
    /// It is what was written.
    Written,
}

impl SlaveMap {
    /// Places of one area that overlap should be bits of one register: see [`Entry::collides`].
    pub fn new(entries: impl IntoIterator<Item = (u8, Entry)>) -> Self {
        let mut units = BTreeMap::<u8, Unit>::new();
        for (unit, entry) in entries {
            units.entry(unit).or_default().entries.push(entry);
        }
        for unit in units.values_mut() {
            unit.entries.sort_by_key(|entry| (entry.mapping.address, entry.mapping.bit));
        }
        Self { units }
    }

    pub fn units(&self) -> impl Iterator<Item = u8> {
        self.units.keys().copied()
    }

    /// Whose values stand in the map of `unit`.
    pub fn devices(&self, unit: u8) -> BTreeSet<&DeviceId> {
        let entries = self.units.get(&unit).into_iter().flat_map(|unit| &unit.entries);
        entries.map(|entry| &entry.device).collect()
    }

    pub(super) fn unit(&self, unit: u8) -> Option<&Unit> {
        self.units.get(&unit)
    }
}

/// The map of one unit, in the order of addresses.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unit {
    entries: Vec<Entry>,
}

impl Unit {
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries that take up any of `count` addresses from `start` on.
    pub(super) fn within(
        &self,
        area: Area,
        start: u16,
        count: usize,
    ) -> impl Iterator<Item = &Entry> {
        let area = self.instead(area);
        let (start, end) = (usize::from(start), usize::from(start) + count);
        self.entries.iter().filter(move |entry| {
            let from = usize::from(entry.mapping.address);
            entry.mapping.area == area && from < end && start < from + entry.width()
        })
    }

    /// Masters read with function 3 or 4, whichever they like, where a unit has but one kind.
    fn instead(&self, area: Area) -> Area {
        let has = |area| self.entries.iter().any(|entry| entry.mapping.area == area);
        match area {
            Area::InputRegister if !has(area) => Area::HoldingRegister,
            area => area,
        }
    }
}

impl Entry {
    /// How many addresses it takes up.
    pub fn width(&self) -> usize {
        match self.content {
            Content::Clock { .. } => clock::WIDTH,
            _ => self.mapping.width().into(),
        }
    }

    /// Whether the two cannot stand in one map: bits of one register can.
    pub fn collides(&self, other: &Self) -> bool {
        let (a, b) = (&self.mapping, &other.mapping);
        let (from, to) = (usize::from(a.address), usize::from(b.address));
        let overlap = a.area == b.area && from < to + other.width() && to < from + self.width();
        let are_bits = a.data_type == DataType::Bit && b.data_type == DataType::Bit;
        overlap && (!are_bits || a.bit == b.bit)
    }

    pub(super) fn takes_orders(&self) -> bool {
        matches!(
            self.content,
            Content::Clock { command: Some(_), .. } | Content::Value { command: Some(_), .. }
        )
    }
}
