//! The line to the boards of a channel: connects when it must, and leaves what failed.

use std::io::ErrorKind;
use std::time::Duration;

use protocol::reading::Reason;
use tokio::time;

use crate::decode::Cells;
use crate::map::Transport;
use crate::modbus::{Connection, ReadError};
use crate::plan::Block;
use crate::serial;

/// One connection for all boards of a channel, made when it is needed.
///
/// A connection that failed once is never used again: an answer that comes late would be taken
/// for the answer to a later question.
pub(crate) struct Line {
    transport: Transport,
    connection: Option<Connection>,
    /// Why no connection could be made in this round; it is not tried again until the next.
    down: Option<Reason>,
}

impl Line {
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport, connection: None, down: None }
    }

    /// Tells that all boards are about to be polled once more.
    pub(crate) fn begin_round(&mut self) {
        self.down = None;
        if let Some(connection) = &mut self.connection {
            connection.was_idle = true;
        }
    }

    /// Reads one block of one board; the board has `limit` to answer.
    pub(crate) async fn read(
        &mut self,
        unit: u8,
        block: &Block,
        limit: Duration,
    ) -> Result<Cells, ReadError> {
        let was_idle = self.connection.as_ref().is_some_and(|connection| connection.was_idle);
        let result = self.read_once(unit, block, limit).await;
        match result {
            // Some boards close what was idle between two polls: that alone is no failure.
            Err(ReadError::Away(Reason::Disconnected)) if was_idle => {
                self.read_once(unit, block, limit).await
            }
            result => result,
        }
    }

    async fn read_once(
        &mut self,
        unit: u8,
        block: &Block,
        limit: Duration,
    ) -> Result<Cells, ReadError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect(limit).await.map_err(ReadError::Away)?,
        };
        time::sleep(serial::silence(&self.transport)).await;
        let limit = limit + serial::transmission(&self.transport, block);
        let result = connection.read(unit, block, limit).await;
        if matches!(result, Ok(_) | Err(ReadError::Exception(_))) {
            self.connection = Some(connection);
        }
        result
    }

    async fn connect(&mut self, limit: Duration) -> Result<Connection, Reason> {
        if let Some(reason) = self.down {
            return Err(reason);
        }
        let connected = time::timeout(limit, Connection::open(&self.transport)).await;
        let connected = connected.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()));
        connected.map_err(|error| {
            tracing::debug!(%error, transport = ?self.transport, "no connection: {error}");
            let reason = match error.kind() {
                ErrorKind::ConnectionRefused => Reason::Refused,
                _ => Reason::Unreachable,
            };
            self.down = Some(reason);
            reason
        })
    }
}
