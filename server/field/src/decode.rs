//! Registers and bits into values.

use protocol::reading::{Reason, Value};

use crate::map::{ByteOrder, DataType, Mapping};

/// What a board answered to one read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cells {
    Bits(Vec<bool>),
    Registers(Vec<u16>),
}

impl Cells {
    pub fn len(&self) -> usize {
        match self {
            Self::Bits(bits) => bits.len(),
            Self::Registers(registers) => registers.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The value of the point that starts at place `at` of `cells`.
pub fn decode(mapping: &Mapping, cells: &Cells, at: usize) -> Result<Value, Reason> {
    match cells {
        Cells::Bits(bits) => bits.get(at).copied().map(Value::Switch).ok_or(Reason::ShortAnswer),
        Cells::Registers(registers) => {
            let registers = registers.get(at..).unwrap_or_default();
            decode_registers(mapping, registers).ok_or(Reason::ShortAnswer)?
        }
    }
}

/// `None` where the registers end before the value does.
fn decode_registers(mapping: &Mapping, registers: &[u16]) -> Option<Result<Value, Reason>> {
    let word = || registers.first().map(|&word| order_word(mapping.byte_order, word));
    let double = || match registers {
        [first, second, ..] => Some(order_double(mapping.byte_order, *first, *second)),
        _ => None,
    };
    let raw = match mapping.data_type {
        DataType::Bit => {
            let bit = u32::from(mapping.bit.unwrap_or(0));
            let mask = 1u16.checked_shl(bit).unwrap_or(0);
            return Some(Ok(Value::Switch(word()? & mask != 0)));
        }
        DataType::Uint16 => f64::from(word()?),
        DataType::Int16 => f64::from(word()?.cast_signed()),
        DataType::Uint32 => f64::from(double()?),
        DataType::Int32 => f64::from(double()?.cast_signed()),
        DataType::Float32 => f64::from(f32::from_bits(double()?)),
    };
    Some(scale(mapping, raw))
}

fn scale(mapping: &Mapping, raw: f64) -> Result<Value, Reason> {
    let number = raw * mapping.scale + mapping.offset;
    if number.is_finite() {
        Ok(Value::Number(number).rounded(mapping.decimals))
    } else {
        Err(Reason::NotANumber)
    }
}

pub(crate) fn order_word(order: ByteOrder, word: u16) -> u16 {
    match order {
        ByteOrder::Ab | ByteOrder::Abcd | ByteOrder::Cdab => word,
        ByteOrder::Ba | ByteOrder::Badc | ByteOrder::Dcba => word.swap_bytes(),
    }
}

fn order_double(order: ByteOrder, first: u16, second: u16) -> u32 {
    let (high, low) = match order {
        ByteOrder::Ab | ByteOrder::Abcd => (first, second),
        ByteOrder::Ba | ByteOrder::Badc => (first.swap_bytes(), second.swap_bytes()),
        ByteOrder::Cdab => (second, first),
        ByteOrder::Dcba => (second.swap_bytes(), first.swap_bytes()),
    };
    u32::from(high) << 16 | u32::from(low)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::map::Area;

    #[test]
    fn each_byte_order_reads_the_same_number_from_its_own_bytes() {
        // The number 0xA1B2C3D4 as A, B, C, D = A1, B2, C3, D4.
        let table = [
            (ByteOrder::Abcd, [0xA1B2, 0xC3D4]),
            (ByteOrder::Dcba, [0xD4C3, 0xB2A1]),
            (ByteOrder::Badc, [0xB2A1, 0xD4C3]),
            (ByteOrder::Cdab, [0xC3D4, 0xA1B2]),
            (ByteOrder::Ab, [0xA1B2, 0xC3D4]),
            (ByteOrder::Ba, [0xB2A1, 0xD4C3]),
        ];
        for (order, registers) in table {
            let value = decode_as(DataType::Uint32, order, &registers);
            assert_eq!(value, Ok(Value::Number(f64::from(0xA1B2_C3D4_u32))), "{order:?}");
        }
        for (order, register) in [(ByteOrder::Ab, 0xA1B2), (ByteOrder::Ba, 0xB2A1)] {
            let value = decode_as(DataType::Uint16, order, &[register]);
            assert_eq!(value, Ok(Value::Number(f64::from(0xA1B2_u16))), "{order:?}");
        }
    }

    #[test]
    fn each_data_type_reads_its_extremes() {
        let table = [
            (DataType::Uint16, vec![0xFFFF], 65_535.0),
            (DataType::Int16, vec![0xFFFF], -1.0),
            (DataType::Int16, vec![0x8000], -32_768.0),
            (DataType::Uint32, vec![0xFFFF, 0xFFFF], 4_294_967_295.0),
            (DataType::Int32, vec![0x8000, 0], -2_147_483_648.0),
            (DataType::Float32, vec![0xC0A0, 0], -5.0),
        ];
        for (data_type, registers, expected) in table {
            let value = decode_as(data_type, ByteOrder::Abcd, &registers);
            assert_eq!(value, Ok(Value::Number(expected)), "{data_type:?}");
        }
    }

    #[test]
    fn values_are_scaled_shifted_and_rounded() {
        // S0-3
        let scaled = Mapping { scale: 0.1, offset: -40.0, ..mapping(DataType::Uint16) };
        let registers = Cells::Registers(vec![655]);
        assert_eq!(decode(&scaled, &registers, 0), Ok(Value::Number(25.5)));
        let coarse = Mapping { scale: 0.01, ..mapping(DataType::Uint16) };
        assert_eq!(decode(&coarse, &registers, 0), Ok(Value::Number(6.6)));
    }

    #[test]
    fn what_is_no_number_says_so() {
        for bits in [f32::NAN.to_bits(), f32::INFINITY.to_bits(), f32::NEG_INFINITY.to_bits()] {
            let registers = [(bits >> 16) as u16, bits as u16];
            let value = decode_as(DataType::Float32, ByteOrder::Abcd, &registers);
            assert_eq!(value, Err(Reason::NotANumber), "{bits:#x}");
        }
        let steep = Mapping { scale: 1e308, ..mapping(DataType::Uint32) };
        let value = decode(&steep, &Cells::Registers(vec![0xFFFF, 0xFFFF]), 0);
        assert_eq!(value, Err(Reason::NotANumber));
    }

    #[test]
    fn bits_come_from_words_and_from_coils() {
        // S0-4
        let ninth = Mapping { bit: Some(9), ..mapping(DataType::Bit) };
        assert_eq!(decode(&ninth, &Cells::Registers(vec![0x0200]), 0), Ok(Value::Switch(true)));
        assert_eq!(decode(&ninth, &Cells::Registers(vec![0xFDFF]), 0), Ok(Value::Switch(false)));
        let swapped = Mapping { byte_order: ByteOrder::Ba, ..ninth };
        assert_eq!(decode(&swapped, &Cells::Registers(vec![0x0002]), 0), Ok(Value::Switch(true)));
        let coil = Mapping { area: Area::Coil, ..mapping(DataType::Bit) };
        assert_eq!(decode(&coil, &Cells::Bits(vec![false, true]), 1), Ok(Value::Switch(true)));
    }

    #[test]
    fn a_value_beyond_the_answer_is_a_short_answer() {
        let table = [
            (mapping(DataType::Uint16), Cells::Registers(vec![]), 0),
            (mapping(DataType::Float32), Cells::Registers(vec![1, 2]), 1),
            (mapping(DataType::Uint16), Cells::Registers(vec![1]), usize::MAX),
            (mapping(DataType::Bit), Cells::Bits(vec![true]), 1),
        ];
        for (mapping, cells, at) in table {
            let value = decode(&mapping, &cells, at);
            assert_eq!(value, Err(Reason::ShortAnswer), "{cells:?} at {at}");
        }
    }

    proptest! {
        #[test]
        fn a_number_comes_back_from_its_bytes(number: u32, order in orders()) {
            let registers = encode(order, number);
            let value = decode_as(DataType::Uint32, order, &registers);
            prop_assert_eq!(value, Ok(Value::Number(f64::from(number))));
            let value = decode_as(DataType::Int32, order, &registers);
            prop_assert_eq!(value, Ok(Value::Number(f64::from(number.cast_signed()))));
        }

        #[test]
        fn any_registers_decode_to_a_finite_value_or_a_reason(
            registers in prop::collection::vec(any::<u16>(), 0..4),
            data_type in data_types(),
            order in orders(),
            bit: Option<u8>,
            at in 0..5usize,
        ) {
            let mapping = Mapping { byte_order: order, bit, ..mapping(data_type) };
            if let Ok(Value::Number(number)) = decode(&mapping, &Cells::Registers(registers), at) {
                prop_assert!(number.is_finite());
            }
        }
    }

    /// Puts the bytes where the letters of the order say.
    fn encode(order: ByteOrder, number: u32) -> Vec<u16> {
        let letters = match order {
            ByteOrder::Ab | ByteOrder::Abcd => [0, 1, 2, 3],
            ByteOrder::Ba | ByteOrder::Badc => [1, 0, 3, 2],
            ByteOrder::Cdab => [2, 3, 0, 1],
            ByteOrder::Dcba => [3, 2, 1, 0],
        };
        let bytes = letters.map(|letter: usize| number.to_be_bytes()[letter]);
        bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    fn orders() -> impl Strategy<Value = ByteOrder> {
        prop::sample::select(vec![
            ByteOrder::Ab,
            ByteOrder::Ba,
            ByteOrder::Abcd,
            ByteOrder::Dcba,
            ByteOrder::Badc,
            ByteOrder::Cdab,
        ])
    }

    fn data_types() -> impl Strategy<Value = DataType> {
        prop::sample::select(vec![
            DataType::Bit,
            DataType::Uint16,
            DataType::Int16,
            DataType::Uint32,
            DataType::Int32,
            DataType::Float32,
        ])
    }

    fn decode_as(
        data_type: DataType,
        byte_order: ByteOrder,
        registers: &[u16],
    ) -> Result<Value, Reason> {
        let mapping = Mapping { byte_order, ..mapping(data_type) };
        decode(&mapping, &Cells::Registers(registers.to_vec()), 0)
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
