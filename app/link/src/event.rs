//! What a session is told, and what it wants done.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::digest::Seal;
use protocol::frame::{EventId, KeyEvent, Sequence, Update};
use protocol::id::{ConnectionId, DeviceId, Epoch};
use protocol::stream::StreamName;
use protocol::time::Timestamp;
use protocol::wire::CloseCode;
use protocol::wire::native::{
    CommandResult, ConflictHighPriority, ConnectionLost, Invalid, Refused, ServiceRestarted,
};
use serde::{Deserialize, Serialize};

use crate::status::Status;

/// Something that happened to a session.
#[derive(Clone, Debug)]
pub enum Event {
    /// The server told anew how frames are sealed; comes before `Opened`, if at all.
    Granted(Seal),
    /// The socket stands.
    Opened,
    /// A text came.
    Heard(String),
    /// The socket ended, or never came to stand; 1006 where nobody said why.
    Closed(CloseCode),
    /// The time of `wake_at` has come. A tick too many does no harm.
    Tick,
    /// The network is back.
    Online,
    /// The page can be seen again.
    Visible,
    /// Somebody pressed the button.
    Retry,
    /// An order to the session's device, or to another whose stream it follows, under an id that no
    /// other order has. It is sent now or never.
    Command { device: DeviceId, id: String, name: String, param: Option<String> },
    /// The streams that the page shows, beside that of its own device.
    Want(BTreeSet<StreamName>),
    /// A frame in the caller's own words, not sealed yet; sent now or never.
    Say(String),
    /// The page goes away for good.
    Leave,
}

/// Something that the caller must do, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Open a socket; a page asks for the seal first. Failing at either is [`Event::Closed`].
    Dial {
        connection: Option<ConnectionId>,
    },
    Send(String),
    /// Close the socket, and report nothing more of it.
    HangUp(CloseCode),
    Apply(News),
    /// The status is another than before.
    Announce(Status),
    /// Keep this across a page load, in place of what was kept.
    Remember(Resumption),
}

/// What became known of the plant or of the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// What a stream now tells; already freed of points that something newer has replaced.
    /// A snapshot tells everything that is known of the stream.
    Told {
        stream: StreamName,
        update: Update,
        snapshot: bool,
        at: Timestamp,
    },
    /// Each comes exactly once.
    Happened {
        stream: StreamName,
        event: KeyEvent,
        id: EventId,
        recovered: bool,
        at: Timestamp,
    },
    /// What the values of the stream were in this time of the server cannot be had any more;
    /// `events` where its key events have been told all the same.
    Missed {
        stream: StreamName,
        from: Timestamp,
        to: Timestamp,
        events: bool,
    },
    /// All good points of the stream were still true at this time of the server.
    Confirmed {
        stream: StreamName,
        at: Timestamp,
    },
    /// How far a command of this session has come; a later word replaces an earlier one.
    Command {
        id: String,
        progress: Progress,
    },
    Notice(Notice),
}

/// How far a command has come, as its session knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// There was no connection; it will not be sent later.
    NotSent,
    Sent,
    /// No answer came in time, so it went out once more under the same id (S0-60).
    Resent,
    Done(CommandResult),
    /// A higher origin stands in its way (S0-30).
    Conflict(ConflictHighPriority),
    /// The server could not understand it.
    Rejected(Invalid),
    /// It arrived with a wrong check code; it was not carried out.
    Tampered,
    /// `COMMAND_NO_RESPONSE`: whether it was carried out is not known (S0-61).
    NoResponse,
}

impl Progress {
    /// Whether nothing more is awaited.
    pub fn is_end(&self) -> bool {
        !matches!(self, Self::Sent | Self::Resent)
    }
}

/// What an operator should hear of, once.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// After a loss, everything is known again; `lost` frames could not be had any more.
    Restored { repaired: u64, lost: u64, after: Duration },
    /// Another client of the device fell silent (S0-39).
    OtherLost(ConnectionLost),
    /// The server was started again (S0-71).
    Restarted(ServiceRestarted),
    /// A frame came or arrived with a wrong check code; nothing of it counted (S0-95).
    Tampered,
    /// The server could not understand one of our frames.
    Rejected(Invalid),
    /// Streams that were asked for and will not come.
    RefusedStreams(Vec<Refused>),
}

/// What lets another page load go on where this one ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Resumption {
    pub connection: ConnectionId,
    pub device: DeviceId,
    /// Empty while a page lives: what it holds is written down when it leaves.
    pub streams: Vec<Kept>,
}

/// A stream as it was left.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Kept {
    pub at: Timestamp,
    pub epoch: Epoch,
    /// Everything up to this number is in the table.
    pub seq: Sequence,
    pub stream: StreamName,
    pub table: Update,
}
