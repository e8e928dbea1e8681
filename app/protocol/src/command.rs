//! Orders to devices: what can be asked, who asks, and what became of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{DeviceId, PointKey};
use crate::point::Name;
use crate::reading::Value;
use crate::time::Timestamp;

/// Who gives an order; each outranks those before it (S0-28).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An operator at the console, or another client of this server.
    Local,
    Pscada,
    SystemServer,
}

impl Origin {
    pub const ALL: [Self; 3] = [Self::Local, Self::Pscada, Self::SystemServer];

    /// The number that such systems write for it.
    pub fn priority(self) -> u8 {
        match self {
            Self::Local => 1,
            Self::Pscada => 5,
            Self::SystemServer => 10,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Pscada => "pscada",
            Self::SystemServer => "system_server",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Origin {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|origin| origin.word() == text);
        found.ok_or_else(|| UnknownWord(text.into()))
    }
}

/// A text that is none of the words it could be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not known here")]
pub struct UnknownWord(String);

/// How much can go wrong; it decides how an operator confirms (`console` A4).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Risk {
    /// One click.
    A,
    /// Shown as old → new, then confirmed.
    B,
    /// Confirmed by holding, with device and consequence named.
    C,
}

/// One thing that a device can be told to do.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CommandSpec {
    /// As it goes over the wire, such as `START`; unique within its device.
    pub name: String,
    pub title: Name,
    pub risk: Risk,
    pub action: CommandAction,
}

impl CommandSpec {
    /// Whether it means nothing without a value.
    pub fn needs_param(&self) -> bool {
        match &self.action {
            CommandAction::Write { value, verify, .. } => {
                *value == Setting::Param || *verify == Check::Code
            }
            CommandAction::PollInterval => true,
            CommandAction::SetClock { .. } | CommandAction::Forward => false,
        }
    }
}

/// How a command is carried out.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandAction {
    /// Hand it down as it is, to whoever keeps the device.
    Forward,
    /// Poll the device's channel at another pace, in seconds.
    PollInterval,
    /// Write the time of day to the board's four clock registers, from this address on.
    SetClock { address: u16 },
    /// Write to a point, and read back whether it took effect.
    Write { point: PointKey, value: Setting, verify: Check },
}

/// Where the value to write comes from.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    Fixed(Value),
    Param,
}

/// What shows that a write took effect.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The fault whose code the parameter names is gone.
    Code,
    /// Another point has this value.
    Other { point: PointKey, value: Value },
    /// The point itself has the value that was written.
    Same,
}

/// What names an order: whatever comes under the same key within ten minutes is the same order.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct OrderKey {
    pub origin: Origin,
    pub user: String,
    pub device: DeviceId,
    /// Chosen by whoever gives the order.
    pub id: String,
}

/// An order as it was given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    pub key: OrderKey,
    pub command: String,
    /// Written out: `32`, `ON`, `E001`; both notations and both JSON types of a value are the same.
    pub param: Option<String>,
    /// After this moment, by the server's clock, it is not to be carried out any more.
    pub valid_until: Option<Timestamp>,
    /// From where it came, for the record.
    pub via: String,
}

impl Order {
    /// Whether the other asks for the same.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.command, &self.param) == (&other.command, &other.param)
    }
}

/// What became of an order (S0-23 to S0-27).
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub at: Timestamp,
    /// `None`: it was done.
    pub failure: Option<Failure>,
    /// More about a failure, in words.
    pub detail: Option<String>,
    /// Whether a read-back showed the effect; `None` where nobody knows.
    pub verified: Option<bool>,
    pub old: Option<Value>,
    pub new: Option<Value>,
    /// From the acceptance of the order to its outcome.
    pub ms: u32,
}

/// Why an order was not carried out, or is not known to have been.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Failure {
    /// Too many orders wait for the device already.
    Busy,
    /// A higher origin holds what it would have changed (S0-30).
    ConflictHighPriority,
    /// The device cannot be reached; nothing was written (S0-26).
    DeviceOffline,
    /// The board answered the write with an exception.
    DeviceRefused,
    /// The board gave no answer in time: whether it was written is not known.
    DeviceTimeout,
    /// Its time had passed before it could be carried out; nothing was written.
    Expired,
    /// The server was stopped before the outcome was known; it is not carried out again.
    Interrupted,
    /// The value cannot be (S0-27).
    InvalidParam,
    /// The intent could not be put on record in time; nothing was written.
    NotRecorded,
    /// The device has no such command.
    NotSupported,
    /// It was written, but the read-back shows another value.
    NotVerified,
    /// Whoever gave it may not.
    Unauthorized,
}

impl Failure {
    pub const ALL: [Self; 12] = [
        Self::Busy,
        Self::ConflictHighPriority,
        Self::DeviceOffline,
        Self::DeviceRefused,
        Self::DeviceTimeout,
        Self::Expired,
        Self::Interrupted,
        Self::InvalidParam,
        Self::NotRecorded,
        Self::NotSupported,
        Self::NotVerified,
        Self::Unauthorized,
    ];

    /// As it goes over the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Busy => "BUSY",
            Self::ConflictHighPriority => "CONFLICT_HIGH_PRIORITY",
            Self::DeviceOffline => "DEVICE_OFFLINE",
            Self::DeviceRefused => "DEVICE_REFUSED",
            Self::DeviceTimeout => "DEVICE_TIMEOUT",
            Self::Expired => "EXPIRED",
            Self::Interrupted => "INTERRUPTED",
            Self::InvalidParam => "INVALID_PARAM",
            Self::NotRecorded => "NOT_RECORDED",
            Self::NotSupported => "NOT_SUPPORTED",
            Self::NotVerified => "NOT_VERIFIED",
            Self::Unauthorized => "UNAUTHORIZED",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Failure {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|failure| failure.word() == text);
        found.ok_or_else(|| UnknownWord(text.into()))
    }
}

/// Who keeps others from an order's target, and until when.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Hold {
    pub origin: Origin,
    pub user: String,
    pub until: Timestamp,
}

/// What whoever gave an order is answered, once.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Done(Outcome),
    Conflict(Hold),
    /// The order lacks its parameter.
    MissingParam,
    /// The id was used for another order within ten minutes.
    IdReused,
}

/// An order from its intent to its outcome, as it is put on record.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandRecord {
    pub order: Order,
    pub accepted_at: Timestamp,
    pub steps: Steps,
    pub outcome: Option<Outcome>,
}

/// When each step was reached, in milliseconds since the order was accepted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Steps {
    /// The intent was on the disk.
    pub recorded: Option<u32>,
    /// It was handed to the field.
    pub sent: Option<u32>,
    /// The board confirmed the write.
    pub written: Option<u32>,
}

/// An order of a device as everyone may see it: it waits, is carried out, or holds its target.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OrderLine {
    pub command: String,
    pub command_id: String,
    pub origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    pub since: Timestamp,
    pub stage: Stage,
    /// Until when it holds its target against lower origins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    pub user: String,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is accepted, and waits for its turn.
    Waiting,
    /// It is with the board.
    Executing,
    /// It is done, and keeps lower origins away for a while.
    Holding,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_rank_as_their_numbers_do() {
        // S0-28
        let numbers = Origin::ALL.map(Origin::priority);
        assert!(Origin::ALL.is_sorted() && numbers.is_sorted());
        assert_eq!(numbers, [1, 5, 10]);
    }

    #[test]
    fn words_read_back_as_written() {
        for origin in Origin::ALL {
            assert_eq!(origin.to_string().parse(), Ok(origin));
            assert_eq!(serde_json::to_value(origin).unwrap(), origin.to_string());
        }
        for failure in Failure::ALL {
            assert_eq!(failure.to_string().parse(), Ok(failure));
            assert_eq!(serde_json::to_value(failure).unwrap(), failure.to_string());
        }
        assert!("LATER".parse::<Failure>().is_err());
    }
}
