//! The poller against a board that nobody here wrote, over TCP and over a serial line.

use std::process::Stdio;

use field::map::{Area, ByteOrder, DataType, Mapping, Parity, Transport};
use protocol::command::Failure;
use protocol::job::Task;
use protocol::reading::{Reason, Value};
use protocol::report::{Reach, Report};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::support::*;

#[tokio::test]
async fn a_foreign_board_is_read_over_tcp() {
    let (_board, port) = start_board(&["tcp"]).await;
    let transport = Transport::Tcp { host: "127.0.0.1".into(), port: port.parse().unwrap() };
    let targets = vec![target("one", 1, points()), target("sixteen", 16, points())];
    let mut polling = Polling::start(transport, targets);
    for (device, unit) in [("one", 1.0), ("sixteen", 16.0), ("one", 1.0), ("sixteen", 16.0)] {
        assert_eq!(values(&polling.next_of(device).await), told(unit));
    }
}

#[tokio::test]
async fn a_foreign_board_obeys_over_tcp() {
    let (_board, port) = start_board(&["tcp"]).await;
    let transport = Transport::Tcp { host: "127.0.0.1".into(), port: port.parse().unwrap() };
    // The second one knows functions 15 and 16 only.
    let targets = vec![target("one", 1, points()), target("sixteen", 16, points())];
    let mut polling = Polling::start(transport, targets);
    for device in ["one", "sixteen"] {
        obeys(&mut polling, device).await;
    }
}

/// Writes every type and byte order, a bit of a register and coils.
async fn obeys(polling: &mut Polling, device: &str) {
    let number = Value::Number;
    let orders = [
        (0, number(-1.0), Err(Failure::InvalidParam)),
        (0, number(31.5), Ok(())),
        (1, number(-7.0), Ok(())),
        (2, number(1.0), Err(Failure::InvalidParam)),
        (4, Value::Switch(true), Ok(())),
        (3, Value::Switch(false), Ok(())),
        (5, number(4660.0), Ok(())),
        (8, number(-3.5), Ok(())),
        (9, number(0.1), Ok(())),
        (10, number(3_000_000_000.0), Ok(())),
        (11, number(70_000.0), Ok(())),
        (13, Value::Switch(false), Ok(())),
        (14, Value::Switch(true), Ok(())),
        (15, Value::Switch(true), Err(Failure::InvalidParam)),
        (16, number(1.0), Err(Failure::DeviceRefused)),
    ];
    for (point, value, expected) in orders {
        let task = Task::Write { point, value, verify: point, expected: value };
        polling.order("one", device, task, PATIENCE);
        let (execution, _) = polling.outcome("one").await;
        let result = execution.result.as_ref().map(|_| ()).map_err(|not_done| not_done.failure);
        assert_eq!(result, expected, "point {point} of {device}: {execution:?}");
    }
}

#[tokio::test]
async fn a_foreign_board_is_read_and_obeys_over_a_serial_line() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours", "theirs"].map(|end| folder.path().join(end));
    let end = |path: &std::path::Path| format!("pty,raw,echo=0,link={}", path.display());
    let _line = Command::new("socat")
        .args([end(&ours), end(&theirs)])
        .kill_on_drop(true)
        .spawn()
        .expect("socat must be installed");
    let line_is_up = async {
        while !(ours.exists() && theirs.exists()) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, line_is_up).await.expect("both ends of the line");
    let transport = Transport::Rtu {
        path: ours.display().to_string(),
        baud_rate: 19_200,
        data_bits: 8,
        stop_bits: 1,
        parity: Parity::None,
    };
    let targets = vec![target("one", 1, points()), target("nobody", 9, vec![register(0)])];
    let mut polling = Polling::start(transport, targets);
    let silent = |report: &Report| says(report, 1, Reach::Silent, Reason::Timeout);
    polling.until("silence", silent).await;

    let (board, _) = start_board(&["rtu", &theirs.display().to_string()]).await;
    // The line still holds questions of before, so that its first answers come too late.
    polling.until("every value", |report| values(report) == told(1.0)).await;
    obeys(&mut polling, "one").await;

    drop(board);
    let lost = |report: &Report| says(report, points().len(), Reach::Silent, Reason::Timeout);
    polling.until("silence again", lost).await;
}

/// Every area, type and byte order of the board.
fn points() -> Vec<Mapping> {
    use Area::{Coil, DiscreteInput, HoldingRegister, InputRegister};
    use DataType::{Float32, Int16, Int32, Uint16, Uint32};
    let tenths = Mapping { scale: 0.1, ..register(0) };
    vec![
        tenths.clone(),
        number(HoldingRegister, 1, Int16, ByteOrder::Ab),
        number(InputRegister, 2, Uint16, ByteOrder::Ab),
        bit(HoldingRegister, 3, Some(9)),
        bit(HoldingRegister, 3, Some(8)),
        number(HoldingRegister, 4, Uint16, ByteOrder::Ba),
        number(InputRegister, 8, Float32, ByteOrder::Abcd),
        number(InputRegister, 10, Float32, ByteOrder::Cdab),
        number(HoldingRegister, 12, Float32, ByteOrder::Badc),
        number(HoldingRegister, 14, Float32, ByteOrder::Dcba),
        number(HoldingRegister, 16, Uint32, ByteOrder::Abcd),
        number(HoldingRegister, 18, Int32, ByteOrder::Abcd),
        number(HoldingRegister, 20, Float32, ByteOrder::Abcd),
        bit(Coil, 0, None),
        bit(Coil, 1, None),
        bit(DiscreteInput, 101, None),
        register(200),
    ]
}

/// What the board has at those points.
fn told(unit: f64) -> Vec<Result<Value, Reason>> {
    let number = |number| Ok(Value::Number(number));
    let switch = |on| Ok(Value::Switch(on));
    vec![
        number(25.5),
        number(-50.0),
        number(unit),
        switch(true),
        switch(false),
        number(f64::from(0x3412)),
        number(12.5),
        number(12.5),
        number(12.5),
        number(12.5),
        number(4_000_000_000.0),
        number(-70_000.0),
        Err(Reason::NotANumber),
        switch(true),
        switch(false),
        switch(true),
        Err(Reason::Exception(2)),
    ]
}

/// Starts the board; it ends with the child. Returns the first line it prints.
async fn start_board(arguments: &[&str]) -> (Child, String) {
    let python = std::env::var("GAPLESS_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pymodbus_board.py");
    let mut child = Command::new(&python)
        .arg(script)
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("`{python}` does not start: {error}"));
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let first = timeout(PATIENCE, lines.next_line()).await.expect("a board in time");
    let hint = "run `pip install -r end2end/requirements.txt`, or name another by GAPLESS_PYTHON";
    (
        child,
        first
            .ok()
            .flatten()
            .unwrap_or_else(|| panic!("pymodbus does not work with `{python}`: {hint}")),
    )
}
