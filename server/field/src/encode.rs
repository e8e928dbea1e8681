//! Values into registers and bits: what [`crate::decode`] reads, written.

use protocol::reading::Value;

use crate::decode::{Cells, decode, order_word};
use crate::map::{Area, ByteOrder, DataType, Mapping};
use crate::modbus::Form;

/// What is to be written from one address on: coils where the cells are bits, else registers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Write {
    pub address: u16,
    pub cells: Cells,
}

impl Write {
    /// The shortest form that Modbus has for it.
    pub fn form(&self) -> Form {
        if self.cells.len() == 1 { Form::One } else { Form::Many }
    }
}

/// How a point gets its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// By these cells, whatever was there.
    Whole(Cells),
    /// By some bits of one register; the others stay as they are.
    Bits(Bits),
}

/// The bits of `mask`, switched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bits {
    pub mask: u16,
    pub on: bool,
}

impl Bits {
    /// The register once it is changed.
    pub fn apply(self, register: u16) -> u16 {
        if self.on { register | self.mask } else { register & !self.mask }
    }
}

/// Why a point cannot be given a value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EncodeError {
    #[error("a board's {0:?} cannot be written")]
    ReadOnly(Area),
    #[error("the point is a switch, ON or OFF, and cannot be {0}")]
    NoSwitch(Value),
    #[error("the point is a number and cannot be {0}")]
    NoNumber(Value),
    #[error("{value} is beyond what {data_type:?} holds here")]
    TooFar { value: Value, data_type: DataType },
    #[error("the point cannot be {value}, only {nearest}")]
    BetweenSteps { value: Value, nearest: Value },
}

/// What gives the point this value; a value that would not be read back as it is is refused.
pub fn encode(mapping: &Mapping, value: Value) -> Result<Change, EncodeError> {
    match (mapping.area, mapping.data_type, value) {
        (Area::DiscreteInput | Area::InputRegister, ..) => Err(EncodeError::ReadOnly(mapping.area)),
        (Area::Coil, DataType::Bit, Value::Switch(on)) => Ok(Change::Whole(Cells::Bits(vec![on]))),
        (_, DataType::Bit, Value::Switch(on)) => {
            let bit = u32::from(mapping.bit.unwrap_or(0));
            let mask = 1u16.checked_shl(bit).unwrap_or(0);
            Ok(Change::Bits(Bits { mask: order_word(mapping.byte_order, mask), on }))
        }
        (_, DataType::Bit, number) => Err(EncodeError::NoSwitch(number)),
        (_, _, Value::Number(number)) => encode_number(mapping, number),
        (_, _, switch) => Err(EncodeError::NoNumber(switch)),
    }
}

fn encode_number(mapping: &Mapping, number: f64) -> Result<Change, EncodeError> {
    let value = Value::Number(number).rounded(mapping.decimals);
    let too_far = || EncodeError::TooFar { value, data_type: mapping.data_type };
    let raw = value.number().map(|number| (number - mapping.offset) / mapping.scale);
    let raw = raw.filter(|raw| raw.is_finite()).ok_or_else(too_far)?;
    let cells = Cells::Registers(registers(mapping, raw).ok_or_else(too_far)?);
    match decode(mapping, &cells, 0) {
        Ok(nearest) if nearest == value => Ok(Change::Whole(cells)),
        Ok(nearest) => Err(EncodeError::BetweenSteps { value, nearest }),
        Err(_) => Err(too_far()),
    }
}

/// `None` where the type does not reach so far.
fn registers(mapping: &Mapping, raw: f64) -> Option<Vec<u16>> {
    let order = mapping.byte_order;
    let word = |word| vec![order_word(order, word)];
    let double = |double| order_double(order, double).to_vec();
    // `as` stops at the ends of i64, which no register reaches.
    let whole = raw.round() as i64;
    match mapping.data_type {
        DataType::Bit => None,
        DataType::Uint16 => u16::try_from(whole).ok().map(word),
        DataType::Int16 => i16::try_from(whole).ok().map(i16::cast_unsigned).map(word),
        DataType::Uint32 => u32::try_from(whole).ok().map(double),
        DataType::Int32 => i32::try_from(whole).ok().map(i32::cast_unsigned).map(double),
        DataType::Float32 => {
            Some(raw as f32).filter(|raw| raw.is_finite()).map(f32::to_bits).map(double)
        }
    }
}

pub(crate) fn order_double(order: ByteOrder, double: u32) -> [u16; 2] {
    let (high, low) = ((double >> 16) as u16, (double & 0xFFFF) as u16);
    match order {
        ByteOrder::Ab | ByteOrder::Abcd => [high, low],
        ByteOrder::Ba | ByteOrder::Badc => [high.swap_bytes(), low.swap_bytes()],
        ByteOrder::Cdab => [low, high],
        ByteOrder::Dcba => [low.swap_bytes(), high.swap_bytes()],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_and_what_writes_them() {
        let tenths = Mapping { scale: 0.1, offset: -40.0, ..mapping(DataType::Uint16) };
        let signed = Mapping { scale: 0.1, ..mapping(DataType::Int16) };
        let swapped = Mapping { byte_order: ByteOrder::Ba, ..mapping(DataType::Uint16) };
        let float = Mapping { byte_order: ByteOrder::Cdab, ..mapping(DataType::Float32) };
        let table = [
            (tenths, 25.5, vec![655]),
            (signed.clone(), 32.0, vec![320]),
            (signed.clone(), -0.1, vec![0xFFFF]),
            // Rounded as it is when it is read.
            (signed, 32.04, vec![320]),
            (swapped, 1.0, vec![0x0100]),
            (mapping(DataType::Uint32), 65_538.0, vec![1, 2]),
            (mapping(DataType::Int32), -1.0, vec![0xFFFF, 0xFFFF]),
            (float, -5.0, vec![0, 0xC0A0]),
        ];
        for (mapping, number, expected) in table {
            let change = encode(&mapping, Value::Number(number));
            assert_eq!(change, Ok(Change::Whole(Cells::Registers(expected))), "{number}");
        }
    }

    #[test]
    fn a_switch_is_a_coil_or_a_bit_of_a_register() {
        let coil = Mapping { area: Area::Coil, ..mapping(DataType::Bit) };
        let on = encode(&coil, Value::Switch(true));
        assert_eq!(on, Ok(Change::Whole(Cells::Bits(vec![true]))));
        let ninth = Mapping { bit: Some(9), ..mapping(DataType::Bit) };
        let off = encode(&ninth, Value::Switch(false));
        assert_eq!(off, Ok(Change::Bits(Bits { mask: 0x0200, on: false })));
        let swapped = Mapping { byte_order: ByteOrder::Ba, ..ninth };
        let on = encode(&swapped, Value::Switch(true));
        assert_eq!(on, Ok(Change::Bits(Bits { mask: 0x0002, on: true })));
        assert_eq!(Bits { mask: 0x0200, on: true }.apply(0x0001), 0x0201);
        assert_eq!(Bits { mask: 0x0200, on: false }.apply(0x0301), 0x0101);
    }

    #[test]
    fn what_cannot_be_is_told_in_words() {
        // S0-27
        let number = Value::Number;
        let input = Mapping { area: Area::InputRegister, ..mapping(DataType::Uint16) };
        let tens = Mapping { scale: 10.0, ..mapping(DataType::Uint16) };
        let steep = Mapping { scale: 1e-300, ..mapping(DataType::Float32) };
        let far = |value| format!("{value} is beyond what Uint16 holds here");
        let table = [
            (input, number(1.0), "a board's InputRegister cannot be written".into()),
            (mapping(DataType::Uint16), number(65_536.0), far("65536")),
            (mapping(DataType::Uint16), number(-1.0), far("-1")),
            (mapping(DataType::Uint16), number(f64::NAN), far("NaN")),
            (mapping(DataType::Uint16), number(f64::INFINITY), far("inf")),
            (steep, number(1e10), "10000000000 is beyond what Float32 holds here".into()),
            (tens, number(25.0), "the point cannot be 25, only 30".into()),
            (mapping(DataType::Uint16), number(2.5), "the point cannot be 2.5, only 3".into()),
            (
                mapping(DataType::Uint16),
                Value::Switch(true),
                "the point is a number and cannot be ON".into(),
            ),
            (
                mapping(DataType::Bit),
                number(1.0),
                "the point is a switch, ON or OFF, and cannot be 1".into(),
            ),
        ];
        for (mapping, value, expected) in table {
            let refused = encode(&mapping, value).unwrap_err().to_string();
            assert_eq!(refused, expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_as_it_was_meant(mapping in mappings(), number: f64) {
            if let Ok(Change::Whole(cells)) = encode(&mapping, Value::Number(number)) {
                let read = decode(&mapping, &cells, 0);
                prop_assert_eq!(read, Ok(Value::Number(number).rounded(mapping.decimals)));
            }
        }

        #[test]
        fn whatever_a_board_can_show_can_be_written(
            mapping in mappings(),
            registers in prop::collection::vec(any::<u16>(), 2),
        ) {
            let shown = decode(&mapping, &Cells::Registers(registers), 0).ok();
            // Beyond it, tenths of a float are noise.
            let is_exact = |value: &Value| value.number().is_some_and(|number| number.abs() < 1e12);
            if let Some(value) = shown.filter(is_exact) {
                let change = encode(&mapping, value);
                prop_assert!(matches!(change, Ok(Change::Whole(_))), "{}: {:?}", value, change);
            }
        }
    }

    fn mappings() -> impl Strategy<Value = Mapping> {
        use ByteOrder::{Ab, Abcd, Ba, Badc, Cdab, Dcba};
        use DataType::{Float32, Int16, Int32, Uint16, Uint32};
        let types = prop::sample::select(vec![Uint16, Int16, Uint32, Int32, Float32]);
        let orders = prop::sample::select(vec![Ab, Ba, Abcd, Dcba, Badc, Cdab]);
        let scales = prop::sample::select(vec![1.0, 0.1, 0.5, 10.0, -1.0]);
        let offsets = prop::sample::select(vec![0.0, -40.0, 0.5]);
        (types, orders, scales, offsets).prop_map(|(data_type, byte_order, scale, offset)| {
            Mapping { byte_order, scale, offset, ..mapping(data_type) }
        })
    }

    fn mapping(data_type: DataType) -> Mapping {
        Mapping {
            area: Area::HoldingRegister,
            address: 0,
            data_type,
            byte_order: ByteOrder::Abcd,
            bit: None,
            scale: 1.0,
            offset: 0.0,
            poll: None,
            decimals: 1,
        }
    }
}
