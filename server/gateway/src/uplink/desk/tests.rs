use engine::Journal;
use protocol::command::Origin;
use protocol::id::ChannelId;
use protocol::point::Plant;
use tokio::time::sleep;

use super::*;
use crate::Token;
use crate::hub::{Desk, Shelf};
use crate::stopwatch::Stopwatch;

/// A hub without a Station: what it is told stays in the inbox.
fn hub() -> (Hub, Desk) {
    let shelf = Shelf {
        journal: Journal::default(),
        disk: store::Journal::open().0,
        commands: store::Commands::open().0,
        backlog: None,
        audit: store::Audit::open().0,
    };
    let plant = Plant { sites: Vec::new(), devices: Vec::new(), demo: false };
    let (hub, desk, _) = Hub::open(&plant, shelf, Stopwatch::start());
    (hub, desk)
}

/// A desk whose history never answers.
fn desk() -> (Edges, EdgeDesk) {
    let north = Neighbour {
        id: "north".parse().unwrap(),
        token: Token::new("a-token-for-tests-only".into()),
        devices: vec!["board-1".parse().unwrap()],
    };
    Edges::open(vec![north], Center::open().0)
}

fn job(within_ms: u64) -> Job {
    let device: DeviceId = "north:board-1".parse().unwrap();
    let key = OrderKey {
        origin: Origin::Local,
        user: "li".into(),
        device: device.clone(),
        id: "c-1".into(),
    };
    let task = Task::Forward { command: "START".into(), param: None };
    Job { key, device, channel: ChannelId(9), task, within: Duration::from_millis(within_ms) }
}

fn arrival() -> (Call, mpsc::Receiver<Letter>) {
    let (letters, inbox) = mpsc::channel(4);
    let (edge, socket) = ("north".parse().unwrap(), "c-1".parse().unwrap());
    (Call::Arrived { edge, socket, letters }, inbox)
}

#[tokio::test(start_paused = true)]
async fn an_order_loses_the_time_it_waited_for_the_desk() {
    for (waited, expected) in [(0, Some(400)), (150, Some(250)), (400, None), (9_000, None)] {
        let (hub, _station) = hub();
        let (edges, mut desk) = desk();
        let (arrived, mut letters) = arrival();
        desk.take(arrived, &hub).await.unwrap();
        edges.order(job(400)).unwrap();
        sleep(Duration::from_millis(waited)).await;
        let call = desk.calls.recv().await.unwrap();
        desk.take(call, &hub).await.unwrap();
        let within = letters.try_recv().ok().map(|letter| match letter {
            Letter::Order(command, until) => {
                assert_eq!(millis(until - Instant::now()), command.within_ms);
                command.within_ms
            }
            Letter::TakenOver => panic!("nobody came"),
        });
        assert_eq!(within, expected, "after {waited} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn no_order_waits_for_a_count_of_rows() {
    let (hub, _station) = hub();
    let (edges, desk) = desk();
    let desk = std::sync::Arc::new(tokio::sync::Mutex::new(desk));
    let (arrived, mut letters) = arrival();
    tokio::spawn(run_edge_desk(desk, hub, CancellationToken::new()));
    edges.say(arrived).await.unwrap();
    let (edge, socket) = ("north".parse().unwrap(), "c-1".parse().unwrap());
    edges.say(Call::Heard { edge, socket, line: Line::default() }).await.unwrap();
    // The count has begun, and is not there yet.
    sleep(BREATH + LOOK_UP_WITHIN / 2).await;
    let ordered = Instant::now();
    edges.order(job(400)).unwrap();
    assert!(matches!(letters.recv().await, Some(Letter::Order(..))));
    assert_eq!(ordered.elapsed(), Duration::ZERO);
}
