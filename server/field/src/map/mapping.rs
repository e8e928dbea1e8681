//! The place of a value on its board.

use std::time::Duration;

use super::{ByteOrder, DataType};

/// Where one point lives and how its value is written there.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    pub area: Area,
    /// Counted from zero, as on the wire.
    pub address: u16,
    pub data_type: DataType,
    pub byte_order: ByteOrder,
    /// For a bit of a register: which one, from the lowest.
    pub bit: Option<u8>,
    /// value = raw × scale + offset
    pub scale: f64,
    pub offset: f64,
    /// How often it is read, where that is less often than its channel.
    pub poll: Option<Duration>,
    pub decimals: u8,
}

impl Mapping {
    /// The registers it takes, or the bits where its area holds bits.
    pub fn width(&self) -> u16 {
        match self.data_type {
            DataType::Bit | DataType::Uint16 | DataType::Int16 => 1,
            DataType::Uint32 | DataType::Int32 | DataType::Float32 => 2,
        }
    }

    /// Whether both have a register or a bit in common.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let span = |mapping: &Self| {
            let start = u32::from(mapping.address);
            start..start + u32::from(mapping.width())
        };
        let (ours, theirs) = (span(self), span(other));
        self.area == other.area && ours.start < theirs.end && theirs.start < ours.end
    }

    /// Whether a board can hold such a value at such a place.
    pub fn check(&self) -> Result<(), MappingError> {
        let is_bit = self.data_type == DataType::Bit;
        match (self.area.holds_bits(), self.bit) {
            (true, _) if !is_bit => return Err(MappingError::NumberInBits(self.area)),
            (true, Some(_)) => return Err(MappingError::BitOfBit(self.area)),
            (false, None) if is_bit => return Err(MappingError::WhichBit),
            (false, Some(_)) if !is_bit => return Err(MappingError::BitOfNumber),
            (false, Some(bit)) if bit > HIGHEST_BIT => return Err(MappingError::HighBit(bit)),
            _ => {}
        }
        if self.address.checked_add(self.width() - 1).is_none() {
            return Err(MappingError::BeyondEnd(self.address));
        }
        if !self.scale.is_normal() || !self.offset.is_finite() {
            return Err(MappingError::Scale { scale: self.scale, offset: self.offset });
        }
        Ok(())
    }
}

/// The four memories of a Modbus board.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Area {
    Coil,
    DiscreteInput,
    HoldingRegister,
    InputRegister,
}

impl Area {
    pub fn holds_bits(self) -> bool {
        matches!(self, Self::Coil | Self::DiscreteInput)
    }
}

/// Why a mapping cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MappingError {
    #[error("{0:?} holds single bits, so the data type must be bit")]
    NumberInBits(Area),
    #[error("{0:?} holds single bits, which have no bits of their own")]
    BitOfBit(Area),
    #[error("a bit of a register needs its number, 0 to {HIGHEST_BIT}")]
    WhichBit,
    #[error("a bit number goes with the data type bit only")]
    BitOfNumber,
    #[error("a register has no bit {0}, only 0 to {HIGHEST_BIT}")]
    HighBit(u8),
    #[error("the value at {0} reaches beyond the last register")]
    BeyondEnd(u16),
    #[error("scale {scale} and offset {offset} give no number")]
    Scale { scale: f64, offset: f64 },
}

const HIGHEST_BIT: u8 = 15;
