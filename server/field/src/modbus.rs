//! One connection to boards: asks, waits as long as it may, and says what came of it.

use std::cmp::Ordering;
use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

use protocol::reading::Reason;
use protocol::report::Reach;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time;
use tokio_modbus::client::{Client, Context, rtu, tcp};
use tokio_modbus::{Error, ProtocolError, Request, Response, Slave, slave::SlaveContext};

use crate::decode::Cells;
use crate::encode::Write;
use crate::map::{Area, Transport};
use crate::plan::Block;
use crate::serial;
use crate::tap::{Begun, Tap};

pub use crate::tap::Framing;

/// Why a block could not be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReadError {
    #[error("the board answered with exception {0}")]
    Exception(u8),
    #[error("the board gave no answer to trust: {0}")]
    Silent(Reason),
    #[error("there is no connection to the board: {0}")]
    Away(Reason),
}

/// Why a board did not confirm a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WriteError {
    #[error("the board answered with exception {0}: {words}", words = meaning(*.0))]
    Exception(u8),
    /// It may have been written, or not.
    #[error("the board did not confirm the write: {0}")]
    Unconfirmed(Reason),
    /// Nothing was written.
    #[error("there is no connection to the board: {0}")]
    Away(Reason),
}

/// The two functions that Modbus has for each kind of write: 5 and 15, 6 and 16.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    One,
    Many,
}

/// Why a question has no answer.
enum Trouble {
    Exception(u8),
    Silent(Reason),
    /// The connection ended once the question had left.
    Ended,
    /// It had ended before: the question never left.
    Unsent,
}

impl From<Trouble> for ReadError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Exception(code) => Self::Exception(code),
            Trouble::Silent(reason) => Self::Silent(reason),
            Trouble::Ended | Trouble::Unsent => Self::Away(Reason::Disconnected),
        }
    }
}

impl From<Trouble> for WriteError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Exception(code) => Self::Exception(code),
            Trouble::Silent(reason) => Self::Unconfirmed(reason),
            Trouble::Ended => Self::Unconfirmed(Reason::Disconnected),
            Trouble::Unsent => Self::Away(Reason::Disconnected),
        }
    }
}

impl ReadError {
    pub fn reason(self) -> Reason {
        match self {
            Self::Exception(code) => Reason::Exception(code),
            Self::Silent(reason) | Self::Away(reason) => reason,
        }
    }

    pub fn reach(self) -> Reach {
        match self {
            // It was the gateway that answered, because the board did not.
            Self::Exception(NO_PATH | NO_ANSWER) => Reach::Silent,
            Self::Exception(_) => Reach::Answered,
            Self::Silent(_) => Reach::Silent,
            Self::Away(_) => Reach::Away,
        }
    }
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

fn request(block: &Block) -> Request<'static> {
    match block.area {
        Area::Coil => Request::ReadCoils(block.start, block.count),
        Area::DiscreteInput => Request::ReadDiscreteInputs(block.start, block.count),
        Area::HoldingRegister => Request::ReadHoldingRegisters(block.start, block.count),
        Area::InputRegister => Request::ReadInputRegisters(block.start, block.count),
    }
}

fn write_request(write: &Write, form: Form) -> Request<'_> {
    match (&write.cells, form) {
        (Cells::Bits(bits), Form::One) if let [on] = bits.as_slice() => {
            Request::WriteSingleCoil(write.address, *on)
        }
        (Cells::Registers(registers), Form::One) if let [word] = registers.as_slice() => {
            Request::WriteSingleRegister(write.address, *word)
        }
        (Cells::Bits(bits), _) => Request::WriteMultipleCoils(write.address, bits.into()),
        (Cells::Registers(registers), _) => {
            Request::WriteMultipleRegisters(write.address, registers.into())
        }
    }
}

/// The one answer that confirms a write.
fn confirmation(request: &Request<'_>) -> Option<Response> {
    let count = |length: usize| u16::try_from(length).ok();
    match request {
        Request::WriteSingleCoil(address, on) => Some(Response::WriteSingleCoil(*address, *on)),
        Request::WriteSingleRegister(address, word) => {
            Some(Response::WriteSingleRegister(*address, *word))
        }
        Request::WriteMultipleCoils(address, bits) => {
            Some(Response::WriteMultipleCoils(*address, count(bits.len())?))
        }
        Request::WriteMultipleRegisters(address, registers) => {
            Some(Response::WriteMultipleRegisters(*address, count(registers.len())?))
        }
        _ => None,
    }
}

/// Takes what was asked for out of the answer, if it holds just that.
fn cells(block: &Block, response: Response) -> Result<Cells, Reason> {
    let count = usize::from(block.count);
    let (cells, expected) = match response {
        // Bits come in whole bytes.
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            (Cells::Bits(bits), count.next_multiple_of(8))
        }
        Response::ReadHoldingRegisters(registers) | Response::ReadInputRegisters(registers) => {
            (Cells::Registers(registers), count)
        }
        _ => return Err(Reason::Garbage),
    };
    match cells.len().cmp(&expected) {
        Ordering::Less => Err(Reason::ShortAnswer),
        Ordering::Equal => Ok(cells),
        Ordering::Greater => Err(Reason::Garbage),
    }
}

/// What an error of the library means; the end of the connection is the [`Tap`]'s word.
fn failure(error: &Error) -> Trouble {
    tracing::debug!(%error, "no answer to trust: {error}");
    match error {
        Error::Protocol(ProtocolError::HeaderMismatch { .. }) => {
            Trouble::Silent(Reason::ForeignUnit)
        }
        Error::Protocol(ProtocolError::FunctionCodeMismatch { .. }) => {
            Trouble::Silent(Reason::Garbage)
        }
        Error::Transport(error) => match error.kind() {
            ErrorKind::UnexpectedEof => Trouble::Silent(Reason::ShortAnswer),
            // The decoder has this one word for bits that end before their count does.
            ErrorKind::InvalidData if error.to_string() == "too short" => {
                Trouble::Silent(Reason::ShortAnswer)
            }
            ErrorKind::InvalidData | ErrorKind::InvalidInput => Trouble::Silent(Reason::Garbage),
            ErrorKind::NotConnected => Trouble::Unsent,
            _ => Trouble::Ended,
        },
    }
}

/// What the standard says about an exception.
fn meaning(exception: u8) -> &'static str {
    match exception {
        1 => "it has no such function",
        2 => "it has no such address",
        3 => "it takes no such value",
        4 => "it failed",
        5 => "it has begun and needs longer",
        6 => "it is busy",
        NO_PATH => "the gateway has no way to it",
        NO_ANSWER => "it did not answer the gateway",
        _ => "the standard does not know it",
    }
}

/// The exceptions that a gateway answers with in place of the board.
pub(crate) const NO_PATH: u8 = 10;
pub(crate) const NO_ANSWER: u8 = 11;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const REGISTERS: Block = block(Area::HoldingRegister, 2);
    const BITS: Block = block(Area::Coil, 9);

    const DISCONNECTED: ReadError = ReadError::Away(Reason::Disconnected);
    const FOREIGN: ReadError = ReadError::Silent(Reason::ForeignUnit);
    const GARBAGE: ReadError = ReadError::Silent(Reason::Garbage);
    const SHORT: ReadError = ReadError::Silent(Reason::ShortAnswer);
    const TIMEOUT: ReadError = ReadError::Silent(Reason::Timeout);

    /// Whether the board hangs up after what it said.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Then {
        Stays,
        HangsUp,
    }
    use Then::{HangsUp, Stays};

    #[tokio::test(start_paused = true)]
    async fn answers_over_tcp_and_what_they_mean() {
        let two = Ok(Cells::Registers(vec![1, 2]));
        let table: Vec<(&[u8], Then, Result<Cells, ReadError>)> = vec![
            (&[0, 0, 0, 0, 0, 7, 1, 3, 4, 0, 1, 0, 2], Stays, two.clone()),
            (&[0, 0, 0, 0, 0, 7, 1, 3, 4, 0, 1, 0, 2], HangsUp, two),
            (&[0, 0, 0, 0, 0, 3, 1, 0x83, 2], Stays, Err(ReadError::Exception(2))),
            (&[0, 0, 0, 0, 0, 3, 1, 0x83, 200], Stays, Err(ReadError::Exception(200))),
            (&[], Stays, Err(TIMEOUT)),
            (&[], HangsUp, Err(DISCONNECTED)),
            (&[0, 0, 0, 0, 0, 7, 1, 3, 4, 0, 1], HangsUp, Err(DISCONNECTED)),
            (&[0, 0, 0, 0, 0, 7, 1, 3, 4, 0, 1], Stays, Err(SHORT)),
            (&[0, 0, 0, 0, 0, 5, 1, 3, 2, 0, 1], Stays, Err(SHORT)),
            (&[0, 0, 0, 0, 0, 5, 1, 3, 4, 0, 1], Stays, Err(SHORT)),
            (&[0, 0, 0, 0, 0, 2, 1, 3], Stays, Err(SHORT)),
            (&[0, 0, 0, 0, 0, 9, 1, 3, 6, 0, 1, 0, 2, 0, 3], Stays, Err(GARBAGE)),
            (&[0, 0, 0, 0, 0, 6, 1, 3, 3, 0, 1, 0], Stays, Err(GARBAGE)),
            (&[0, 0, 0, 0, 0, 7, 1, 4, 4, 0, 1, 0, 2], Stays, Err(GARBAGE)),
            (&[0, 0, 0, 0, 0, 3, 1, 0x84, 2], Stays, Err(GARBAGE)),
            (&[0, 0, 0, 9, 0, 7, 1, 3, 4, 0, 1, 0, 2], Stays, Err(GARBAGE)),
            (&[0, 0, 0, 0, 0, 0], Stays, Err(GARBAGE)),
            (&[0, 0, 0, 0, 0xFF, 0xFF], Stays, Err(GARBAGE)),
            (b"HTTP/1.1 400 Bad Request\r\n", Stays, Err(GARBAGE)),
            (&[0, 0, 0, 0, 0, 7, 2, 3, 4, 0, 1, 0, 2], Stays, Err(FOREIGN)),
            (&[0, 9, 0, 0, 0, 7, 1, 3, 4, 0, 1, 0, 2], Stays, Err(FOREIGN)),
        ];
        for (answer, then, expected) in table {
            let result = ask(Framing::Tcp, &REGISTERS, answer, then).await;
            assert_eq!(result, expected, "{answer:?}, then it {then:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn bits_come_in_whole_bytes() {
        let mut nine = vec![false; 16];
        nine[8] = true;
        let table: [(&[u8], _); 4] = [
            (&[0, 0, 0, 0, 0, 5, 1, 1, 2, 0, 1], Ok(Cells::Bits(nine))),
            (&[0, 0, 0, 0, 0, 4, 1, 1, 1, 0], Err(SHORT)),
            (&[0, 0, 0, 0, 0, 4, 1, 1, 2, 0], Err(SHORT)),
            (&[0, 0, 0, 0, 0, 6, 1, 1, 3, 0, 1, 0], Err(GARBAGE)),
        ];
        for (answer, expected) in table {
            assert_eq!(ask(Framing::Tcp, &BITS, answer, Stays).await, expected, "{answer:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_over_a_serial_line_and_what_they_mean() {
        let right = [1, 3, 4, 0, 1, 0, 2, 0x2A, 0x32];
        let table: [(&[u8], Then, _); 6] = [
            (&right, Stays, Ok(Cells::Registers(vec![1, 2]))),
            (&right[..5], Stays, Err(SHORT)),
            (&[1, 0x83, 2, 0xC0, 0xF1], Stays, Err(ReadError::Exception(2))),
            (&[0x55; 64], Stays, Err(GARBAGE)),
            (&[], Stays, Err(TIMEOUT)),
            (&[], HangsUp, Err(DISCONNECTED)),
        ];
        for (answer, then, expected) in table {
            let result = ask(Framing::Rtu, &REGISTERS, answer, then).await;
            assert_eq!(result, expected, "{answer:?}, then it {then:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_is_confirmed_by_its_echo_alone() {
        let one = Write { address: 2, cells: Cells::Registers(vec![7]) };
        let unconfirmed = |reason| Err(WriteError::Unconfirmed(reason));
        let table: [(&[u8], Then, Result<(), WriteError>); 10] = [
            (&[0, 0, 0, 0, 0, 6, 1, 6, 0, 2, 0, 7], Stays, Ok(())),
            (&[0, 0, 0, 0, 0, 6, 1, 6, 0, 2, 0, 8], Stays, unconfirmed(Reason::Garbage)),
            (&[0, 0, 0, 0, 0, 6, 1, 6, 0, 3, 0, 7], Stays, unconfirmed(Reason::Garbage)),
            (&[0, 0, 0, 0, 0, 6, 1, 16, 0, 2, 0, 1], Stays, unconfirmed(Reason::Garbage)),
            (&[0, 0, 0, 0, 0, 6, 2, 6, 0, 2, 0, 7], Stays, unconfirmed(Reason::ForeignUnit)),
            (&[0, 0, 0, 0, 0, 3, 1, 0x86, 4], Stays, Err(WriteError::Exception(4))),
            (&[0, 0, 0, 0, 0, 6, 1, 6, 0], Stays, unconfirmed(Reason::ShortAnswer)),
            (&[0, 0, 0, 0, 0, 6, 1, 6, 0], HangsUp, unconfirmed(Reason::Disconnected)),
            (&[], Stays, unconfirmed(Reason::Timeout)),
            (&[], HangsUp, unconfirmed(Reason::Disconnected)),
        ];
        for (answer, then, expected) in table {
            let result = tell(&one, Form::One, answer, then).await;
            assert_eq!(result, expected, "{answer:?}, then it {then:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_kind_of_write_has_its_functions() {
        let write = |cells| Write { address: 2, cells };
        let table: [(Cells, Form, &[u8]); 6] = [
            (Cells::Bits(vec![true]), Form::One, &[5, 0, 2, 0xFF, 0]),
            (Cells::Bits(vec![true]), Form::Many, &[15, 0, 2, 0, 1]),
            (Cells::Registers(vec![7]), Form::One, &[6, 0, 2, 0, 7]),
            (Cells::Registers(vec![7]), Form::Many, &[16, 0, 2, 0, 1]),
            (Cells::Registers(vec![7, 8]), Form::Many, &[16, 0, 2, 0, 2]),
            // There is no short form of it.
            (Cells::Registers(vec![7, 8]), Form::One, &[16, 0, 2, 0, 2]),
        ];
        for (cells, form, pdu) in table {
            let answer = [&[0, 0, 0, 0, 0, 6, 1], pdu].concat();
            let result = tell(&write(cells), form, &answer, Stays).await;
            assert_eq!(result, Ok(()), "{pdu:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_written_over_a_connection_that_has_ended() {
        let (ours, theirs) = duplex(1024);
        drop(theirs);
        let mut connection = Connection::over(ours, Framing::Tcp);
        let write = Write { address: 2, cells: Cells::Registers(vec![7]) };
        let result = connection.write(1, &write, Form::One, PATIENCE).await;
        assert_eq!(result, Err(WriteError::Away(Reason::Disconnected)));
    }

    proptest! {
        #[test]
        fn whatever_a_board_says_is_an_answer_or_a_reason(
            answer in prop::collection::vec(any::<u8>(), 0..40),
            start in prop::sample::select(vec![0, 4, 6, 8]),
            rtu: bool,
            bits: bool,
        ) {
            let right = [0, 0, 0, 0, 0, 7, 1, 3];
            let answer = [&right[..start], &answer].concat();
            let framing = if rtu { Framing::Rtu } else { Framing::Tcp };
            let block = if bits { BITS } else { REGISTERS };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            if let Ok(cells) = runtime.block_on(ask(framing, &block, &answer, HangsUp)) {
                prop_assert!(cells.len() >= usize::from(block.count));
            }
        }
    }

    /// Asks unit 1 for the block; it says `answer`, whatever it was asked.
    async fn ask(
        framing: Framing,
        block: &Block,
        answer: &[u8],
        then: Then,
    ) -> Result<Cells, ReadError> {
        let (ours, theirs) = duplex(1024);
        let mut connection = Connection::over(ours, framing);
        tokio::join!(connection.read(1, block, PATIENCE), say(theirs, answer, then)).0
    }

    /// Writes to unit 1 over TCP; it says `answer`, whatever it was told.
    async fn tell(write: &Write, form: Form, answer: &[u8], then: Then) -> Result<(), WriteError> {
        let (ours, theirs) = duplex(1024);
        let mut connection = Connection::over(ours, Framing::Tcp);
        tokio::join!(connection.write(1, write, form, PATIENCE), say(theirs, answer, then)).0
    }

    /// Gives the connection back, which would end with it.
    async fn say(mut board: DuplexStream, answer: &[u8], then: Then) -> DuplexStream {
        board.read_exact(&mut [0; 8]).await.unwrap();
        board.write_all(answer).await.unwrap();
        if then == HangsUp {
            board.shutdown().await.unwrap();
        }
        board
    }

    const PATIENCE: Duration = Duration::from_millis(50);

    const fn block(area: Area, count: u16) -> Block {
        Block { area, start: 0, count, points: Vec::new(), has_holes: false }
    }
}
