//! Lets a board say anything: what is believed of it was said, and is finite.
//!
//! The first byte chooses the unit, the second how many points there are; each is four bytes. The
//! rest is what the board says to the first question, and to an order for the first point; how it
//! begins is the number that the point is to be given.

#![no_main]

use std::time::Duration;

use field::decode::{Cells, decode};
use field::encode::{Change, Write, encode};
use field::map::{Area, ByteOrder, DataType, Mapping};
use field::modbus::{Connection, Form, Framing, ReadError, WriteError};
use field::plan::{Block, Holes, plan};
use libfuzzer_sys::fuzz_target;
use protocol::reading::{Reason, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::runtime::Builder;

fuzz_target!(|bytes: &[u8]| {
    let [choice, count, rest @ ..] = bytes else { return };
    let (points, said) = rest.split_at((usize::from(*count) * 4).min(rest.len()));
    let mappings: Vec<_> = points.chunks_exact(4).map(mapping).collect();
    let holes = if choice & 1 == 0 { Holes::Bridge } else { Holes::Avoid };
    let every: Vec<_> = (0..mappings.len()).collect();
    let blocks = plan(&mappings, &every, holes);
    covers_each_once(&mappings, &blocks, holes);
    for block in &blocks {
        any_cells_have_a_meaning(&mappings, block, said);
    }
    let framing = if choice & 2 == 0 { Framing::Tcp } else { Framing::Rtu };
    if let Some(write) = mappings.first().and_then(|mapping| order(mapping, said)) {
        let form = if choice & 1 == 0 { Form::One } else { Form::Many };
        let answer = tell(framing, choice >> 2, &write, form, said);
        only_its_echo_confirms(framing, &echo(choice >> 2, &write, form), said, answer);
    }
    if let Some(block) = blocks.first() {
        let answer = ask(framing, choice >> 2, block, said);
        only_what_was_said(framing, choice >> 2, block, said, &answer);
        if let Ok(cells) = answer {
            block.points.iter().for_each(|point| has_a_value(&mappings[*point], block, &cells));
        }
    }
});

/// One byte for what kind of point it is, two for its address, one for how it is written there.
fn mapping(bytes: &[u8]) -> Mapping {
    let (kind, how) = (usize::from(bytes[0]), usize::from(bytes[3]));
    let area = AREAS[kind % AREAS.len()];
    let data_type = TYPES[if area.holds_bits() { 0 } else { kind / 4 % TYPES.len() }];
    let is_register_bit = data_type == DataType::Bit && !area.holds_bits();
    Mapping {
        area,
        address: u16::from_be_bytes([bytes[1], bytes[2]]),
        data_type,
        byte_order: ORDERS[how % ORDERS.len()],
        bit: is_register_bit.then_some((how % 16) as u8),
        scale: SCALES[how % SCALES.len()],
        offset: 0.0,
        poll: None,
        decimals: (how % 7) as u8,
    }
}

/// Each point is read once, whole, and no read is longer than Modbus allows.
fn covers_each_once(mappings: &[Mapping], blocks: &[Block], holes: Holes) {
    let mut read: Vec<_> = blocks.iter().flat_map(|block| &block.points).copied().collect();
    read.sort_unstable();
    assert!(read.iter().copied().eq(0..mappings.len()), "{read:?}");
    for block in blocks {
        let longest = if block.area.holds_bits() { 2000 } else { 125 };
        assert!((1..=longest).contains(&block.count), "{block:?}");
        let within = |point: &&usize| {
            let mapping = &mappings[**point];
            let (from, width) = (u32::from(mapping.address), u32::from(mapping.width()));
            let (start, count) = (u32::from(block.start), u32::from(block.count));
            mapping.area == block.area && from >= start && from + width <= start + count
        };
        assert_eq!(block.points.iter().filter(within).count(), block.points.len(), "{block:?}");
        assert!(holes == Holes::Bridge || !block.has_holes, "{block:?}");
    }
}

/// Too few cells are a short answer, never a wrong value.
fn any_cells_have_a_meaning(mappings: &[Mapping], block: &Block, said: &[u8]) {
    let cells = if block.area.holds_bits() {
        Cells::Bits(said.iter().map(|byte| byte & 1 == 1).collect())
    } else {
        Cells::Registers(said.chunks_exact(2).map(word).collect())
    };
    for point in &block.points {
        let mapping = &mappings[*point];
        let at = usize::from(mapping.address - block.start);
        let is_short = cells.len() < at + usize::from(mapping.width());
        let value = decode(mapping, &cells, at);
        assert_eq!(value == Err(Reason::ShortAnswer), is_short, "{mapping:?}: {value:?}");
        is_sound(mapping, value);
    }
}

fn has_a_value(mapping: &Mapping, block: &Block, cells: &Cells) {
    let value = decode(mapping, cells, usize::from(mapping.address - block.start));
    assert_ne!(value, Err(Reason::ShortAnswer), "the answer was whole");
    is_sound(mapping, value);
}

fn is_sound(mapping: &Mapping, value: Result<Value, Reason>) {
    match value {
        Ok(Value::Switch(_)) => assert_eq!(mapping.data_type, DataType::Bit),
        Ok(Value::Number(number)) => {
            assert!(number.is_finite() && mapping.data_type != DataType::Bit, "{number}");
        }
        Err(Reason::NotANumber | Reason::ShortAnswer) => {}
        Err(reason) => panic!("{reason} is nothing that cells can say"),
    }
}

/// What gives a point the number that was said, as long as it would be read back.
fn order(mapping: &Mapping, said: &[u8]) -> Option<Write> {
    let number = f64::from_bits(u64::from_be_bytes(*said.first_chunk()?));
    let switch = Value::Switch(said[0] & 1 == 1);
    let value = if mapping.data_type == DataType::Bit { switch } else { Value::Number(number) };
    let Change::Whole(cells) = encode(mapping, value).ok()? else { return None };
    assert_eq!(decode(mapping, &cells, 0), Ok(value.rounded(mapping.decimals)), "{mapping:?}");
    Some(Write { address: mapping.address, cells })
}

/// Tells a board that says `said` and hangs up.
fn tell(
    framing: Framing,
    unit: u8,
    write: &Write,
    form: Form,
    said: &[u8],
) -> Result<(), WriteError> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on(async {
        let (ours, mut theirs) = duplex(said.len().max(32));
        let mut connection = Connection::over(ours, framing);
        let board = async {
            theirs.read_exact(&mut [0; 8]).await.expect("there is an order");
            // The other side may have hung up on the first wrong byte.
            let _ = theirs.write_all(said).await;
            let _ = theirs.shutdown().await;
            theirs
        };
        let limit = Duration::from_millis(50);
        tokio::join!(connection.write(unit, write, form, limit), board).0
    })
}

/// Unit and PDU of the one answer that confirms the order.
fn echo(unit: u8, write: &Write, form: Form) -> Vec<u8> {
    let count = write.cells.len() as u16;
    let (function, told) = match (&write.cells, form) {
        (Cells::Bits(bits), Form::One) => (5, if bits[0] { 0xFF00 } else { 0 }),
        (Cells::Bits(_), Form::Many) => (15, count),
        (Cells::Registers(words), Form::One) if count == 1 => (6, words[0]),
        (Cells::Registers(_), _) => (16, count),
    };
    [&[unit, function], &write.address.to_be_bytes()[..], &told.to_be_bytes()].concat()
}

fn only_its_echo_confirms(
    framing: Framing,
    echo: &[u8],
    said: &[u8],
    answer: Result<(), WriteError>,
) {
    match framing {
        Framing::Tcp => {
            let frame = [&[0, 0, 0, 0, 0, 6], echo].concat();
            assert_eq!(answer == Ok(()), said.starts_with(&frame), "{answer:?}");
        }
        // Noise before an answer is passed over, so that it may stand anywhere.
        Framing::Rtu => {
            let was_said = said.windows(echo.len()).any(|window| window == echo);
            assert!(was_said || answer != Ok(()), "{echo:?} was never said");
        }
    }
}

/// Asks a board that says `said` and hangs up; time passes by itself.
fn ask(framing: Framing, unit: u8, block: &Block, said: &[u8]) -> Result<Cells, ReadError> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on(async {
        let (ours, mut theirs) = duplex(said.len().max(16));
        let mut connection = Connection::over(ours, framing);
        let board = async {
            theirs.read_exact(&mut [0; 8]).await.expect("there is a question");
            // The asker may have hung up on the first wrong byte.
            let _ = theirs.write_all(said).await;
            let _ = theirs.shutdown().await;
        };
        tokio::join!(connection.read(unit, block, Duration::from_millis(50)), board).0
    })
}

/// An answer is believed just where it has the form that Modbus gives it, by a second reading.
fn only_what_was_said(
    framing: Framing,
    unit: u8,
    block: &Block,
    said: &[u8],
    answer: &Result<Cells, ReadError>,
) {
    match framing {
        Framing::Tcp => {
            assert_eq!(answer.as_ref().ok(), over_tcp(unit, block, said).as_ref(), "{answer:?}");
        }
        // Noise before an answer is passed over, so that it may stand anywhere.
        Framing::Rtu => {
            if let Ok(cells) = answer {
                let mut tails = (0..said.len()).filter_map(|at| body(unit, block, &said[at..]));
                assert!(tails.any(|told| told == *cells), "{cells:?} was never said");
            }
        }
    }
}

/// Transaction 0, protocol 0, a length that fits, and the body.
fn over_tcp(unit: u8, block: &Block, said: &[u8]) -> Option<Cells> {
    let (header, rest) = said.split_first_chunk::<6>()?;
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let frame = rest.get(..length)?;
    let cells = body(unit, block, frame)?;
    let is_whole = header[..4] == [0; 4] && length <= 254 && length == 3 + usize::from(frame[2]);
    is_whole.then_some(cells)
}

/// Unit, function, count of bytes, and so many bytes.
fn body(unit: u8, block: &Block, frame: &[u8]) -> Option<Cells> {
    let function = 1 + AREAS.iter().position(|area| *area == block.area)? as u8;
    let count = usize::from(block.count);
    let bytes = if block.area.holds_bits() { count.div_ceil(8) } else { count * 2 };
    let (head, rest) = frame.split_first_chunk::<3>()?;
    let data = rest.get(..bytes)?;
    let is_ours = head[0] == unit && head[1] == function && usize::from(head[2]) == bytes;
    is_ours.then(|| {
        if block.area.holds_bits() {
            Cells::Bits(
                data.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1)).collect(),
            )
        } else {
            Cells::Registers(data.chunks_exact(2).map(word).collect())
        }
    })
}

fn word(pair: &[u8]) -> u16 {
    u16::from_be_bytes([pair[0], pair[1]])
}

/// In the order of the functions that read them.
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
