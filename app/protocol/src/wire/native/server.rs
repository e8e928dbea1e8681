//! What the server says: answers, notices and the frames of streams.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Range;
use super::client::Invalid;
use crate::command::{Failure, Hold, Outcome};
use crate::device::{DeviceStatus, Links};
use crate::frame::{
    CommandExecuted, CommandStatus, EventId, KeyEvent, Sequence, StateChanged, Update,
};
use crate::id::{ConnectionId, DeviceId, Epoch, FaultCode};
use crate::json;
use crate::reading;
use crate::stream::StreamName;
use crate::time::Timestamp;

/// A frame as a client receives it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerFrame {
    pub device_id: Option<DeviceId>,
    pub epoch: Option<Epoch>,
    pub event: Option<EventId>,
    pub message: ServerMessage,
    pub recovered: bool,
    pub seq: Option<Sequence>,
    /// `None`: the connection's own stream, `device/<device_id>`.
    pub stream: Option<StreamName>,
    pub timestamp: Timestamp,
}

/// What a frame says. Serialised, it is the frame's `data`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ServerMessage {
    CommandExecuted(CommandExecuted),
    CommandResult(CommandResult),
    ConflictHighPriority(ConflictHighPriority),
    ConnectFail(ConnectFail),
    ConnectSuccess(ConnectSuccess),
    ConnectionLost(ConnectionLost),
    DataRecovered(DataRecovered),
    DataTampered(Tampered),
    DataUpdate(Update),
    FullSnapshot(Snapshot),
    HeartbeatAck(HeartbeatAck),
    InvalidCommandFormat(Invalid),
    ServiceRestarted(ServiceRestarted),
    StateChanged(StateChanged),
    Subscribed(Subscribed),
    /// A type that this version does not know.
    Unknown,
}

/// Why a frame of the server cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFrameError {
    #[error("the frame is no envelope: {0}")]
    Envelope(#[source] serde_json::Error),
    #[error("the data of a {kind} is not as agreed: {cause}")]
    Message {
        kind: String,
        #[source]
        cause: serde_json::Error,
    },
}

impl ServerFrame {
    /// Reads a frame. Its check code is the caller's to verify, before.
    pub fn read(text: &str) -> Result<Self, ReadFrameError> {
        let mut tree = serde_json::from_str(text).map_err(ReadFrameError::Envelope)?;
        let data = json::part(&mut tree, "data");
        let envelope: Envelope = json::take(tree).map_err(ReadFrameError::Envelope)?;
        let message = ServerMessage::read(&envelope.kind, data)
            .map_err(|cause| ReadFrameError::Message { kind: envelope.kind, cause })?;
        Ok(Self {
            device_id: envelope.device_id,
            epoch: envelope.epoch,
            event: envelope.event,
            message,
            recovered: envelope.recovered,
            seq: envelope.seq,
            stream: envelope.stream,
            timestamp: envelope.timestamp,
        })
    }
}

#[derive(Deserialize)]
struct Envelope {
    device_id: Option<DeviceId>,
    epoch: Option<Epoch>,
    event: Option<EventId>,
    #[serde(default)]
    recovered: bool,
    seq: Option<Sequence>,
    stream: Option<StreamName>,
    timestamp: Timestamp,
    #[serde(rename = "type")]
    kind: String,
}

impl ServerMessage {
    /// The frame's `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CommandExecuted(_) => "COMMAND_EXECUTED",
            Self::CommandResult(_) => "COMMAND_RESULT",
            Self::ConflictHighPriority(_) => "CONFLICT_HIGH_PRIORITY",
            Self::ConnectFail(_) => "CONNECT_FAIL",
            Self::ConnectSuccess(_) => "CONNECT_SUCCESS",
            Self::ConnectionLost(_) => "CONNECTION_LOST",
            Self::DataRecovered(_) => "DATA_RECOVERED",
            Self::DataTampered(_) => "DATA_TAMPERED",
            Self::DataUpdate(_) => "DATA_UPDATE",
            Self::FullSnapshot(_) => "FULL_SNAPSHOT",
            Self::HeartbeatAck(_) => "HEARTBEAT_ACK",
            Self::InvalidCommandFormat(_) => "INVALID_COMMAND_FORMAT",
            Self::ServiceRestarted(_) => "SERVICE_RESTARTED",
            Self::StateChanged(_) => "STATE_CHANGED",
            Self::Subscribed(_) => "SUBSCRIBED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The key event that it carries, if it is one.
    pub fn key_event(&self) -> Option<KeyEvent> {
        match self {
            Self::CommandExecuted(done) => Some(KeyEvent::CommandExecuted(done.clone())),
            Self::StateChanged(change) => Some(KeyEvent::StateChanged(change.clone())),
            _ => None,
        }
    }

    fn read(kind: &str, data: Value) -> serde_json::Result<Self> {
        Ok(match kind {
            "COMMAND_EXECUTED" => Self::CommandExecuted(json::take(data)?),
            "COMMAND_RESULT" => Self::CommandResult(json::take(data)?),
            "CONFLICT_HIGH_PRIORITY" => Self::ConflictHighPriority(json::take(data)?),
            "CONNECT_FAIL" => Self::ConnectFail(json::take(data)?),
            "CONNECT_SUCCESS" => Self::ConnectSuccess(json::take(data)?),
            "CONNECTION_LOST" => Self::ConnectionLost(json::take(data)?),
            "DATA_RECOVERED" => Self::DataRecovered(json::take(data)?),
            "DATA_TAMPERED" => Self::DataTampered(json::take(data)?),
            "DATA_UPDATE" => Self::DataUpdate(json::take(data)?),
            "FULL_SNAPSHOT" => Self::FullSnapshot(Snapshot::read(data)?),
            "HEARTBEAT_ACK" => Self::HeartbeatAck(json::take(data)?),
            "INVALID_COMMAND_FORMAT" => Self::InvalidCommandFormat(json::take(data)?),
            "SERVICE_RESTARTED" => Self::ServiceRestarted(json::take(data)?),
            "STATE_CHANGED" => Self::StateChanged(json::take(data)?),
            "SUBSCRIBED" => Self::Subscribed(json::take(data)?),
            _ => Self::Unknown,
        })
    }
}

impl From<KeyEvent> for ServerMessage {
    fn from(event: KeyEvent) -> Self {
        match event {
            KeyEvent::CommandExecuted(done) => Self::CommandExecuted(done),
            KeyEvent::StateChanged(change) => Self::StateChanged(change),
        }
    }
}

impl From<DataRecovered> for ServerMessage {
    fn from(answer: DataRecovered) -> Self {
        Self::DataRecovered(answer)
    }
}

/// `CONNECT_SUCCESS` (S0-33, S0-34).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ConnectSuccess {
    pub connection_id: ConnectionId,
    pub epoch: Epoch,
    pub full_snapshot_interval_ms: u64,
    pub heartbeat_interval_ms: u64,
    /// The connection id that the client named is known, and its position is kept.
    pub resumed: bool,
    pub role: String,
    pub server_version: String,
    pub user: String,
}

/// `CONNECT_FAIL` (S0-35); the one frame without a check code.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ConnectFail {
    pub detail: String,
    pub reason: FailReason,
}

/// Why a connection was refused (S0-36).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailReason {
    DeviceNotFound,
    Limit,
    Unauthorized,
    UnsupportedVersion,
}

/// `CONNECTION_LOST`: a connection showed no sign of life for three heartbeats (S0-39).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ConnectionLost {
    pub at: Timestamp,
    pub connection_id: ConnectionId,
    pub silent_ms: u64,
}

/// `SUBSCRIBED`: which streams follow now, and which do not and why.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Subscribed {
    pub refused: Vec<Refused>,
    pub streams: Vec<SubscribedStream>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SubscribedStream {
    pub epoch: Epoch,
    pub stream: StreamName,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Refused {
    /// `NO_SUCH_STREAM`, `TOO_MANY`, …
    pub reason: String,
    /// As the client wrote it.
    pub stream: String,
}

/// `HEARTBEAT_ACK` (S0-15, S0-38).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct HeartbeatAck {
    /// The `timestamp` of the heartbeat that it answers.
    pub echo: Timestamp,
    pub server_time: Timestamp,
    pub streams: Vec<StreamState>,
    /// Left out where the configuration says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<SummaryLine>,
}

/// How far a stream has come on this connection.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct StreamState {
    pub epoch: Epoch,
    /// How many frames are not yet written to this socket.
    pub lag: u64,
    /// The number of the last frame written to this socket before this answer.
    pub seq: Sequence,
    pub stream: StreamName,
}

/// The connection's device in one line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SummaryLine {
    pub active_alarms: u64,
    pub device_status: DeviceStatus,
    pub fault_codes: BTreeSet<FaultCode>,
    pub links: Links,
}

/// `DATA_RECOVERED`: all that is left of the ranges asked for has been sent.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct DataRecovered {
    pub epoch: Epoch,
    /// Numbers that nobody holds any more; an open end reaches to the last of its epoch.
    pub gone: Vec<(Sequence, Option<Sequence>)>,
    pub ranges: Vec<Range>,
}

/// `SERVICE_RESTARTED`: the streams go on under another epoch (S0-71).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServiceRestarted {
    /// When the run that the client knew was last known to be there.
    pub down_from: Option<Timestamp>,
    pub epoch: Epoch,
    pub old_epoch: Epoch,
    pub started_at: Timestamp,
}

/// `FULL_SNAPSHOT` (S0-14).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    #[serde(flatten)]
    pub update: Update,
    /// Numbers that this snapshot stands for: they will not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settles: Option<Range>,
}

impl Snapshot {
    /// Reads each part for itself: flattening would copy every point.
    fn read(mut data: Value) -> serde_json::Result<Self> {
        let settles = json::part(&mut data, "settles");
        Ok(Self { update: json::take(data)?, settles: json::take(settles)? })
    }
}

/// `DATA_TAMPERED`: a frame's check code is wrong; nothing of it was carried out (S0-94).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Tampered {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<String>,
    pub detail: String,
}

/// `COMMAND_RESULT` (S0-23 to S0-27).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CommandResult {
    pub command_id: String,
    /// More about a failure, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub executed_at: Timestamp,
    pub ms: u32,
    /// What the read-back found.
    pub new: Option<reading::Value>,
    /// What was there before.
    pub old: Option<reading::Value>,
    pub reason: Option<Failure>,
    pub status: CommandStatus,
    /// Whether a read-back showed the effect; `None` where nobody knows.
    pub verified: Option<bool>,
}

impl CommandResult {
    pub fn new(command_id: String, outcome: Outcome) -> Self {
        let Outcome { at, failure, detail, verified, old, new, ms } = outcome;
        let status = CommandStatus::of(failure);
        Self {
            command_id,
            detail,
            executed_at: at,
            ms,
            new,
            old,
            reason: failure,
            status,
            verified,
        }
    }
}

impl CommandStatus {
    pub fn of(failure: Option<Failure>) -> Self {
        if failure.is_none() { Self::Success } else { Self::Fail }
    }
}

/// `CONFLICT_HIGH_PRIORITY`: the order was not carried out, and who stands in its way (S0-30).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConflictHighPriority {
    pub command_id: String,
    pub holder: Holder,
    pub until: Timestamp,
}

/// Whoever gave the order that stands in the way.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Holder {
    pub origin: crate::command::Origin,
    pub user: String,
}

impl ConflictHighPriority {
    pub fn new(command_id: String, hold: Hold) -> Self {
        let Hold { origin, user, until } = hold;
        Self { command_id, holder: Holder { origin, user }, until }
    }
}
