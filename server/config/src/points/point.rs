//! What a row says of its point: the facts for people, and the place on the board.

use std::time::Duration;

use field::map::{Area, ByteOrder, DataType, Mapping};
use protocol::command::{Check, CommandAction, CommandSpec, Risk, Setting};
use protocol::id::{DeviceId, FaultCode, PointKey};
use protocol::point::{Direction, Limits, Point, PointKind, Role};

use super::address::{AREAS, address, place, short};
use super::row::{Row, YES_NO, amount, choice, integer, number, parsed};
use crate::commands::COLON;
use crate::finding::shown;
use crate::sites::either;

/// One row that could be read.
#[derive(Clone, Debug)]
pub struct Entry {
    pub row: u64,
    pub device: DeviceId,
    pub point: Point,
    pub mapping: Mapping,
    /// Where it is read back once it is written, if that is elsewhere.
    pub feedback: Option<Mapping>,
    /// How much can go wrong where it is written; nothing where it cannot be.
    pub order: Option<Risk>,
}

impl Entry {
    /// What writes to the point under its own name.
    pub(crate) fn command(&self) -> Option<CommandSpec> {
        let key = &self.point.key;
        let (value, verify) = (Setting::Param, Check::Same);
        Some(CommandSpec {
            name: key.as_str().into(),
            title: self.point.name.clone(),
            risk: self.order?,
            action: CommandAction::Write { point: key.clone(), value, verify },
        })
    }
}

/// Reads one row; nothing where a cell that is needed is missing or wrong.
pub(super) fn entry(row: &mut Row<'_>) -> Option<Entry> {
    let device = row.require("device", parsed::<DeviceId>);
    let key = row.require("point_id", parsed::<PointKey>);
    let kind = row.require("type", choice(&KINDS));
    let mapping = mapping(row);
    let order = order(row);
    let point = key.zip(kind).map(|(key, kind)| point(row, key, kind));
    let feedback = mapping.as_ref().and_then(|mapping| feedback(row, mapping));
    check_unused(row);
    let (point, mapping) = (point?, mapping?);
    check_kind(row, &point, &mapping);
    let order = order.filter(|_| is_ordered(&point));
    if order.is_some() && point.key.as_str().contains(COLON) {
        row.warn("point_id", "is no command of its own: a colon comes before a command's value");
    }
    if feedback.is_some() && order.is_none() {
        row.warn("verify_address", "has no effect: the point is never written");
    }
    let feedback = feedback.filter(|shown| order.is_some() && *shown != mapping);
    Some(Entry { row: row.number, device: device?, point, mapping, feedback, order })
}

fn mapping(row: &mut Row<'_>) -> Option<Mapping> {
    let areas = AREAS.map(|(area, name, _)| (name, area));
    let area = row.require("area", choice(&areas));
    let address = match area {
        Some(area) => row.require("address", |text| address(text, area)),
        None => None,
    };
    let data_type = row.require("datatype", parsed::<DataType>);
    let byte_order = row.read("byte_order", parsed::<ByteOrder>);
    let bit = row.read("bit", integer(0..=15));
    let scale = row.read("scale", number).unwrap_or(1.0);
    let offset = row.read("offset", number).unwrap_or(0.0);
    let poll = row.read("poll_ms", integer(100..=HOUR_MS)).map(u64::from);
    let mapping = Mapping {
        area: area?,
        address: address?,
        byte_order: byte_order.unwrap_or(usual_order(data_type?)),
        data_type: data_type?,
        bit,
        scale,
        offset,
        poll: poll.map(Duration::from_millis),
        decimals: decimals(row),
    };
    if let Err(error) = mapping.check() {
        row.mistake("datatype", error.to_string());
    }
    Some(mapping)
}

/// The same value at the address where the plant shows it.
fn feedback(row: &mut Row<'_>, mapping: &Mapping) -> Option<Mapping> {
    let (area, address) = row.read("verify_address", |text| place(text, mapping.area))?;
    // A bit of a register may be shown by an input of its own.
    let bit = mapping.bit.filter(|_| !area.holds_bits());
    let feedback = Mapping { area, address, bit, ..mapping.clone() };
    if mapping.check().is_ok()
        && let Err(error) = feedback.check()
    {
        let (text, area) = (row.text("verify_address"), short(area));
        row.mistake("verify_address", format!("{} is {area} {address}: {error}", shown(&text)));
    }
    Some(feedback)
}

pub(crate) fn usual_order(data_type: DataType) -> ByteOrder {
    match data_type {
        DataType::Bit | DataType::Uint16 | DataType::Int16 => ByteOrder::Ab,
        DataType::Uint32 | DataType::Int32 | DataType::Float32 => ByteOrder::Abcd,
    }
}

/// Analog values have one decimal place unless the table says otherwise.
fn decimals(row: &Row<'_>) -> u8 {
    row.text("decimals").parse().unwrap_or(1)
}

fn point(row: &mut Row<'_>, key: PointKey, kind: PointKind) -> Point {
    row.read("decimals", integer(0..=6_u8));
    let (min, max) = (row.read("min", number), row.read("max", number));
    if let (Some(min), Some(max)) = (min, max)
        && min >= max
    {
        row.mistake("max", format!("must be above min, {min}"));
    }
    Point {
        name: either(row.text("name_zh"), row.text("name_en"), key.as_str()),
        unit: row.text("unit"),
        decimals: decimals(row),
        min,
        max,
        limits: limits(row),
        deadband: row.read("deadband", amount).unwrap_or(0.0),
        stale_ms: stale_after(row),
        direction: direction(row, kind),
        role: role(row, kind),
        key_event: row.read("key", choice(&YES_NO)).unwrap_or(false),
        key,
        kind,
    }
}

/// What is read less often than its channel is stale after three of its own polls.
fn stale_after(row: &mut Row<'_>) -> Option<u32> {
    let poll: Option<u32> = row.text("poll_ms").parse().ok();
    let own = poll.map(|poll| poll.saturating_mul(STALE_POLLS));
    row.read("stale_ms", integer(100..=24 * HOUR_MS)).or(own)
}

/// From the lowest to the highest, those that are given must rise.
fn limits(row: &mut Row<'_>) -> Limits {
    let [ll, l, h, hh] = LIMITS.map(|column| row.read(column, number));
    let given =
        LIMITS.into_iter().zip([ll, l, h, hh]).filter_map(|(name, value)| Some((name, value?)));
    let mut below: Option<(&str, f64)> = None;
    for (name, value) in given {
        if let Some((lower, limit)) = below.filter(|(_, limit)| *limit >= value) {
            row.mistake(name, format!("must be above {lower}, {limit}"));
        }
        below = Some((name, value));
    }
    Limits { hh, h, l, ll }
}

fn direction(row: &mut Row<'_>, kind: PointKind) -> Option<Direction> {
    let words = [("input", Direction::Input), ("output", Direction::Output)];
    let written = row.read("direction", choice(&words));
    match kind {
        PointKind::Signal => Some(written.unwrap_or(Direction::Input)),
        PointKind::Control => Some(written.unwrap_or(Direction::Output)),
        PointKind::Telemetry | PointKind::Adjustment => {
            if written.is_some() {
                row.mistake("direction", "goes with the types S and C only");
            }
            None
        }
    }
}

fn role(row: &mut Row<'_>, kind: PointKind) -> Role {
    let code = row.read("fault_code", parsed::<FaultCode>);
    let word = row.read("role", choice(&ROLES));
    if word.is_some() && !matches!(kind, PointKind::Signal | PointKind::Control) {
        row.mistake("role", "goes with the types S and C only");
    }
    if code.is_some() && !matches!(word, Some(Word::Alarm | Word::Fault)) {
        row.mistake("fault_code", "goes with the roles alarm and fault only");
    }
    match word {
        None => Role::None,
        Some(Word::Testing) => Role::Testing,
        Some(Word::Alarm) => Role::Alarm(code),
        Some(Word::Fault) => Role::Fault(code),
    }
}

/// S and C are ON or OFF, T and A are numbers; C and A must be writable.
fn check_kind(row: &mut Row<'_>, point: &Point, mapping: &Mapping) {
    let is_bit = mapping.data_type == DataType::Bit;
    if point.is_switch() != is_bit {
        let text = if is_bit { "bool goes with the types S and C" } else { "S and C are bool" };
        row.mistake("datatype", text);
    }
    let is_writable = matches!(mapping.area, Area::Coil | Area::HoldingRegister);
    if is_ordered(point) && !is_writable {
        let area = short(mapping.area);
        row.mistake("area", format!("{area} cannot be written, as the types C and A must be"));
    }
    if point.is_switch() && point.limits != Limits::default() {
        row.mistake("alarm_h", "limits go with the types T and A only");
    }
}

fn is_ordered(point: &Point) -> bool {
    matches!(point.kind, PointKind::Control | PointKind::Adjustment)
}

/// What an operator confirms before the point is written; nothing where it is not to be.
fn order(row: &mut Row<'_>) -> Option<Risk> {
    let is_writable = row.read("writable", choice(&YES_NO)).unwrap_or(true);
    let risk = row.read("risk", choice(&RISKS)).unwrap_or(Risk::B);
    is_writable.then_some(risk)
}

/// Columns whose meaning comes with alarms, or not at all: checked already, so that a table that is
/// accepted today is accepted then.
fn check_unused(row: &mut Row<'_>) {
    row.read("hyst", amount);
    row.read("on_delay_ms", integer(0..=HOUR_MS));
    row.read("off_delay_ms", integer(0..=HOUR_MS));
    row.read("priority", integer(1..=4_u8));
}

#[derive(Clone, Copy)]
enum Word {
    Testing,
    Alarm,
    Fault,
}

/// The words are those of earlier tables.
const RISKS: [(&str, Risk); 6] = [
    ("A", Risk::A),
    ("B", Risk::B),
    ("C", Risk::C),
    ("low", Risk::A),
    ("medium", Risk::B),
    ("high", Risk::C),
];

const ROLES: [(&str, Word); 3] =
    [("testing", Word::Testing), ("alarm", Word::Alarm), ("fault", Word::Fault)];

const KINDS: [(&str, PointKind); 4] = [
    ("T", PointKind::Telemetry),
    ("S", PointKind::Signal),
    ("C", PointKind::Control),
    ("A", PointKind::Adjustment),
];

const LIMITS: [&str; 4] = ["alarm_ll", "alarm_l", "alarm_h", "alarm_hh"];

/// As for a point without a pace of its own.
const STALE_POLLS: u32 = 3;

const HOUR_MS: u32 = 3_600_000;
