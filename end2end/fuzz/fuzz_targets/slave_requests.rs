//! Lets a master of our slave ask anything: it gets an answer that fits the question, an exception,
//! or silence where another unit was meant.
//!
//! The first byte chooses how the slave answers, the second how many places its map has; each is
//! four bytes. Of the rest the first byte is the unit, and all behind it the question.

#![no_main]

use std::collections::BTreeMap;

use field::map::{Area, ByteOrder, DataType, Mapping};
use field::slave::{Answer, Command, Content, Entry, Param, Rules, SlaveMap, Staged, Stale};
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use protocol::id::{DeviceId, PointKey};
use protocol::reading::{Quality, Reading, Value};
use protocol::time::Timestamp;

fuzz_target!(|bytes: &[u8]| {
    let [choice, count, rest @ ..] = bytes else { return };
    let (places, rest) = rest.split_at((usize::from(*count) * 4).min(rest.len()));
    let [unit, request @ ..] = rest else { return };
    let entries: Vec<_> = places.chunks_exact(4).map(entry).collect();
    let stale = [Stale::Last, Stale::Sentinel, Stale::Exception][usize::from(choice % 3)];
    let map = SlaveMap::new(entries.iter().map(|entry| (UNIT, entry.clone())));
    let is_ours = map.units().any(|known| known == *unit);
    let rules = Rules { map, stale, sentinel: 0x8000 };
    let source = |_: &DeviceId| Some(readings(*choice));
    let now = Timestamp::from_millis(1_785_200_707_123);
    let mut staged = Staged::default();
    let mut ask = || rules.answer(*unit, request, &source, now, &mut staged);
    let answer = ask();
    assert_eq!(answer == Answer::Silence, !is_ours);
    match &answer {
        Answer::Silence => {}
        Answer::Bytes(bytes) => fits(&entries, request, bytes),
        Answer::Wishes { wished, confirmation } => {
            assert!(!wished.is_empty() && matches!(request[0], 5 | 6 | 15 | 16));
            assert_eq!(confirmation, &request[..5]);
        }
    }
    if matches!(request.first(), Some(1..=4)) {
        assert_eq!(ask(), answer, "a read changes nothing");
    }
});

/// An exception of two bytes, or what the question asked for.
fn fits(entries: &[Entry], request: &[u8], answer: &[u8]) {
    let function = request.first().copied().unwrap_or(0);
    assert!((2..=253).contains(&answer.len()), "{answer:?}");
    if answer[0] & 0x80 != 0 {
        assert_eq!(answer[0], function | 0x80);
        assert!(answer.len() == 2 && (1..=4).contains(&answer[1]), "{answer:?}");
        assert_eq!(answer[1] == 1, !matches!(function, 1..=6 | 15 | 16), "{answer:?}");
        return;
    }
    assert_eq!(answer[0], function);
    match function {
        1..=4 => {
            let [start, count] = [[request[1], request[2]], [request[3], request[4]]]
                .map(|pair| usize::from(u16::from_be_bytes(pair)));
            let bytes = if function < 3 { count.div_ceil(8) } else { count * 2 };
            assert_eq!(
                (request.len(), usize::from(answer[1]), answer.len()),
                (5, bytes, bytes + 2)
            );
            assert!((start..start + count).all(|at| is_mapped(entries, function, at)));
        }
        _ => assert_eq!(answer, &request[..5]),
    }
}

fn is_mapped(entries: &[Entry], function: u8, at: usize) -> bool {
    let area = |entry: &Entry| match entry.mapping.area {
        Area::Coil => function == 1,
        Area::DiscreteInput => function == 2,
        Area::HoldingRegister => matches!(function, 3 | 4),
        Area::InputRegister => function == 4,
    };
    let is_at = |entry: &Entry| {
        let from = usize::from(entry.mapping.address);
        (from..from + entry.width()).contains(&at)
    };
    entries.iter().any(|entry| area(entry) && is_at(entry))
}

/// One byte for what stands there, two for its address, one for how it is written there.
fn entry(bytes: &[u8]) -> Entry {
    let (kind, how) = (usize::from(bytes[0]), usize::from(bytes[3]));
    let area = AREAS[kind % AREAS.len()];
    let data_type = TYPES[if area.holds_bits() { 0 } else { how % TYPES.len() }];
    let is_register_bit = data_type == DataType::Bit && !area.holds_bits();
    let point = POINTS.get(kind / 4 % 4).map(|key| key.parse().expect("a key"));
    let param = if how & 1 == 0 { Param::Written } else { Param::Fixed(Some("1".into())) };
    let command = Command { name: "DO".into(), param };
    let content = match kind / 16 {
        0 => Content::Reserved,
        1 => Content::Quality,
        2 if !area.holds_bits() => {
            Content::Clock { zone: TimeZone::UTC, command: Some("SET_CLOCK".into()) }
        }
        3..8 => Content::Value { point, command: None },
        _ => Content::Value { point, command: Some(command) },
    };
    let mapping = Mapping {
        area,
        address: u16::from_be_bytes([bytes[1], bytes[2]]),
        data_type,
        byte_order: ORDERS[how % ORDERS.len()],
        bit: is_register_bit.then_some((how % 16) as u8),
        scale: SCALES[how % SCALES.len()],
        offset: 0.0,
        poll: None,
        decimals: 6,
    };
    Entry { device: "board-1".parse().expect("an identifier"), mapping, content }
}

fn readings(choice: u8) -> BTreeMap<PointKey, Reading> {
    let quality = [Quality::Good, Quality::Uncertain, Quality::Stale, Quality::NoComm];
    let quality = quality[usize::from(choice / 3 % 4)];
    let values = [Value::Switch(choice & 1 == 1), Value::Number(-1e300)];
    let keys = POINTS.iter().map(|key| key.parse().expect("a key"));
    let reading = |value| Reading { quality, at: None, value: Some(value), why: None };
    keys.zip(values.map(reading)).collect()
}

const UNIT: u8 = 0x5E;

/// The third is in the map alone: it was never read.
const POINTS: [&str; 3] = ["switch", "number", "unread"];

const AREAS: [Area; 4] =
    [Area::Coil, Area::DiscreteInput, Area::HoldingRegister, Area::InputRegister];

const TYPES: [DataType; 6] = [
    DataType::Bit,
    DataType::Uint16,
    DataType::Int16,
    DataType::Uint32,
    DataType::Int32,
    DataType::Float32,
];

const ORDERS: [ByteOrder; 6] = [
    ByteOrder::Ab,
    ByteOrder::Ba,
    ByteOrder::Abcd,
    ByteOrder::Dcba,
    ByteOrder::Badc,
    ByteOrder::Cdab,
];

const SCALES: [f64; 5] = [1.0, 0.1, -40.0, 1e300, 1e-300];
