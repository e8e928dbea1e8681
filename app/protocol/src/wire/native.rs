//! S0's wire form at `/ws/device`: JSON objects, sealed, with a number where nothing may be missed.
//!
//! The crate's README describes it for those who write a client of their own.

mod auth;
mod client;
mod members;
mod sealed;
mod server;

pub use auth::Auth;
pub use client::{ClientFrame, ClientMessage, Command, Invalid, InvalidCode, Position};
pub use sealed::{Prepared, Stamp, seal_text};
pub use server::{
    CommandResult, ConflictHighPriority, ConnectFail, ConnectSuccess, ConnectionLost,
    DataRecovered, FailReason, HeartbeatAck, Holder, ReadFrameError, Refused, ServerFrame,
    ServerMessage, ServiceRestarted, Snapshot, StreamState, Subscribed, SubscribedStream,
    SummaryLine, Tampered,
};

/// The one version spoken, offered and returned as WebSocket sub-protocol.
pub const SUB_PROTOCOL: &str = "gapless.v1";

/// How many ranges one `DATA_LOST` may name.
pub const MOST_RANGES: usize = 64;

/// The largest number that JSON readers keep exact.
pub const LARGEST_NUMBER: u64 = 1 << 53;

/// Numbers of one connection, both ends included.
pub type Range = (crate::frame::Sequence, crate::frame::Sequence);
