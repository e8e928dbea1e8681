//! What the Station asks of the field beside reading, and what came of it: facts only.

use std::time::Duration;

use crate::command::{Failure, OrderKey};
use crate::id::{ChannelId, DeviceId};
use crate::reading::Value;

/// An order on its way to a board.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub key: OrderKey,
    pub device: DeviceId,
    pub channel: ChannelId,
    pub task: Task,
    /// What is not done within this time is given up, and never done later.
    pub within: Duration,
}

/// What is to be done. Points are named by their place in [`crate::point::Device::points`].
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// Hand an order down to whoever keeps the device.
    Forward { command: String, param: Option<String> },
    /// Poll the channel at this pace from now on, and after a restart, too.
    Pace(Duration),
    /// Write the time of day of this zone (an IANA name) to four registers, from this address on; so
    /// many milliseconds ahead of the machine's own clock, or behind it.
    SetClock { address: u16, zone: String, ahead_ms: i64 },
    /// Write `value` to a point, until `verify` reads `expected` or time is up.
    Write { point: usize, value: Value, verify: usize, expected: Value },
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    pub result: Result<Done, NotDone>,
    /// How long after the job was handed over the board confirmed the write, if it did.
    pub written_after: Option<Duration>,
}

/// The effect was read back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// What was there before, where whoever did it knows.
    pub old: Option<Value>,
    pub new: Option<Value>,
}

/// Why it was not done, or is not known to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NotDone {
    pub failure: Failure,
    /// In words, for the record.
    pub detail: Option<String>,
    /// What the read-back found in place of the expected value.
    pub found: Option<Value>,
}

impl From<Failure> for NotDone {
    fn from(failure: Failure) -> Self {
        Self { failure, detail: None, found: None }
    }
}
