//! What a simulated unit answers to one Modbus request.

use std::time::Duration;

use super::memory::{Memory, NoSuchAddress};
use crate::map::Area;

/// Answers functions 1–6, 15 and 16; everything else with an exception.
pub(super) fn answer(memory: &mut Memory, request: &[u8], elapsed: Duration) -> Vec<u8> {
    let Some((&function, rest)) = request.split_first() else {
        return exception(0, ILLEGAL_FUNCTION);
    };
    let result = match function {
        1 => read_bits(memory, Area::Coil, rest, elapsed),
        2 => read_bits(memory, Area::DiscreteInput, rest, elapsed),
        3 | 4 => read_registers(memory, rest, elapsed),
        5 => write_coil(memory, rest),
        6 => write_register(memory, rest),
        15 => write_coils(memory, rest),
        16 => write_registers(memory, rest),
        _ => Err(ILLEGAL_FUNCTION),
    };
    match result {
        Ok(body) => [&[function], body.as_slice()].concat(),
        Err(code) => exception(function, code),
    }
}

pub(super) fn exception(function: u8, code: u8) -> Vec<u8> {
    vec![function | 0x80, code]
}

fn read_bits(memory: &Memory, area: Area, rest: &[u8], elapsed: Duration) -> Result<Vec<u8>, u8> {
    let (start, count) = range(rest, MOST_BITS)?;
    let bits = memory.bits(area, start, count, elapsed)?;
    let packed = bits.chunks(8).map(|byte| {
        byte.iter().enumerate().fold(0, |packed, (bit, on)| packed | u8::from(*on) << bit)
    });
    Ok(counted(packed.collect()))
}

fn read_registers(memory: &Memory, rest: &[u8], elapsed: Duration) -> Result<Vec<u8>, u8> {
    let (start, count) = range(rest, MOST_REGISTERS)?;
    let registers = memory.registers(start, count, elapsed)?;
    Ok(counted(registers.into_iter().flat_map(u16::to_be_bytes).collect()))
}

fn write_coil(memory: &mut Memory, rest: &[u8]) -> Result<Vec<u8>, u8> {
    let (start, value) = two_words(rest)?;
    let on = match value {
        0xFF00 => true,
        0x0000 => false,
        _ => return Err(ILLEGAL_VALUE),
    };
    memory.write_coils(start, &[on])?;
    Ok(rest.to_vec())
}

fn write_register(memory: &mut Memory, rest: &[u8]) -> Result<Vec<u8>, u8> {
    let (start, value) = two_words(rest)?;
    memory.write_registers(start, &[value])?;
    Ok(rest.to_vec())
}

fn write_coils(memory: &mut Memory, rest: &[u8]) -> Result<Vec<u8>, u8> {
    let (head, packed) = rest.split_at_checked(5).ok_or(ILLEGAL_VALUE)?;
    let (start, count) = range(head, MOST_BITS)?;
    if packed.len() != usize::from(count.div_ceil(8)) {
        return Err(ILLEGAL_VALUE);
    }
    let bits = packed.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    let bits: Vec<_> = bits.take(usize::from(count)).collect();
    memory.write_coils(start, &bits)?;
    Ok(head.iter().take(4).copied().collect())
}

fn write_registers(memory: &mut Memory, rest: &[u8]) -> Result<Vec<u8>, u8> {
    let (head, bytes) = rest.split_at_checked(5).ok_or(ILLEGAL_VALUE)?;
    let (start, count) = range(head, MOST_REGISTERS)?;
    let (pairs, odd) = bytes.as_chunks::<2>();
    if pairs.len() != usize::from(count) || !odd.is_empty() {
        return Err(ILLEGAL_VALUE);
    }
    let values: Vec<_> = pairs.iter().copied().map(u16::from_be_bytes).collect();
    memory.write_registers(start, &values)?;
    Ok(head.iter().take(4).copied().collect())
}

/// Start and count, which must be from one to `most`.
fn range(rest: &[u8], most: u16) -> Result<(u16, u16), u8> {
    let (start, count) = two_words(rest)?;
    if (1..=most).contains(&count) { Ok((start, count)) } else { Err(ILLEGAL_VALUE) }
}

fn two_words(rest: &[u8]) -> Result<(u16, u16), u8> {
    match *rest {
        [a, b, c, d, ..] => Ok((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
        _ => Err(ILLEGAL_VALUE),
    }
}

fn counted(bytes: Vec<u8>) -> Vec<u8> {
    let count = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    [&[count], bytes.as_slice()].concat()
}

impl From<NoSuchAddress> for u8 {
    fn from(_: NoSuchAddress) -> Self {
        ILLEGAL_ADDRESS
    }
}

const MOST_BITS: u16 = 2000;
const MOST_REGISTERS: u16 = 125;

/// Modbus exception codes.
const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_VALUE: u8 = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simulator::plant::Plant;

    #[test]
    fn requests_and_their_answers() {
        let table: [(&[u8], &[u8]); 12] = [
            (&[3, 0x00, 0x01, 0, 1], &[3, 2, 0, 0x3F]),
            (&[4, 0x00, 0x01, 0, 1], &[4, 2, 0, 0x3F]),
            (&[6, 0x22, 0x00, 0, 9], &[6, 0x22, 0x00, 0, 9]),
            (&[16, 0x22, 0x01, 0, 2, 4, 0, 1, 0, 2], &[16, 0x22, 0x01, 0, 2]),
            (&[3, 0x22, 0x00, 0, 3], &[3, 6, 0, 9, 0, 1, 0, 2]),
            (&[5, 0x00, 0x03, 0xFF, 0], &[5, 0x00, 0x03, 0xFF, 0]),
            (&[15, 0x00, 0x04, 0, 2, 1, 0b01], &[15, 0x00, 0x04, 0, 2]),
            (&[1, 0x00, 0x03, 0, 3], &[1, 1, 0b011]),
            (&[3, 0xFF, 0xFF, 0, 1], &[0x83, 2]),
            (&[3, 0x00, 0x00, 0, 126], &[0x83, 3]),
            (&[5, 0x00, 0x03, 0xFF, 1], &[0x85, 3]),
            (&[43, 14, 1, 0], &[0xAB, 1]),
        ];
        let mut memory = Memory::new(Plant::new(1));
        for (request, expected) in table {
            assert_eq!(answer(&mut memory, request, Duration::ZERO), expected, "{request:?}");
        }
    }

    proptest! {
        #[test]
        fn any_request_is_answered(request in prop::collection::vec(any::<u8>(), 0..32)) {
            let mut memory = Memory::new(Plant::new(1));
            let answer = answer(&mut memory, &request, Duration::ZERO);
            prop_assert!((2..=253).contains(&answer.len()));
        }
    }
}
