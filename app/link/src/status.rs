//! What the page shows of the connection.

use std::time::Duration;

use protocol::frame::Sequence;
use protocol::id::{ConnectionId, DeviceId, Epoch};
use protocol::time::{Instant, Timestamp};
use protocol::wire::CloseCode;
use protocol::wire::native::FailReason;

/// The connection as an operator sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub state: LinkState,
    pub device: DeviceId,
    pub connection: Option<ConnectionId>,
    pub epoch: Option<Epoch>,
    /// The last number applied of the device's own stream.
    pub seq: Option<Sequence>,
    pub server_version: Option<String>,
    /// Of the last heartbeat that was answered.
    pub rtt: Option<Duration>,
    /// Heartbeats in a row without an answer.
    pub missed_beats: u32,
    /// Frames found missing since the page was opened.
    pub lost: u64,
    /// Of these, how many came after all.
    pub repaired: u64,
    /// How often a connection stood again after it had been lost.
    pub reconnects: u32,
    /// Frames whose check code was wrong.
    pub tampered: u64,
    /// The server's time of the last frame that was applied: how far the data reaches.
    pub data_until: Option<Timestamp>,
    /// Why and when the last connection ended.
    pub ended: Option<(Ending, Instant)>,
}

/// Where a session stands, in the order of its life.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkState {
    /// The first connection is being made, or the next try is under way.
    Dialing {
        tries: u32,
    },
    /// The socket is open; the server has not said who we are.
    Greeting {
        tries: u32,
    },
    Live {
        since: Instant,
    },
    /// Lost; the next try follows at `until`.
    Waiting {
        tries: u32,
        until: Instant,
    },
    /// All tries of the series failed (S0-45); one more now and then.
    Failed {
        until: Instant,
    },
    /// The server will not have us as we are; trying again does not help.
    Refused {
        reason: FailReason,
        detail: String,
    },
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Three heartbeats without an answer (S0-40).
    Silent,
    /// No answer to the dialling or the greeting in time.
    NoAnswer,
    Closed(CloseCode),
}

impl Status {
    pub fn is_live(&self) -> bool {
        matches!(self.state, LinkState::Live { .. })
    }
}
