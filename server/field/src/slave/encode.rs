//! From a value to the registers or the bit that show it; what does not fit stops at the end of the
//! range.

use protocol::reading::Value;

use crate::decode::order_word;
use crate::encode::order_double;
use crate::map::{DataType, Mapping};

/// The registers of the value, or 0 and 1 where its area holds bits.
pub(super) fn encode(mapping: &Mapping, value: Value) -> Vec<u16> {
    let is_on = match value {
        Value::Switch(on) => on,
        Value::Number(number) => number != 0.0,
    };
    if mapping.area.holds_bits() {
        return vec![u16::from(is_on)];
    }
    let order = mapping.byte_order;
    let raw = raw(mapping, value);
    match mapping.data_type {
        DataType::Bit => {
            let bit = u32::from(mapping.bit.unwrap_or(0));
            vec![order_word(order, u16::from(is_on).checked_shl(bit).unwrap_or(0))]
        }
        // `as` stops at both ends of the range.
        DataType::Uint16 => vec![order_word(order, raw.round() as u16)],
        DataType::Int16 => vec![order_word(order, (raw.round() as i16).cast_unsigned())],
        DataType::Uint32 => order_double(order, raw.round() as u32).to_vec(),
        DataType::Int32 => order_double(order, (raw.round() as i32).cast_unsigned()).to_vec(),
        DataType::Float32 => order_double(order, narrowed(raw).to_bits()).to_vec(),
    }
}

/// raw = (value − offset) / scale
fn raw(mapping: &Mapping, value: Value) -> f64 {
    let number = match value {
        Value::Number(number) => number,
        Value::Switch(on) => f64::from(u8::from(on)),
    };
    (number - mapping.offset) / mapping.scale
}

fn narrowed(raw: f64) -> f32 {
    raw.clamp(f32::MIN.into(), f32::MAX.into()) as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::{Cells, decode};
    use crate::map::{Area, ByteOrder};

    #[test]
    fn numbers_are_scaled_and_stop_at_the_ends() {
        // S0-3
        let tenths = Mapping { scale: 0.1, offset: -40.0, ..mapping(DataType::Uint16) };
        assert_eq!(encode(&tenths, Value::Number(25.5)), [655]);
        let table = [
            (DataType::Uint16, 70_000.0, vec![0xFFFF]),
            (DataType::Uint16, -1.0, vec![0]),
            (DataType::Int16, -40_000.0, vec![0x8000]),
            (DataType::Int16, 1e300, vec![0x7FFF]),
            (DataType::Uint32, 1e300, vec![0xFFFF, 0xFFFF]),
            (DataType::Int32, -1e300, vec![0x8000, 0]),
            (DataType::Float32, 1e300, vec![0x7F7F, 0xFFFF]),
            (DataType::Float32, -5.0, vec![0xC0A0, 0]),
            (DataType::Uint16, f64::NAN, vec![0]),
            (DataType::Int16, -0.5, vec![0xFFFF]),
        ];
        for (data_type, number, expected) in table {
            let registers = encode(&mapping(data_type), Value::Number(number));
            assert_eq!(registers, expected, "{number} as {data_type:?}");
        }
    }

    #[test]
    fn switches_are_bits_and_numbers() {
        let ninth = Mapping { bit: Some(9), ..mapping(DataType::Bit) };
        assert_eq!(encode(&ninth, Value::Switch(true)), [0x0200]);
        assert_eq!(encode(&ninth, Value::Switch(false)), [0]);
        assert_eq!(encode(&ninth, Value::Number(3.0)), [0x0200]);
        let swapped = Mapping { byte_order: ByteOrder::Ba, ..ninth };
        assert_eq!(encode(&swapped, Value::Switch(true)), [0x0002]);
        let coil = Mapping { area: Area::Coil, ..mapping(DataType::Bit) };
        assert_eq!(encode(&coil, Value::Switch(true)), [1]);
        assert_eq!(encode(&mapping(DataType::Uint16), Value::Switch(true)), [1]);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(number: i32, order in orders()) {
            let value = Value::Number(f64::from(number));
            let mapping = Mapping { byte_order: order, ..mapping(DataType::Int32) };
            let registers = Cells::Registers(encode(&mapping, value));
            prop_assert_eq!(decode(&mapping, &registers, 0), Ok(value));
        }

        #[test]
        fn any_value_takes_the_room_of_its_type(
            number: f64,
            data_type in data_types(),
            order in orders(),
            scale: f64,
            bit: Option<u8>,
        ) {
            let mapping = Mapping { byte_order: order, scale, bit, ..mapping(data_type) };
            let registers = encode(&mapping, Value::Number(number));
            prop_assert_eq!(registers.len(), usize::from(mapping.width()));
        }
    }

    fn orders() -> impl Strategy<Value = ByteOrder> {
        use ByteOrder::{Ab, Abcd, Ba, Badc, Cdab, Dcba};
        prop::sample::select(vec![Ab, Ba, Abcd, Dcba, Badc, Cdab])
    }

    fn data_types() -> impl Strategy<Value = DataType> {
        use DataType::{Bit, Float32, Int16, Int32, Uint16, Uint32};
        prop::sample::select(vec![Bit, Uint16, Int16, Uint32, Int32, Float32])
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
