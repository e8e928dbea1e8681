//! `pscada.csv`, row by row: what stands at which address, and what a write there orders.

use field::map::{Area, DataType, Mapping};
use protocol::id::{DeviceId, PointKey};

use crate::finding::{nearest, shown};
use crate::points::address::{AREAS, address, short};
use crate::points::row::{choice, integer, number, parsed};
use crate::points::{self, Heading, usual_order};

/// One row that could be read.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub number: u64,
    pub device: DeviceId,
    pub mapping: Mapping,
    pub shows: Shows,
    pub command: Option<String>,
    pub param: Option<String>,
}

/// What a read finds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shows {
    Nothing,
    Clock,
    Point(PointKey),
    Quality,
    Reserved,
}

/// Reads one row; nothing where a cell that is needed is missing or wrong.
pub(super) fn read(row: &mut points::Row<'_>) -> Option<Row> {
    let device = row.require("device", parsed::<DeviceId>);
    let has_point = !row.is_empty("point");
    let shows = if has_point { row.read("point", shows) } else { Some(Shows::Nothing) };
    let mapping = mapping(row, shows.as_ref());
    let text = |text: String| (!text.is_empty()).then_some(text);
    let (command, param) = (text(row.text("command")), text(row.text("param")));
    let read = Row {
        number: row.number,
        device: device?,
        mapping: mapping?,
        shows: shows?,
        command,
        param,
    };
    check(row, &read);
    Some(read)
}

/// A point, or one of the words that no point can have for its name.
fn shows(text: &str) -> Result<Shows, String> {
    if !text.starts_with('@') {
        return parsed::<PointKey>(text).map(Shows::Point);
    }
    let found = WORDS.iter().find(|(word, _)| *word == text);
    found.map(|(_, shows)| shows.clone()).ok_or_else(|| {
        let words = WORDS.map(|(word, _)| word);
        format!("{} is none of {}{}", shown(text), words.join(", "), nearest(text, words))
    })
}

fn mapping(row: &mut points::Row<'_>, shows: Option<&Shows>) -> Option<Mapping> {
    let areas = AREAS.map(|(area, name, _)| (name, area));
    let area = row.require("area", choice(&areas));
    let address = match area {
        Some(area) => row.require("address", |text| address(text, area)),
        None => None,
    };
    let is_word = matches!(shows, Some(Shows::Clock | Shows::Quality | Shows::Reserved));
    let data_type = match area {
        Some(area) if area.holds_bits() => {
            Some(row.read("datatype", parsed).unwrap_or(DataType::Bit))
        }
        _ if is_word => Some(row.read("datatype", parsed).unwrap_or(DataType::Uint16)),
        _ => row.require("datatype", parsed::<DataType>),
    };
    let byte_order = row.read("byte_order", parsed);
    let bit = row.read("bit", integer(0..=15));
    let (scale, offset) = (row.read("scale", number), row.read("offset", number));
    let mapping = Mapping {
        area: area?,
        address: address?,
        byte_order: byte_order.unwrap_or(usual_order(data_type?)),
        data_type: data_type?,
        bit,
        scale: scale.unwrap_or(1.0),
        offset: offset.unwrap_or(0.0),
        poll: None,
        decimals: DECIMALS,
    };
    if let Err(error) = mapping.check() {
        row.mistake("datatype", error.to_string());
    }
    Some(mapping)
}

/// What contradicts itself within the row.
fn check(row: &mut points::Row<'_>, read: &Row) {
    let Row { mapping, shows, command, param, .. } = read;
    let area = mapping.area;
    let is_writable = matches!(area, Area::Coil | Area::HoldingRegister);
    if *shows == Shows::Nothing && command.is_none() {
        row.mistake("point", "must not be empty where there is no command");
    }
    if command.is_some() && !is_writable {
        row.mistake("command", format!("{} cannot be written", short(area)));
    }
    if param.is_some() && command.is_none() {
        row.mistake("param", "goes with a command");
    }
    if matches!(shows, Shows::Quality | Shows::Reserved) && command.is_some() {
        row.mistake("command", "goes with a point, with @clock, or alone");
    }
    if *shows == Shows::Clock && param.is_some() {
        row.mistake("param", "is the time that was written");
    }
    if matches!(shows, Shows::Clock | Shows::Quality) && mapping.data_type != DataType::Uint16 {
        row.mistake("datatype", "must be uint16, in hr or ir");
    }
    if *shows == Shows::Clock && mapping.address > LAST_CLOCK {
        row.mistake("address", "a clock takes four registers, and there are not so many left");
    }
}

/// Milliseconds; second and minute; hour and day; month and year.
const LAST_CLOCK: u16 = u16::MAX - 3;

/// As many as a number has that was written by PSCADA: enough for any scale.
const DECIMALS: u8 = 6;

const WORDS: [(&str, Shows); 3] =
    [("@clock", Shows::Clock), ("@quality", Shows::Quality), ("@reserved", Shows::Reserved)];

pub(super) const HEADING: Heading = Heading {
    all: &[
        "device",
        "area",
        "address",
        "datatype",
        "bit",
        "scale",
        "offset",
        "byte_order",
        "point",
        "command",
        "param",
    ],
    required: &["device", "area", "address"],
};
