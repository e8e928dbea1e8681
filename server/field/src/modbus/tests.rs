use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::map::Area;

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
