//! The numbered messages that carry live values: what changed, what is, and what must not be missed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::command::{Failure, OrderLine, Origin};
use crate::device::{DeviceStatus, Links};
use crate::id::{DeviceId, Epoch, FaultCode, PointKey};
use crate::part::{Condition, Part};
use crate::reading::{Quality, Reading, Value};
use crate::time::Timestamp;

/// A place in a stream: 1, 2, 3, … under one epoch, without holes. Inside the server only.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Offset(pub u64);

impl Offset {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A frame's number on one connection, from 1 (S0-55): its offset less the connection's base.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Sequence(pub u64);

impl Sequence {
    pub const FIRST: Self = Self(1);

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One message of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub offset: Offset,
    pub at: Timestamp,
    pub body: Body,
    /// `None` in frames that no push made: snapshots for one connection.
    pub stamps: Option<Stamps>,
}

/// When a frame was made, on the machine's monotonic clock, in microseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamps {
    /// What it tells was at hand: the poll's answer had come, or the timer was due.
    pub due: u64,
    /// It got its number.
    pub made: u64,
}

/// What a frame tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Only what changed since the frame before.
    Delta(Update),
    /// Something that happened once and must reach everyone.
    Event(KeyEvent),
    /// Everything; replaces what the receiver knew.
    Snapshot(Update),
}

/// News of a stream. Folding all updates since a snapshot into it gives the table as it is.
///
/// Members are in alphabetical order, because the wire wants sorted keys.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Update {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_status: Option<DeviceStatus>,
    /// One line a device: only in the streams of sites.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub devices: BTreeMap<DeviceId, Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_codes: Option<BTreeSet<FaultCode>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// How the server's own parts fare: only in the stream `system`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<Part, Condition>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub points: BTreeMap<PointKey, Reading>,
}

impl Update {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes in a later update: what it tells replaces what was known.
    pub fn fold(&mut self, later: &Self) {
        self.device_status = later.device_status.or(self.device_status);
        self.links = later.links.or(self.links);
        if let Some(codes) = &later.fault_codes {
            self.fault_codes = Some(codes.clone());
        }
        self.devices.extend(later.devices.iter().map(|(id, line)| (id.clone(), line.clone())));
        self.parts.extend(later.parts.iter().map(|(part, how)| (*part, how.clone())));
        self.points.extend(later.points.iter().map(|(key, reading)| (key.clone(), *reading)));
    }
}

/// A device in one line, for overviews.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Summary {
    pub device_status: DeviceStatus,
    pub fault_codes: BTreeSet<FaultCode>,
    pub links: Links,
    /// Orders that wait, are carried out, or hold their target; oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<OrderLine>,
    /// The worst of all its points.
    pub quality: Quality,
    /// When its state last changed.
    pub since: Timestamp,
    /// The values configured for its tile.
    pub values: BTreeMap<PointKey, Reading>,
}

/// What is told once and never conflated.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", tag = "type")]
pub enum KeyEvent {
    CommandExecuted(CommandExecuted),
    StateChanged(StateChanged),
}

impl From<StateChanged> for KeyEvent {
    fn from(change: StateChanged) -> Self {
        Self::StateChanged(change)
    }
}

/// `COMMAND_EXECUTED`: an order to the device came to its end, well or badly.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CommandExecuted {
    pub at: Timestamp,
    pub command: String,
    pub command_id: String,
    /// From the acceptance of the order to its outcome.
    pub ms: u32,
    /// What the read-back found.
    pub new: Option<Value>,
    /// What was there before.
    pub old: Option<Value>,
    pub origin: Origin,
    pub param: Option<String>,
    pub reason: Option<Failure>,
    pub status: CommandStatus,
    pub user: String,
}

/// How an order ended (S0-24).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CommandStatus {
    Fail,
    Success,
}

/// `STATE_CHANGED`: one fact about a device is another than before (S0-44).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct StateChanged {
    pub at: Timestamp,
    pub new: String,
    pub old: String,
    /// `device_status`, `fault_code/<code>`, `link/<peer>`, `point/<key>` or `part/<part>`.
    pub what: String,
}

/// Names a key event for ever: `<epoch>/<offset>`; a receiver applies each once.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId {
    pub epoch: Epoch,
    pub offset: Offset,
}

/// A text that names no event.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not <epoch>/<offset>")]
pub struct EventIdError(String);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.epoch, self.offset.0)
    }
}

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let parts = text.rsplit_once('/');
        let id = parts.and_then(|(epoch, offset)| {
            Some(Self { epoch: epoch.parse().ok()?, offset: Offset(offset.parse().ok()?) })
        });
        id.ok_or_else(|| EventIdError(text.into()))
    }
}

impl TryFrom<String> for EventId {
    type Error = EventIdError;

    fn try_from(text: String) -> Result<Self, EventIdError> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Value;

    fn point(key: &str, value: f64) -> (PointKey, Reading) {
        let value = Some(Value::Number(value));
        (key.parse().unwrap(), Reading { value, ..Reading::NOT_READ })
    }

    #[test]
    fn folding_keeps_what_a_delta_does_not_tell() {
        let mut table = Update {
            device_status: Some(DeviceStatus::Working),
            points: [point("a", 1.0), point("b", 2.0)].into(),
            ..Update::default()
        };
        table.fold(&Update { points: [point("b", 3.0)].into(), ..Update::default() });
        assert_eq!(table.points, [point("a", 1.0), point("b", 3.0)].into());
        assert_eq!(table.device_status, Some(DeviceStatus::Working));
    }

    #[test]
    fn event_ids_read_back_as_written() {
        let id: EventId = "0197-ab/12".parse().unwrap();
        assert_eq!((id.epoch.as_str(), id.offset), ("0197-ab", Offset(12)));
        assert_eq!(id.to_string(), "0197-ab/12");
        assert!("12".parse::<EventId>().is_err());
    }
}
