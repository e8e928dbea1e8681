//! Register addresses in the notations that people write them in.

use std::fmt;

use field::map::Area;

use crate::finding::shown;

/// How an address was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Notation {
    /// `0x0005`, counted from zero.
    Hexadecimal,
    /// `5`, counted from zero.
    Decimal,
    /// `40001`, `400001` or `4x0001`: the area's digit, then a number counted from one.
    Modicon(Area),
}

impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hexadecimal => f.write_str("hexadecimal, counted from 0"),
            Self::Decimal => f.write_str("decimal, counted from 0"),
            Self::Modicon(area) => {
                let digit = digit(*area);
                write!(f, "{digit}x notation: {} registers counted from 1", short(*area))
            }
        }
    }
}

/// The address counted from zero, as on the wire; it must lie in `area`.
pub(crate) fn address(text: &str, area: Area) -> Result<u16, String> {
    let (notation, number) = noted(text, area)?;
    match notation {
        Notation::Modicon(meant) if meant != area => {
            let (hint, taken) = (plain(text).unwrap_or_default(), taken(text, notation));
            Err(format!("{taken}, but the area is {}{hint}", short(area)))
        }
        _ => zero_based(text, notation, number),
    }
}

/// The same in the area that the notation names, or else in `area`.
pub(super) fn place(text: &str, area: Area) -> Result<(Area, u16), String> {
    let (notation, number) = noted(text, area)?;
    let named = match notation {
        Notation::Modicon(named) => named,
        Notation::Decimal | Notation::Hexadecimal => area,
    };
    Ok((named, zero_based(text, notation, number)?))
}

fn noted(text: &str, area: Area) -> Result<(Notation, u32), String> {
    read(text, area)
        .ok_or_else(|| format!("{} is no address: write 40001, 4x0001, 0x0000 or 0", shown(text)))
}

fn zero_based(text: &str, notation: Notation, number: u32) -> Result<u16, String> {
    let zero_based = match notation {
        Notation::Modicon(_) => number.checked_sub(1),
        Notation::Decimal | Notation::Hexadecimal => Some(number),
    };
    let address = zero_based.and_then(|number| u16::try_from(number).ok());
    address.ok_or_else(|| {
        let taken = taken(text, notation);
        format!("{taken}; addresses end at 65535 and registers begin at 1")
    })
}

fn taken(text: &str, notation: Notation) -> String {
    format!("{} was taken as {notation}", shown(text))
}

fn read(text: &str, area: Area) -> Option<(Notation, u32)> {
    let text = text.trim().to_ascii_lowercase();
    if let Some(hex) = text.strip_prefix("0x") {
        let plain = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| plain)?;
        return Some((Notation::Hexadecimal, number));
    }
    if let Some((first, rest)) = text.split_once('x') {
        return Some((Notation::Modicon(of_digit(first)?), digits(rest)?));
    }
    let number = digits(&text)?;
    let meant = matches!(text.len(), 5 | 6).then(|| of_digit(&text[..1])).flatten();
    match meant {
        Some(meant) if is_modicon(&text[1..], meant, area) => {
            Some((Notation::Modicon(meant), digits(&text[1..])?))
        }
        _ => Some((Notation::Decimal, number)),
    }
}

/// `40000` is a plain number, because nothing counted from one is zero; and outside of the coils
/// `00005` is a five with zeros before it.
fn is_modicon(rest: &str, meant: Area, area: Area) -> bool {
    let counts_from_one = rest.bytes().any(|byte| byte != b'0');
    let is_padded = meant == Area::Coil && area != Area::Coil;
    counts_from_one && !is_padded
}

/// How to write the same digits where they were meant to count from zero.
fn plain(text: &str) -> Option<String> {
    let number = u16::try_from(digits(text.trim())?).ok()?;
    Some(format!("; write {number:#06x} for register {number} counted from 0"))
}

fn digits(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

fn of_digit(text: &str) -> Option<Area> {
    AREAS.iter().find(|(_, _, digit)| *digit == text).map(|(area, ..)| *area)
}

fn digit(area: Area) -> &'static str {
    AREAS.iter().find(|(known, ..)| *known == area).map_or("", |(.., digit)| digit)
}

/// The area's name in a point table.
pub(crate) fn short(area: Area) -> &'static str {
    AREAS.iter().find(|(known, ..)| *known == area).map_or("", |(_, name, _)| name)
}

/// The names of the areas, and the digits that stand for them in front of an address.
pub(crate) const AREAS: [(Area, &str, &str); 4] = [
    (Area::Coil, "co", "0"),
    (Area::DiscreteInput, "di", "1"),
    (Area::InputRegister, "ir", "3"),
    (Area::HoldingRegister, "hr", "4"),
];

#[cfg(test)]
mod tests {
    use super::*;

    use Area::{Coil, DiscreteInput, HoldingRegister, InputRegister};

    #[test]
    fn every_notation_counts_from_zero_in_the_end() {
        let table = [
            ("40001", HoldingRegister, 0),
            ("400001", HoldingRegister, 0),
            ("465536", HoldingRegister, 65_535),
            ("4x0001", HoldingRegister, 0),
            ("4X00042", HoldingRegister, 41),
            ("30010", InputRegister, 9),
            ("10001", DiscreteInput, 0),
            ("00001", Coil, 0),
            ("0x0000", HoldingRegister, 0),
            ("0x2200", HoldingRegister, 0x2200),
            ("0x0101", Coil, 0x0101),
            ("0", HoldingRegister, 0),
            ("5", InputRegister, 5),
            ("4001", HoldingRegister, 4001),
            ("00005", HoldingRegister, 5),
            ("40000", HoldingRegister, 40_000),
            ("65535", HoldingRegister, 65_535),
            ("20001", HoldingRegister, 20_001),
        ];
        for (text, area, expected) in table {
            assert_eq!(address(text, area), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_place_is_in_the_area_that_its_notation_names() {
        let table = [
            ("30010", HoldingRegister, (InputRegister, 9)),
            ("1x0002", Coil, (DiscreteInput, 1)),
            ("40001", HoldingRegister, (HoldingRegister, 0)),
            ("0x2711", HoldingRegister, (HoldingRegister, 10_001)),
            ("10001", HoldingRegister, (DiscreteInput, 0)),
            ("5", Coil, (Coil, 5)),
            // Only of a coil they are no zeros before a five.
            ("00005", Coil, (Coil, 4)),
            ("00005", HoldingRegister, (HoldingRegister, 5)),
        ];
        for (text, area, expected) in table {
            assert_eq!(place(text, area), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_wrong_address_is_told_with_what_was_assumed() {
        let table = [
            (
                "40001",
                InputRegister,
                "`40001` was taken as 4x notation: hr registers counted from 1, but the area is ir; \
                 write 0x9c41 for register 40001 counted from 0",
            ),
            (
                "1x0001",
                Coil,
                "`1x0001` was taken as 1x notation: di registers counted from 1, but the area is co",
            ),
            (
                "0x10000",
                HoldingRegister,
                "`0x10000` was taken as hexadecimal, counted from 0; addresses end at 65535 and \
                 registers begin at 1",
            ),
            (
                "4x0",
                HoldingRegister,
                "`4x0` was taken as 4x notation: hr registers counted from 1; addresses end at \
                 65535 and registers begin at 1",
            ),
            (
                "70000",
                HoldingRegister,
                "`70000` was taken as decimal, counted from 0; addresses end at 65535 and \
                 registers begin at 1",
            ),
            ("", Coil, "`` is no address: write 40001, 4x0001, 0x0000 or 0"),
            ("-1", Coil, "`-1` is no address: write 40001, 4x0001, 0x0000 or 0"),
            ("2x1", Coil, "`2x1` is no address: write 40001, 4x0001, 0x0000 or 0"),
            ("0x+1", Coil, "`0x+1` is no address: write 40001, 4x0001, 0x0000 or 0"),
            ("表", Coil, "`表` is no address: write 40001, 4x0001, 0x0000 or 0"),
        ];
        for (text, area, expected) in table {
            assert_eq!(address(text, area), Err(expected.to_owned()), "{text}");
        }
    }
}
