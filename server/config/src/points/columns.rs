//! The heading of a table: which column stands where.

use std::collections::BTreeMap;
use std::sync::Arc;

use csv::StringRecord;

use crate::finding::{Findings, Place, nearest, shown};

/// The columns that a table has, by name.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    places: BTreeMap<&'static str, usize>,
    /// How many there are, known or not.
    pub count: usize,
}

/// The columns that a table can have.
pub(crate) struct Heading {
    pub all: &'static [&'static str],
    pub required: &'static [&'static str],
}

impl Columns {
    pub(super) fn read(
        written: &StringRecord,
        heading: &Heading,
        file: &Arc<str>,
        findings: &mut Findings,
    ) -> Self {
        let mut columns = Self { places: BTreeMap::new(), count: written.len() };
        let place = Place::Row { file: file.clone(), row: 1, column: None };
        for (index, cell) in written.iter().enumerate() {
            let name = cell.trim().to_lowercase();
            let known = heading.all.iter().copied().find(|known| *known == name);
            match known {
                Some(name) if columns.places.contains_key(name) => {
                    findings.mistake(&place, format!("column `{name}` stands there twice"));
                }
                Some(name) => {
                    columns.places.insert(name, index);
                }
                None if name.is_empty() => {}
                None => {
                    let near = nearest(&name, heading.all);
                    findings.mistake(&place, format!("unknown column {}{near}", shown(cell)));
                }
            }
        }
        columns.check_required(written, heading, &place, findings);
        columns
    }

    fn check_required(
        &self,
        written: &StringRecord,
        heading: &Heading,
        place: &Place,
        findings: &mut Findings,
    ) {
        let required = heading.required.iter().copied();
        let missing: Vec<_> = required.filter(|name| !self.places.contains_key(name)).collect();
        if missing.is_empty() {
            return;
        }
        let other = written.iter().any(|cell| cell.contains([';', '\t']));
        let hint = if other { "; columns are separated by commas" } else { "" };
        findings
            .mistake(place, format!("required columns are missing: {}{hint}", missing.join(", ")));
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// What stands in that column, without the blanks around it; nothing where it is empty.
    pub(super) fn cell<'a>(&self, name: &str, record: &'a StringRecord) -> Option<&'a str> {
        let text = record.get(*self.places.get(name)?)?.trim();
        (!text.is_empty()).then_some(text)
    }
}

pub(super) const POINT_TABLE: Heading = Heading { all: &ALL, required: &REQUIRED };

const REQUIRED: [&str; 6] = ["device", "point_id", "type", "area", "address", "datatype"];

const ALL: [&str; 36] = [
    "device",
    "point_id",
    "name_zh",
    "name_en",
    "type",
    "area",
    "address",
    "datatype",
    "byte_order",
    "bit",
    "scale",
    "offset",
    "unit",
    "decimals",
    "min",
    "max",
    "deadband",
    "poll_ms",
    "stale_ms",
    "direction",
    "role",
    "fault_code",
    "key",
    "writable",
    "risk",
    "verify_address",
    "alarm_hh",
    "alarm_h",
    "alarm_l",
    "alarm_ll",
    "hyst",
    "on_delay_ms",
    "off_delay_ms",
    "priority",
    "text_zh",
    "text_en",
];
