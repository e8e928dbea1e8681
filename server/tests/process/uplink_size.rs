//! What a thousand edges cost a center, and three days without one an edge. Measured on request:
//! `cargo test --release -p server --test process uplink_size -- --ignored --nocapture`.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::time::Timestamp;
use protocol::wire::native::seal_text;
use protocol::wire::uplink::{EdgeMessage, Standing, seal};
use tokio::time::sleep;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;

use crate::running::Running;
use crate::uplink::{TOKEN, edge_folder, fill};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn a_thousand_idle_edges_weigh_no_more_than_agreed() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("[server]\nrole = \"center\"\n\n[[site]]\nid = \"north\"\n");
    for n in 0..EDGES {
        write!(
            text,
            "\n[[edge]]\nid = \"edge-{n}\"\ntoken = \"{TOKEN}\"\nsite = \"north\"\n\
             devices = [\"board-1\"]\n"
        )
        .unwrap();
    }
    fs::write(folder.path().join("gapless.toml"), text).unwrap();
    let center = Running::start(folder.path());
    let mut sockets = Vec::new();
    for n in 0..EDGES {
        let url = format!("ws://{}/ws/uplink?edge=edge-{n}", center.address);
        let mut request = url.into_client_request().unwrap();
        let bearer = format!("Bearer {TOKEN}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let (mut socket, _) = connect_async(request).await.unwrap();
        let greeting = socket.next().await.unwrap().unwrap();
        assert!(greeting.to_text().unwrap().contains("CONNECT_SUCCESS"));
        sockets.push(socket);
    }
    // Until every window holds its five minutes.
    for _ in 0..ROUNDS {
        for socket in &mut sockets {
            for message in [EdgeMessage::Heartbeat, EdgeMessage::Standing(Standing::default())] {
                let text = message.write("edge", Timestamp::from_millis(1));
                let text = seal_text(&seal(TOKEN), &text);
                socket.send(Message::text(text)).await.unwrap();
            }
            socket.next().await.unwrap().unwrap();
        }
        sleep(Duration::from_secs(10)).await;
    }
    let resident = resident(&center);
    eprintln!("{EDGES} idle edges: {resident} KiB resident");
    assert!(resident <= 100 * 1024, "{resident} KiB");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn three_days_without_a_center_cost_an_edge_no_memory() {
    let (below, _plant) = edge_folder("127.0.0.1:9").await;
    let edge = Running::start(below.path());
    sleep(SETTLE).await;
    let before = resident(&edge);
    drop(edge);
    fill(below.path(), THREE_DAYS).await;
    let disk = fs::metadata(below.path().join("data/backlog.db")).unwrap().len() / 1024;
    let edge = Running::start(below.path());
    sleep(SETTLE).await;
    let after = resident(&edge);
    eprintln!(
        "{THREE_DAYS} rows wait: {before} KiB resident without them, {after} KiB with; {disk} KiB \
         of disk"
    );
    assert!(after < before + 16 * 1024, "{before} KiB became {after} KiB");
}

/// Kibibytes of memory that the process holds.
fn resident(process: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

const EDGES: usize = 1_000;
const ROUNDS: usize = 32;

/// A row a second.
const THREE_DAYS: u64 = 72 * 3_600;

const SETTLE: Duration = Duration::from_secs(10);
