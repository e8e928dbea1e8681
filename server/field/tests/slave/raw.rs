//! A serial line with noise, strangers and pauses on it.

use std::path::{Path, PathBuf};

use field::map::Parity;
use field::slave::{SerialLine, Way};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_serial::{SerialPortBuilderExt, SerialStream};

use crate::support::*;

/// A serial line of two ends.
pub(crate) struct Line {
    pub(crate) ours: PathBuf,
    pub(crate) theirs: PathBuf,
    folder: TempDir,
    _socat: Child,
}

impl Line {
    pub(crate) async fn lay() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::lay_in(folder).await
    }

    async fn lay_in(folder: TempDir) -> Self {
        let [ours, theirs] = ["ours", "theirs"].map(|end| folder.path().join(end));
        let end = |path: &Path| format!("pty,raw,echo=0,link={}", path.display());
        let socat = Command::new("socat")
            .args([end(&ours), end(&theirs)])
            .kill_on_drop(true)
            .spawn()
            .expect("socat must be installed");
        let is_laid = async {
            while !(ours.exists() && theirs.exists()) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, is_laid).await.expect("both ends of the line");
        Self { ours, theirs, folder, _socat: socat }
    }

    /// Cuts the line, and lays another between the same names.
    async fn lay_again(self) -> Self {
        let Self { ours, theirs, folder, _socat: mut socat } = self;
        socat.kill().await.expect("socat runs");
        for end in [ours, theirs] {
            let _ = std::fs::remove_file(end);
        }
        Self::lay_in(folder).await
    }

    pub(crate) fn way(&self) -> Way {
        Way::Rtu(SerialLine {
            path: self.ours.display().to_string(),
            baud_rate: 9600,
            data_bits: 8,
            stop_bits: 1,
            parity: Parity::None,
        })
    }

    fn master(&self) -> Master {
        let path = self.theirs.display().to_string();
        Master(tokio_serial::new(path, 9600).open_native_async().expect("an end of the line"))
    }
}

struct Master(SerialStream);

impl Master {
    async fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("the line");
    }

    async fn hears(&mut self, expected: &[u8]) {
        let mut heard = vec![0; expected.len()];
        timeout(PATIENCE, self.0.read_exact(&mut heard))
            .await
            .expect("an answer")
            .expect("the line");
        assert_eq!(heard, expected);
    }

    /// Asks until somebody answers.
    async fn asks_until_heard(&mut self, request: &[u8], expected: &[u8]) {
        let asking = async {
            loop {
                self.say(request).await;
                let mut heard = vec![0; expected.len()];
                let answer = self.0.read_exact(&mut heard);
                if timeout(std::time::Duration::from_millis(200), answer).await.is_ok() {
                    return heard;
                }
            }
        };
        assert_eq!(timeout(PATIENCE, asking).await.expect("an answer"), expected);
    }
}

const STATUS: [u8; 5] = [3, 0, 0, 0, 1];
const TOLD: [u8; 4] = [3, 2, 0, 1];

#[tokio::test]
async fn strangers_and_noise_are_passed_over() {
    let line = Line::lay().await;
    let mut serving = Serving::over(line.way());
    let mut master = line.master();
    master.asks_until_heard(&frame(UNIT, &STATUS), &frame(UNIT, &TOLD)).await;

    let mut broken = frame(UNIT, &STATUS);
    broken[2] ^= 0x10;
    let silent = [
        frame(9, &STATUS),
        frame(9, &[3, 2, 0, 7]),
        broken,
        vec![UNIT],
        vec![0xFF; 700],
        frame(0, &STATUS),
        frame(0, &[5, 1, 0x20, 0xFF, 0]),
    ];
    for bytes in &silent {
        master.say(bytes).await;
        // The next is told apart by the silence before it.
        tokio::time::sleep(SILENCE).await;
    }
    assert_eq!(serving.next_order().await, "CLOSE", "a broadcast is carried out");
    master.say(&frame(UNIT, &[3, 0, 3, 0, 1])).await;
    // The first answer of all is that to the last question.
    master.hears(&frame(UNIT, &[3, 2, 0, 255])).await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_what_is_right_is_done() {
    let line = Line::lay().await;
    let mut serving = Serving::over(line.way());
    let mut master = line.master();
    master.asks_until_heard(&frame(UNIT, &STATUS), &frame(UNIT, &TOLD)).await;
    let table: [(&[u8], &[u8]); 6] = [
        (&[7], &[0x87, 1]),
        (&[3, 0, 6, 0, 1], &[0x83, 2]),
        (&[3, 0, 0, 0, 0], &[0x83, 3]),
        (&[16, 0, 0x10, 0, 1, 9, 0, 1], &[0x90, 3]),
        (&[5, 1, 0x21, 0xFF, 0], &[0x85, 6]),
        (&[6, 0, 0x10, 2, 0x58], &[6, 0, 0x10, 2, 0x58]),
    ];
    for (request, expected) in table {
        master.say(&frame(UNIT, request)).await;
        master.hears(&frame(UNIT, expected)).await;
    }
    assert_eq!(serving.next_order().await, "OPEN");
    assert_eq!(serving.next_order().await, "SET 60");
}

#[tokio::test]
async fn a_line_that_vanishes_is_taken_again() {
    let line = Line::lay().await;
    let _serving = Serving::over(line.way());
    let (request, told) = (frame(UNIT, &STATUS), frame(UNIT, &TOLD));
    line.master().asks_until_heard(&request, &told).await;
    let line = line.lay_again().await;
    line.master().asks_until_heard(&request, &told).await;
}

fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = [&[unit], pdu].concat();
    let mut crc = 0xFFFF_u16;
    for byte in &bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
        }
    }
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// What a master keeps between two frames, and then some.
const SILENCE: std::time::Duration = std::time::Duration::from_millis(100);
