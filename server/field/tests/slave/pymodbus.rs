//! The slave as a master sees it that nobody here wrote, over TCP and over a serial line.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::raw::Line;
use crate::support::*;

#[tokio::test]
async fn a_foreign_master_is_served_over_tcp() {
    let mut serving = Serving::over_tcp().await;
    let port = serving.address.unwrap().port().to_string();
    converse(&mut serving, Master::start(&["tcp", &port]).await).await;
}

#[tokio::test]
async fn a_foreign_master_is_served_over_a_serial_line() {
    let line = Line::lay().await;
    let mut serving = Serving::over(line.way());
    let mut master = Master::start(&["rtu", &line.theirs.display().to_string()]).await;
    // The slave may still be opening its end of the line.
    let is_open = async { while master.ask("94 3 0 1").await == "silence" {} };
    timeout(PATIENCE, is_open).await.expect("an answer");
    assert_eq!(master.ask("0 5 0x0120 1").await, "said");
    assert_eq!(serving.next_order().await, "CLOSE", "a broadcast is carried out");
    converse(&mut serving, master).await;
}

async fn converse(serving: &mut Serving, mut master: Master) {
    let table = [
        ("94 3 0 6", "1 0 0 255 16712 0"),
        ("94 4 3 1", "255"),
        ("94 1 0x0120 3", "0 0 1"),
        ("94 2 0 1", "1"),
        ("94 3 6 1", "exception 2"),
        ("94 3 0 7", "exception 2"),
        ("94 5 0x0102 1", "exception 2"),
        ("94 6 0 1", "exception 2"),
        ("94 raw 3 00000000", "exception 3"),
        ("94 raw 3 0000", "exception 3"),
        ("94 raw 16 00100001030001", "exception 3"),
        ("94 raw 5 0120ff01", "exception 3"),
        ("94 raw 7", "exception 1"),
        ("94 raw 43 0e0100", "exception 1"),
        ("9 3 0 1", "silence"),
        ("94 6 0x10 600", "done"),
        ("94 6 0x10 10000", "exception 3"),
        ("94 5 0x0121 1", "exception 6"),
        ("94 5 0x0101 1", "exception 4"),
        ("94 5 0x0120 0", "done"),
        ("94 15 0x0120 1 0 1", "done"),
        ("94 16 0x3000 123 1797 2332 1818", "done"),
        ("94 3 0 1", "1"),
    ];
    for (request, expected) in table {
        assert_eq!(master.ask(request).await, expected, "{request}");
    }
    let time = format!("SET_CLOCK {NOW}");
    let orders = ["SET 60", "SET 1000", "OPEN", "RESET E001", "CLOSE", "FAN ON", &time];
    for order in orders {
        assert_eq!(serving.next_order().await, order);
    }
    assert!(serving.ordered.is_empty());
}

/// A master that asks what it is told; it ends with this.
struct Master {
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Master {
    async fn start(arguments: &[&str]) -> Self {
        let python = std::env::var("GAPLESS_PYTHON").unwrap_or_else(|_| "python3".into());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pymodbus_master.py");
        let mut child = Command::new(&python)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("`{python}` does not start: {error}"));
        let requests = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut master = Self { requests, answers, _child: child };
        assert_eq!(master.next().await, "ready");
        master
    }

    async fn ask(&mut self, request: &str) -> String {
        self.requests.write_all(format!("{request}\n").as_bytes()).await.expect("a master");
        self.next().await
    }

    async fn next(&mut self) -> String {
        let line = timeout(PATIENCE, self.answers.next_line()).await.expect("a line in time");
        let hint =
            "run `pip install -r end2end/requirements.txt`, or name another by GAPLESS_PYTHON";
        line.ok().flatten().unwrap_or_else(|| panic!("pymodbus does not work: {hint}"))
    }
}
