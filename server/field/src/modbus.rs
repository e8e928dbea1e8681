//! One connection to boards: asks, waits as long as it may, and says what came of it.

use std::fmt;
use std::io;
use std::time::Duration;

use protocol::reading::Reason;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time;
use tokio_modbus::client::{Client, Context, rtu, tcp};
use tokio_modbus::{Request, Response, Slave, slave::SlaveContext};

pub use self::error::{ReadError, WriteError};
pub use crate::tap::Framing;

pub(crate) use self::error::{NO_ANSWER, NO_PATH};

use self::answer::{cells, confirmation};
use self::question::{request, write_request};
use self::trouble::{Trouble, failure};
use crate::decode::Cells;
use crate::encode::Write;
use crate::map::Transport;
use crate::plan::Block;
use crate::serial;
use crate::tap::{Begun, Tap};

mod answer;
mod error;
mod question;
mod trouble;

#[cfg(test)]
mod tests;

/// The two functions that Modbus has for each kind of write: 5 and 15, 6 and 16.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    One,
    Many,
}

/// One stream to the boards of a channel: a socket, a serial line, or whatever else carries bytes.
pub struct Connection {
    context: Context,
    begun: Begun,
    /// Whether nothing was asked over it since the round before.
    pub(crate) was_idle: bool,
}

impl Connection {
    pub(crate) async fn open(transport: &Transport) -> io::Result<Self> {
        match transport {
            Transport::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(Self::over(stream, Framing::Tcp))
            }
            Transport::Rtu { path, baud_rate, data_bits, stop_bits, parity } => {
                let port = tokio_serial::new(path, *baud_rate)
                    .data_bits(serial::data_bits(*data_bits))
                    .stop_bits(serial::stop_bits(*stop_bits))
                    .parity(serial::parity(*parity));
                Ok(Self::over(serial::open(port)?, Framing::Rtu))
            }
        }
    }

    pub fn over<T>(stream: T, framing: Framing) -> Self
    where
        T: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin + 'static,
    {
        let tap = Tap::new(stream, framing);
        let begun = tap.begun();
        let context = match framing {
            Framing::Tcp => tcp::attach(tap),
            Framing::Rtu => rtu::attach(tap),
        };
        Self { context, begun, was_idle: false }
    }

    /// Asks the board `unit` for one block; it has `limit` to answer.
    ///
    /// What failed otherwise than by an exception must not be asked again.
    pub async fn read(
        &mut self,
        unit: u8,
        block: &Block,
        limit: Duration,
    ) -> Result<Cells, ReadError> {
        let response = self.ask(unit, request(block), limit).await?;
        cells(block, response).map_err(ReadError::Silent)
    }

    /// Writes to the board `unit`; it has `limit` to confirm it. One cell can be written in either
    /// form, more in the long one only.
    ///
    /// What failed otherwise than by an exception must not be asked again.
    pub async fn write(
        &mut self,
        unit: u8,
        write: &Write,
        form: Form,
        limit: Duration,
    ) -> Result<(), WriteError> {
        let request = write_request(write, form);
        let expected = confirmation(&request);
        match self.ask(unit, request, limit).await? {
            response if Some(&response) == expected.as_ref() => Ok(()),
            _ => Err(WriteError::Unconfirmed(Reason::Garbage)),
        }
    }

    async fn ask(
        &mut self,
        unit: u8,
        request: Request<'_>,
        limit: Duration,
    ) -> Result<Response, Trouble> {
        self.was_idle = false;
        self.context.set_slave(Slave(unit));
        match time::timeout(limit, self.context.call(request)).await {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Ok(Err(exception))) => Err(Trouble::Exception(exception.into())),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) if self.begun.is_set() => Err(Trouble::Silent(Reason::ShortAnswer)),
            Err(_) => Err(Trouble::Silent(Reason::Timeout)),
        }
    }
}
