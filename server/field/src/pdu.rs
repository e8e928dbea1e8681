//! Modbus requests read, and their answers written, with the checks of the standard in its order.

use std::ops::RangeInclusive;

use crate::map::Area;

/// What a master asks, its counts checked; its addresses are not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Request {
    Read { area: Area, start: u16, count: u16 },
    WriteCoils { start: u16, values: Vec<bool> },
    WriteRegisters { start: u16, values: Vec<u16> },
}

/// Why a request is refused, in the words of the standard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exception {
    IllegalFunction = 1,
    IllegalAddress = 2,
    IllegalValue = 3,
    DeviceFailure = 4,
    DeviceBusy = 6,
}

impl Request {
    /// Functions 1–6, 15 and 16; counts before addresses, as the standard has it.
    pub(crate) fn read(pdu: &[u8]) -> Result<Self, Exception> {
        let Some((&function, rest)) = pdu.split_first() else {
            return Err(Exception::IllegalFunction);
        };
        match function {
            1 => read(Area::Coil, rest),
            2 => read(Area::DiscreteInput, rest),
            3 => read(Area::HoldingRegister, rest),
            4 => read(Area::InputRegister, rest),
            5 => write_coil(rest),
            6 => write_register(rest),
            15 => write_coils(rest),
            16 => write_registers(rest),
            _ => Err(Exception::IllegalFunction),
        }
    }
}

/// The addresses from `start` on; beyond the last there are none.
pub(crate) fn addresses(start: u16, count: usize) -> Result<RangeInclusive<u16>, Exception> {
    let reach = u16::try_from(count).ok().and_then(|count| count.checked_sub(1));
    let last = reach.and_then(|reach| start.checked_add(reach));
    last.map(|last| start..=last).ok_or(Exception::IllegalAddress)
}

/// The answer to a read of bits.
pub(crate) fn bits(function: u8, bits: &[bool]) -> Vec<u8> {
    let packed = bits.chunks(8).map(|byte| {
        byte.iter().enumerate().fold(0, |packed, (bit, on)| packed | u8::from(*on) << bit)
    });
    counted(function, packed.collect())
}

/// The answer to a read of registers.
pub(crate) fn registers(function: u8, registers: &[u16]) -> Vec<u8> {
    counted(function, registers.iter().copied().flat_map(u16::to_be_bytes).collect())
}

/// The answer to a write: function, start, and the value or the count.
pub(crate) fn confirmation(request: &[u8]) -> Vec<u8> {
    request.iter().take(5).copied().collect()
}

pub(crate) fn refusal(function: u8, exception: Exception) -> Vec<u8> {
    exception_of(function, exception as u8)
}

pub(crate) fn exception_of(function: u8, code: u8) -> Vec<u8> {
    vec![function | 0x80, code]
}

fn read(area: Area, rest: &[u8]) -> Result<Request, Exception> {
    let (start, count) = two_words(rest)?;
    let most = if area.holds_bits() { MOST_BITS } else { MOST_REGISTERS };
    check_count(count, most)?;
    Ok(Request::Read { area, start, count })
}

fn write_coil(rest: &[u8]) -> Result<Request, Exception> {
    let (start, value) = two_words(rest)?;
    let on = match value {
        0xFF00 => true,
        0x0000 => false,
        _ => return Err(Exception::IllegalValue),
    };
    Ok(Request::WriteCoils { start, values: vec![on] })
}

fn write_register(rest: &[u8]) -> Result<Request, Exception> {
    let (start, value) = two_words(rest)?;
    Ok(Request::WriteRegisters { start, values: vec![value] })
}

fn write_coils(rest: &[u8]) -> Result<Request, Exception> {
    let (start, count, packed) = several(rest, MOST_WRITTEN_BITS)?;
    if packed.len() != usize::from(count.div_ceil(8)) {
        return Err(Exception::IllegalValue);
    }
    let bits = packed.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    Ok(Request::WriteCoils { start, values: bits.take(usize::from(count)).collect() })
}

fn write_registers(rest: &[u8]) -> Result<Request, Exception> {
    let (start, count, bytes) = several(rest, MOST_WRITTEN_REGISTERS)?;
    let (pairs, odd) = bytes.as_chunks::<2>();
    if pairs.len() != usize::from(count) || !odd.is_empty() {
        return Err(Exception::IllegalValue);
    }
    let values = pairs.iter().copied().map(u16::from_be_bytes).collect();
    Ok(Request::WriteRegisters { start, values })
}

/// Start, count and the bytes behind it, of which there must be as many as they say.
fn several(rest: &[u8], most: u16) -> Result<(u16, u16, &[u8]), Exception> {
    let (head, rest) = rest.split_at_checked(4).ok_or(Exception::IllegalValue)?;
    let (start, count) = two_words(head)?;
    check_count(count, most)?;
    match rest.split_first() {
        Some((&said, bytes)) if usize::from(said) == bytes.len() => Ok((start, count, bytes)),
        _ => Err(Exception::IllegalValue),
    }
}

fn check_count(count: u16, most: u16) -> Result<(), Exception> {
    if (1..=most).contains(&count) { Ok(()) } else { Err(Exception::IllegalValue) }
}

fn two_words(rest: &[u8]) -> Result<(u16, u16), Exception> {
    match *rest {
        [a, b, c, d] => Ok((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
        _ => Err(Exception::IllegalValue),
    }
}

fn counted(function: u8, bytes: Vec<u8>) -> Vec<u8> {
    let count = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    [&[function, count], bytes.as_slice()].concat()
}

/// What one answer has room for.
const MOST_BITS: u16 = 2000;
const MOST_REGISTERS: u16 = 125;

/// What one request has room for.
const MOST_WRITTEN_BITS: u16 = 1968;
const MOST_WRITTEN_REGISTERS: u16 = 123;

#[cfg(test)]
mod tests {
    use super::*;
    use Exception::{IllegalAddress, IllegalFunction, IllegalValue};

    #[test]
    fn requests_are_read_as_the_standard_writes_them() {
        let read = |area, start, count| Ok(Request::Read { area, start, count });
        let coils =
            |start, values: &[bool]| Ok(Request::WriteCoils { start, values: values.into() });
        let words =
            |start, values: &[u16]| Ok(Request::WriteRegisters { start, values: values.into() });
        let table: [(&[u8], Result<Request, Exception>); 22] = [
            (&[1, 0, 19, 0x07, 0xD0], read(Area::Coil, 19, 2000)),
            (&[2, 0, 196, 0, 22], read(Area::DiscreteInput, 196, 22)),
            (&[3, 0, 107, 0, 3], read(Area::HoldingRegister, 107, 3)),
            (&[4, 0, 8, 0, 125], read(Area::InputRegister, 8, 125)),
            (&[5, 0, 172, 0xFF, 0], coils(172, &[true])),
            (&[5, 0, 172, 0, 0], coils(172, &[false])),
            (&[6, 0, 1, 0xFF, 0xFF], words(1, &[0xFFFF])),
            (&[15, 0, 19, 0, 3, 1, 0b101], coils(19, &[true, false, true])),
            (&[16, 0, 1, 0, 2, 4, 0, 10, 1, 2], words(1, &[10, 0x0102])),
            (&[], Err(IllegalFunction)),
            (&[0, 0, 1, 0, 1], Err(IllegalFunction)),
            (&[7], Err(IllegalFunction)),
            (&[0x83, 0, 1, 0, 1], Err(IllegalFunction)),
            (&[1, 0, 19, 0x07, 0xD1], Err(IllegalValue)),
            (&[3, 0, 107, 0, 0], Err(IllegalValue)),
            (&[4, 0, 8, 0, 126], Err(IllegalValue)),
            (&[3, 0, 107, 0], Err(IllegalValue)),
            (&[3, 0, 107, 0, 3, 0], Err(IllegalValue)),
            (&[5, 0, 172, 0xFF, 1], Err(IllegalValue)),
            (&[15, 0, 19, 0, 9, 1, 0b101], Err(IllegalValue)),
            (&[16, 0, 1, 0, 2, 4, 0, 10, 1], Err(IllegalValue)),
            (&[16, 0, 1, 0, 1, 4, 0, 10, 1, 2], Err(IllegalValue)),
        ];
        for (pdu, expected) in table {
            assert_eq!(Request::read(pdu), expected, "{pdu:?}");
        }
    }

    #[test]
    fn addresses_end_at_65535() {
        assert_eq!(addresses(0xFFFF, 1), Ok(0xFFFF..=0xFFFF));
        assert_eq!(addresses(0xFFFF, 2), Err(IllegalAddress));
        assert_eq!(addresses(0, 0), Err(IllegalAddress));
    }

    #[test]
    fn answers_are_written_as_the_standard_reads_them() {
        assert_eq!(
            bits(1, &[true, false, true, true, false, false, true, true, true]),
            [1, 2, 0xCD, 1]
        );
        assert_eq!(registers(3, &[0x022B, 0, 100]), [3, 6, 2, 0x2B, 0, 0, 0, 100]);
        assert_eq!(confirmation(&[16, 0, 1, 0, 2, 4, 0, 10, 1, 2]), [16, 0, 1, 0, 2]);
        assert_eq!(refusal(3, IllegalAddress), [0x83, 2]);
    }
}
