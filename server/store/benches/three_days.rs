//! What three days without a center cost an edge: memory of its process, and disk.
//!
//! `cargo bench -p store --bench three_days`, with the program that `GAPLESS` names, else the one in
//! `target/release`; without a program nothing is measured.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use protocol::part::{Condition, PartState};
use protocol::status::StatusRow;
use protocol::time::Timestamp;
use store::{BACKLOG_FILE, Backlog, BacklogPolicy, write_backlog};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release/gapless");
    let program = std::env::var_os("GAPLESS").map_or(usual, PathBuf::from);
    if !program.is_file() {
        return println!("three days: there is no program {}", program.display());
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gapless.toml"), CONFIGURATION).unwrap();
    let points = "device,point_id,type,area,address,datatype\nboard-1,temperature,T,hr,16,int16\n";
    fs::write(folder.path().join("points.csv"), points).unwrap();

    let before = weigh(&program, folder.path()).await;
    fill(&folder.path().join("data")).await;
    let disk = fs::metadata(folder.path().join("data").join(BACKLOG_FILE)).unwrap().len();
    let after = weigh(&program, folder.path()).await;
    let [before, after, disk] = [before, after, disk].map(|bytes| bytes as f64 / 1e6);
    println!(
        "| {ROWS} rows wait for a center | {before:.1} MB became {after:.1} MB, and {disk:.1} MB \
         of disk | 16 MB more at most |"
    );
    assert!(after < before + 16.0, "memory is not flat");
}

/// Lets an edge run for a while; the bytes of memory that it holds then.
async fn weigh(program: &Path, folder: &Path) -> u64 {
    let mut command = Command::new(program);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"]);
    let mut edge = Edge(command.env("GAPLESS_LOG", "off").current_dir(folder).spawn().unwrap());
    sleep(SETTLE).await;
    assert!(edge.0.try_wait().unwrap().is_none(), "the edge has ended");
    let status = fs::read_to_string(format!("/proc/{}/status", edge.0.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// It ends with this.
struct Edge(Child);

impl Drop for Edge {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn fill(data: &Path) {
    let (backlog, inbox) = Backlog::open();
    let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
    let (conditions, stop) = (watch::Sender::new(works), CancellationToken::new());
    let policy = BacklogPolicy::default();
    let writing = write_backlog(data.into(), inbox, policy, stop.clone(), conditions);
    let writing = tokio::spawn(writing);
    for number in 1..=ROWS {
        backlog.append(row(number));
        if number % 10_000 == 0 {
            assert!(backlog.flushed().await);
        }
    }
    assert!(backlog.flushed().await);
    stop.cancel();
    writing.await.unwrap();
}

fn row(number: u64) -> StatusRow {
    let at = Timestamp::from_millis(number);
    StatusRow {
        bit_position: None,
        device_id: "board-1".parse().unwrap(),
        new_value: number.to_string(),
        old_value: "OFF".into(),
        record_time: at,
        status_name: "before".into(),
        status_type: "InputStatus".into(),
        timestamp: at,
    }
}

/// Nobody listens at port 9: neither a center nor a board.
const CONFIGURATION: &str = "\
[uplink]
url = \"ws://127.0.0.1:9/ws/uplink\"
edge = \"north\"
token = \"a-token-for-tests-only\"

[[site]]
id = \"north\"

[[channel]]
id = 1
transport = \"tcp\"
host = \"127.0.0.1\"
port = 9

[[device]]
id = \"board-1\"
site = \"north\"
channel = 1
unit = 16
";

/// A row a second.
const ROWS: u64 = 72 * 3_600;

const SETTLE: Duration = Duration::from_secs(10);
