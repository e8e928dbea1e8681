//! What a connection tells about itself, to whoever looks after the server.

use std::net::SocketAddr;

use dialect::Standing;
use dialect::native::Guest;
use protocol::frame::Sequence;
use protocol::id::{ConnectionId, DeviceId};
use protocol::stream::StreamName;
use protocol::time::Timestamp;
use serde::Serialize;

/// A connection as it is now.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Portrait {
    pub(crate) connection: ConnectionId,
    pub(crate) device: DeviceId,
    #[serde(flatten)]
    pub(crate) origin: Origin,
    /// Its socket takes no more for now.
    pub(crate) blocked: bool,
    pub(crate) heard_at: Timestamp,
    pub(crate) bytes_sent: u64,
    pub(crate) frames_sent: u64,
    /// Frames that wait in the stream where most of them do.
    pub(crate) lag: u64,
    pub(crate) streams: Vec<Line>,
}

/// What does not change while the socket is open.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Origin {
    peer: Option<SocketAddr>,
    resumed: bool,
    role: String,
    since: Timestamp,
    user: String,
}

/// One stream of a connection.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    stream: StreamName,
    seq: Sequence,
    lag: u64,
}

impl Origin {
    pub(crate) fn new(guest: &Guest, peer: Option<SocketAddr>, since: Timestamp) -> Self {
        let (role, user) = (guest.role.clone(), guest.user.clone());
        Self { peer, resumed: guest.resumed.is_some(), role, since, user }
    }

    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }
}

impl From<Standing> for Line {
    fn from(standing: Standing) -> Self {
        let Standing { stream, seq, lag } = standing;
        Self { stream, seq, lag }
    }
}

/// The most that wait in any of the streams.
pub(crate) fn lag(standings: &[Standing]) -> u64 {
    standings.iter().map(|standing| standing.lag).max().unwrap_or_default()
}
