//! The line to the boards of a channel: connects when it must, and leaves what failed.

use std::io::ErrorKind;
use std::time::Duration;

use protocol::reading::Reason;
use tokio::time::{self, Instant};

use crate::decode::Cells;
use crate::encode::Write;
use crate::map::Transport;
use crate::modbus::{Connection, Form, ReadError, WriteError};
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

/// How long a board is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For one answer, beside the time that its bytes take on the line.
    pub(crate) limit: Duration,
    /// When all of it must be over.
    pub(crate) until: Option<Instant>,
}

impl Patience {
    /// For one answer whose bytes take so long.
    fn with(self, transmission: Duration) -> Duration {
        let wanted = self.limit + transmission;
        self.left().map_or(wanted, |left| wanted.min(left))
    }

    fn left(self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }
}

impl Line {
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport, connection: None, down: None }
    }

    /// Tells that the boards are about to be spoken to once more, after a while.
    pub(crate) fn begin_round(&mut self) {
        self.down = None;
        if let Some(connection) = &mut self.connection {
            connection.was_idle = true;
        }
    }

    /// Reads one block of one board.
    pub(crate) async fn read(
        &mut self,
        unit: u8,
        block: &Block,
        patience: Patience,
    ) -> Result<Cells, ReadError> {
        let was_idle = self.connection.as_ref().is_some_and(|connection| connection.was_idle);
        let result = self.read_once(unit, block, patience).await;
        match result {
            // Some boards close what was idle between two polls: that alone is no failure.
            Err(ReadError::Away(Reason::Disconnected)) if was_idle => {
                self.read_once(unit, block, patience).await
            }
            result => result,
        }
    }

    /// Writes to one board; a board that does not know the short form is asked in the long one.
    pub(crate) async fn write(
        &mut self,
        unit: u8,
        write: &Write,
        patience: Patience,
    ) -> Result<(), WriteError> {
        match self.write_as(write.form(), unit, write, patience).await {
            Err(WriteError::Exception(ILLEGAL_FUNCTION)) if write.form() == Form::One => {
                self.write_as(Form::Many, unit, write, patience).await
            }
            result => result,
        }
    }

    async fn write_as(
        &mut self,
        form: Form,
        unit: u8,
        write: &Write,
        patience: Patience,
    ) -> Result<(), WriteError> {
        let result = self.write_once(form, unit, write, patience).await;
        match result {
            // Nothing of it left over a connection that had ended before.
            Err(WriteError::Away(Reason::Disconnected)) => {
                self.write_once(form, unit, write, patience).await
            }
            result => result,
        }
    }

    async fn read_once(
        &mut self,
        unit: u8,
        block: &Block,
        patience: Patience,
    ) -> Result<Cells, ReadError> {
        let mut connection = self.connected(patience).await.map_err(ReadError::Away)?;
        let limit = patience.with(serial::transmission(&self.transport, block));
        let result = connection.read(unit, block, limit).await;
        if matches!(result, Ok(_) | Err(ReadError::Exception(_))) {
            self.connection = Some(connection);
        }
        result
    }

    async fn write_once(
        &mut self,
        form: Form,
        unit: u8,
        write: &Write,
        patience: Patience,
    ) -> Result<(), WriteError> {
        let mut connection = self.connected(patience).await.map_err(WriteError::Away)?;
        if patience.left() == Some(Duration::ZERO) {
            self.connection = Some(connection);
            return Err(WriteError::Away(Reason::Timeout));
        }
        let limit = patience.with(serial::write_transmission(&self.transport, write));
        let result = connection.write(unit, write, form, limit).await;
        if matches!(result, Ok(()) | Err(WriteError::Exception(_))) {
            self.connection = Some(connection);
        }
        result
    }

    /// The connection, once the line has been quiet for as long as boards need.
    async fn connected(&mut self, patience: Patience) -> Result<Connection, Reason> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect(patience).await?,
        };
        let silence = serial::silence(&self.transport);
        // Even a sleep of no time lasts a millisecond.
        if !silence.is_zero() {
            time::sleep(silence).await;
        }
        Ok(connection)
    }

    async fn connect(&mut self, patience: Patience) -> Result<Connection, Reason> {
        if let Some(reason) = self.down {
            return Err(reason);
        }
        let limit = patience.with(Duration::ZERO);
        let connected = time::timeout(limit, Connection::open(&self.transport)).await;
        let connected = connected.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()));
        connected.map_err(|error| {
            tracing::debug!(%error, transport = ?self.transport, "no connection: {error}");
            let reason = match error.kind() {
                ErrorKind::ConnectionRefused => Reason::Refused,
                _ => Reason::Unreachable,
            };
            // Whoever was in a hurry has not found out whether the line is down.
            if limit == patience.limit || reason == Reason::Refused {
                self.down = Some(reason);
            }
            reason
        })
    }
}

/// Modbus exception 1: the board does not have this function.
const ILLEGAL_FUNCTION: u8 = 1;
