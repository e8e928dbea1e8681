//! Where each point lives on its board, and how the boards of a channel are reached.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use protocol::id::{ChannelId, DeviceId};

/// One field bus: how to reach it, how often, and the boards on it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelConfig {
    pub id: ChannelId,
    pub transport: Transport,
    /// From [`SHORTEST_POLL`] to [`LONGEST_POLL`].
    pub poll_interval: Duration,
    /// How long a board may take to answer; where not set, it follows the poll interval.
    pub timeout: Option<Duration>,
    pub targets: Vec<Target>,
}

impl ChannelConfig {
    /// Every value that is out of its range.
    pub fn mistakes(&self) -> Vec<RangeError> {
        let poll = check_poll_interval(self.poll_interval).err();
        let timeout = self.timeout.filter(|timeout| *timeout < SHORTEST_TIMEOUT);
        let mut mistakes: Vec<_> =
            poll.into_iter().chain(timeout.map(RangeError::Timeout)).collect();
        mistakes.extend(self.transport.mistakes());
        for target in &self.targets {
            let place = |(point, mapping): (usize, &Mapping)| {
                let mistake = mapping.check().err()?;
                let device = target.device.clone();
                Some(RangeError::Mapping { device, point, mistake })
            };
            mistakes.extend(target.mappings.iter().enumerate().filter_map(place));
            let feedback = target.feedback.iter().map(|(point, mapping)| (*point, mapping));
            mistakes.extend(feedback.filter_map(place));
        }
        mistakes
    }

    /// How long a board may take to answer while it is polled at `interval`.
    pub fn timeout_at(&self, interval: Duration) -> Duration {
        let usual = (interval / 2).min(LONGEST_USUAL_TIMEOUT);
        self.timeout.unwrap_or(usual).max(SHORTEST_TIMEOUT)
    }
}

/// The way to the boards of a channel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Transport {
    Tcp { host: String, port: u16 },
    Rtu { path: String, baud_rate: u32, data_bits: u8, stop_bits: u8, parity: Parity },
}

impl Transport {
    fn mistakes(&self) -> Vec<RangeError> {
        let Self::Rtu { baud_rate, data_bits, stop_bits, .. } = *self else { return Vec::new() };
        let table = [
            ((300..=4_000_000).contains(&baud_rate), RangeError::BaudRate(baud_rate)),
            ((5..=8).contains(&data_bits), RangeError::DataBits(data_bits)),
            ((1..=2).contains(&stop_bits), RangeError::StopBits(stop_bits)),
        ];
        table.into_iter().filter_map(|(right, mistake)| (!right).then_some(mistake)).collect()
    }
}

/// How a serial line guards each character.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Parity {
    #[default]
    None,
    Odd,
    Even,
}

/// One board of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub device: DeviceId,
    /// Its Modbus address on the channel.
    pub unit: u8,
    /// In the order of [`protocol::point::Device::points`].
    pub mappings: Vec<Mapping>,
    /// Where the plant shows what came of a write, of points that are not read back where they are
    /// written; by their place in `mappings`.
    pub feedback: BTreeMap<usize, Mapping>,
}

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

/// How a value is written in its registers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DataType {
    Bit,
    Uint16,
    Int16,
    Uint32,
    Int32,
    Float32,
}

/// In which order the bytes of a value come over the wire; `A` is the most significant.
///
/// In one register only the order of its two bytes counts (`Cdab` is `Ab`; `Badc` and `Dcba` are
/// `Ba`); in two, `Ab` is `Abcd` and `Ba` is `Badc`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ByteOrder {
    Ab,
    Ba,
    Abcd,
    Dcba,
    Badc,
    Cdab,
}

/// A word that is none of those a point table may hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WordError {
    #[error("`{0}` is no data type: bit, uint16, int16, uint32, int32 or float32")]
    DataType(String),
    #[error("`{0}` is no byte order: AB, BA, ABCD, DCBA, BADC or CDAB")]
    ByteOrder(String),
}

impl FromStr for DataType {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "bool" | "bit" => Self::Bit,
            "uint16" => Self::Uint16,
            "int16" => Self::Int16,
            "uint32" => Self::Uint32,
            "int32" => Self::Int32,
            "float32" => Self::Float32,
            _ => return Err(WordError::DataType(text.into())),
        })
    }
}

impl FromStr for ByteOrder {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        Ok(match text.to_ascii_uppercase().as_str() {
            "AB" => Self::Ab,
            "BA" => Self::Ba,
            "ABCD" => Self::Abcd,
            "DCBA" => Self::Dcba,
            "BADC" => Self::Badc,
            "CDAB" => Self::Cdab,
            _ => return Err(WordError::ByteOrder(text.into())),
        })
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

/// Why a channel cannot be polled as configured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RangeError {
    #[error("poll interval {0:?} is not from {SHORTEST_POLL:?} to {LONGEST_POLL:?}")]
    PollInterval(Duration),
    #[error("time-out {0:?} is shorter than {SHORTEST_TIMEOUT:?}")]
    Timeout(Duration),
    #[error("no serial line runs at {0} baud")]
    BaudRate(u32),
    #[error("a character has 5 to 8 data bits, not {0}")]
    DataBits(u8),
    #[error("a character has 1 or 2 stop bits, not {0}")]
    StopBits(u8),
    #[error("point {point} of device {device}: {mistake}")]
    Mapping {
        device: DeviceId,
        /// Its place in [`Target::mappings`].
        point: usize,
        mistake: MappingError,
    },
}

/// Whether a channel may be polled at this interval, at the start and later.
pub fn check_poll_interval(interval: Duration) -> Result<(), RangeError> {
    if (SHORTEST_POLL..=LONGEST_POLL).contains(&interval) {
        Ok(())
    } else {
        Err(RangeError::PollInterval(interval))
    }
}

/// S0-11: an operator may set any interval between these two.
pub const SHORTEST_POLL: Duration = Duration::from_millis(100);
pub const LONGEST_POLL: Duration = Duration::from_secs(10);
/// S0-10
pub const USUAL_POLL: Duration = Duration::from_secs(1);

/// A board that needs longer is told apart from a dead one by configuration only.
const LONGEST_USUAL_TIMEOUT: Duration = Duration::from_millis(200);

/// Below this, a busy network alone would look like a dead board.
pub const SHORTEST_TIMEOUT: Duration = Duration::from_millis(50);

const HIGHEST_BIT: u8 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTER: Mapping = Mapping {
        area: Area::HoldingRegister,
        address: 5,
        data_type: DataType::Uint16,
        byte_order: ByteOrder::Ab,
        bit: None,
        scale: 0.1,
        offset: 0.0,
        poll: None,
        decimals: 1,
    };

    #[test]
    fn mappings_that_no_board_can_hold_are_refused() {
        let bit = Mapping { data_type: DataType::Bit, bit: Some(3), ..REGISTER };
        let coil = Mapping { area: Area::Coil, bit: None, ..bit.clone() };
        let long = Mapping { data_type: DataType::Float32, ..REGISTER };
        let table = [
            (REGISTER, Ok(())),
            (bit.clone(), Ok(())),
            (coil.clone(), Ok(())),
            (
                Mapping { data_type: DataType::Int32, ..coil.clone() },
                Err(MappingError::NumberInBits(Area::Coil)),
            ),
            (Mapping { bit: Some(0), ..coil }, Err(MappingError::BitOfBit(Area::Coil))),
            (Mapping { bit: None, ..bit.clone() }, Err(MappingError::WhichBit)),
            (Mapping { bit: Some(0), ..REGISTER }, Err(MappingError::BitOfNumber)),
            (Mapping { bit: Some(16), ..bit }, Err(MappingError::HighBit(16))),
            (Mapping { address: 65_534, ..long.clone() }, Ok(())),
            (Mapping { address: 65_535, ..long }, Err(MappingError::BeyondEnd(65_535))),
            (
                Mapping { scale: 0.0, ..REGISTER },
                Err(MappingError::Scale { scale: 0.0, offset: 0.0 }),
            ),
        ];
        for (mapping, expected) in table {
            assert_eq!(mapping.check(), expected, "{mapping:?}");
        }
    }

    #[test]
    fn a_channel_tells_all_its_mistakes_at_once() {
        let config = ChannelConfig {
            poll_interval: Duration::from_millis(99),
            timeout: Some(Duration::from_millis(49)),
            ..channel(Mapping { scale: f64::NAN, ..REGISTER })
        };
        let mistakes = config.mistakes();
        assert!(matches!(
            mistakes.as_slice(),
            [
                RangeError::PollInterval(_),
                RangeError::Timeout(_),
                RangeError::Mapping { point: 0, mistake: MappingError::Scale { .. }, .. }
            ]
        ));
        assert_eq!(channel(REGISTER).mistakes(), []);
    }

    #[test]
    fn a_serial_line_has_its_own_ranges() {
        let line = |baud_rate, data_bits, stop_bits| Transport::Rtu {
            path: "/dev/ttyS0".into(),
            baud_rate,
            data_bits,
            stop_bits,
            parity: Parity::Even,
        };
        let wrong = [RangeError::BaudRate(0), RangeError::DataBits(9), RangeError::StopBits(0)];
        for (transport, expected) in [(line(9600, 8, 1), vec![]), (line(0, 9, 0), wrong.to_vec())] {
            let config = ChannelConfig { transport, ..channel(REGISTER) };
            assert_eq!(config.mistakes(), expected, "{:?}", config.transport);
        }
    }

    #[test]
    fn the_time_out_follows_the_poll_interval() {
        let config = channel(REGISTER);
        let table = [(100, 50), (200, 100), (1_000, 200), (10_000, 200), (10, 50)];
        for (interval, expected) in table {
            let timeout = config.timeout_at(Duration::from_millis(interval));
            assert_eq!(timeout, Duration::from_millis(expected), "at {interval} ms");
        }
        let patient = ChannelConfig { timeout: Some(Duration::from_secs(2)), ..config };
        assert_eq!(patient.timeout_at(Duration::from_millis(100)), Duration::from_secs(2));
    }

    #[test]
    fn data_types_and_byte_orders_are_read_in_any_case() {
        assert_eq!("bool".parse(), Ok(DataType::Bit));
        assert_eq!("FLOAT32".parse(), Ok(DataType::Float32));
        assert_eq!("cdab".parse(), Ok(ByteOrder::Cdab));
        assert_eq!("double".parse::<DataType>(), Err(WordError::DataType("double".into())));
        assert_eq!("ACBD".parse::<ByteOrder>(), Err(WordError::ByteOrder("ACBD".into())));
    }

    fn channel(mapping: Mapping) -> ChannelConfig {
        ChannelConfig {
            id: ChannelId(1),
            transport: Transport::Tcp { host: "localhost".into(), port: 502 },
            poll_interval: USUAL_POLL,
            timeout: None,
            targets: vec![Target {
                device: "board-1".parse().unwrap(),
                unit: 1,
                mappings: vec![mapping],
                feedback: BTreeMap::new(),
            }],
        }
    }
}
