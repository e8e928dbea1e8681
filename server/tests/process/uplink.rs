//! An edge and its center as two processes that are killed while the history goes up.

use std::fs;
use std::path::Path;
use std::time::Duration;

use field::simulator::Fault;
use protocol::part::{Condition, PartState};
use protocol::status::StatusRow;
use protocol::time::Timestamp;
use serde_json::Value;
use store::{Backlog, BacklogPolicy};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::client::get;
use crate::plant::Plant;
use crate::running::{PATIENCE, Running};

const TOKEN: &str = "a-token-for-tests-only";

/// A center without boards, in a folder of its own.
pub(crate) fn center_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[server]\nrole = \"center\"\n\n[[site]]\nid = \"north\"\n\n\
         [[edge]]\nid = \"north\"\ntoken = \"{TOKEN}\"\nsite = \"north\"\n\
         devices = [\"board-1\"]\ncommands = [\"limit\"]\n"
    );
    fs::write(folder.path().join("gapless.toml"), text).unwrap();
    folder
}

/// An edge with one board that the test plays.
pub(crate) async fn edge_folder(center: &str) -> (TempDir, Plant) {
    let folder = tempfile::tempdir().unwrap();
    let plant = Plant::begin(folder.path()).await;
    let path = folder.path().join("gapless.toml");
    let text = fs::read_to_string(&path).unwrap();
    let uplink = format!(
        "[uplink]\nurl = \"ws://{center}/ws/uplink\"\nedge = \"north\"\ntoken = \"{TOKEN}\"\n\n"
    );
    fs::write(&path, uplink + &text).unwrap();
    (folder, plant)
}

fn row(n: u64) -> StatusRow {
    StatusRow {
        bit_position: None,
        device_id: "board-1".parse().unwrap(),
        new_value: n.to_string(),
        old_value: "OFF".into(),
        record_time: Timestamp::from_millis(n),
        status_name: "before".into(),
        status_type: "InputStatus".into(),
        timestamp: Timestamp::from_millis(n),
    }
}

/// What an edge gathered in days without a center.
pub(crate) async fn fill(folder: &Path, rows: u64) {
    let (backlog, inbox) = Backlog::open();
    let (stop, state) = (CancellationToken::new(), PartState::Working);
    let condition = Condition { since: Timestamp::default(), state, why: None };
    let conditions = watch::Sender::new(condition);
    let policy = BacklogPolicy::default();
    let data = folder.join("data");
    let write = store::write_backlog(data, inbox, policy, stop.clone(), conditions);
    let writer = tokio::spawn(write);
    for n in 1..=rows {
        backlog.append(row(n));
        if n % 10_000 == 0 {
            assert!(backlog.flushed().await);
        }
    }
    assert!(backlog.flushed().await);
    stop.cancel();
    writer.await.unwrap();
}

async fn ask(center: &Running, path: &str) -> Option<Value> {
    let answer = timeout(PATIENCE, get(&center.address, path)).await.ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

async fn received(center: &Running) -> u64 {
    let edges = ask(center, "/api/edges").await;
    edges.and_then(|edges| edges[0]["received"].as_u64()).unwrap_or_default()
}

async fn has(center: &Running, rows: u64) {
    let waiting = async {
        while received(center).await < rows {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE * 4, waiting).await.expect("the rows do not come");
}

/// All rows of the center, newest first: their times and what they tell.
pub(crate) async fn rows(center: &Running) -> Vec<(u64, String)> {
    let (mut rows, mut before) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/edges/north/history?limit=1000&before={before}");
        let page = ask(center, &path).await.unwrap();
        let told = page["rows"].as_array().unwrap().iter().map(|row| {
            let name = row["status_name"].as_str().unwrap().to_owned();
            (row["timestamp"].as_u64().unwrap(), name)
        });
        rows.extend(told);
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut before),
            None => return rows,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_either_end_lose_no_row_and_keep_none_twice() {
    // S0-46 to S0-51
    let above = center_folder();
    let mut center = Running::start(above.path());
    let address = center.address.clone();
    let (below, plant) = edge_folder(&address).await;
    fill(below.path(), ROWS).await;
    let mut edge = Running::start(below.path());
    for round in 1..=ROUNDS {
        has(&center, round * (ROWS / (ROUNDS + 2))).await;
        if round % 2 == 1 {
            edge.signal("-KILL");
            edge.ended();
            edge = Running::start(below.path());
        } else {
            center.signal("-KILL");
            center.ended();
            center = Running::start_at(above.path(), &address);
        }
    }
    has(&center, ROWS).await;
    // Live again: the board falls silent, and that goes up at once.
    plant.faults.set(Fault::Hang);
    let live = async {
        loop {
            let rows = rows(&center).await;
            if rows.iter().any(|(_, name)| name == "E030") {
                return rows;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let rows = timeout(PATIENCE, live).await.expect("nothing of the board goes up");
    let mut before: Vec<_> =
        rows.iter().filter(|(_, name)| name == "before").map(|(at, _)| *at).collect();
    before.reverse();
    assert_eq!(before.len(), ROWS as usize);
    assert!(before.into_iter().eq(1..=ROWS), "each once, in order");
}

/// What goes up takes long enough to be killed within.
const ROWS: u64 = 12_000;
const ROUNDS: u64 = 4;
