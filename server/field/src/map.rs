//! Where each point lives on its board, and how the boards of a channel are reached.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::id::{ChannelId, DeviceId};

pub use self::mapping::{Area, Mapping, MappingError};
pub use self::range::{
    LONGEST_POLL, RangeError, SHORTEST_POLL, SHORTEST_TIMEOUT, USUAL_POLL, check_poll_interval,
};
pub use self::words::{ByteOrder, DataType, WordError};

mod mapping;
mod range;
mod words;

#[cfg(test)]
mod tests;

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

/// A board that needs longer is told apart from a dead one by configuration only.
const LONGEST_USUAL_TIMEOUT: Duration = Duration::from_millis(200);
