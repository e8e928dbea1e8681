//! Orders from above: down to the board, and the answer up.

use engine::Event;
use protocol::command::{Failure, Order, OrderKey, Origin, Outcome, Reply};
use protocol::job::{Done, Execution, Job, NotDone, Task};
use protocol::reading::Value;
use tempfile::tempdir;

use crate::forwarder::Forwarder;
use crate::raw::Raw;
use crate::servers::{CenterHouse, EdgeHouse, TOKEN, until};

fn order(id: &str, param: Option<&str>) -> Order {
    let (origin, user) = (Origin::Local, "anonymous".into());
    let key = OrderKey { origin, user, device: "north:board-1".parse().unwrap(), id: id.into() };
    let (command, param) = ("SET_TEMP_THRESHOLD".into(), param.map(Into::into));
    Order { key, command, param, valid_until: None, via: "a test".into() }
}

fn outcome(reply: Reply) -> Outcome {
    match reply {
        Reply::Done(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

/// Gives an order until one reaches the board: on a machine with much to do, one may be too late.
async fn give(center: &CenterHouse, edge: &mut EdgeHouse) -> (Job, String, Asked) {
    for number in 0.. {
        let (hub, id) = (center.hub.clone(), format!("c-{number}"));
        let given = order(&id, Some("32"));
        let mut asked = tokio::spawn(async move { hub.order(given).await.unwrap() });
        tokio::select! {
            job = edge.jobs.recv() => {
                let job = job.unwrap();
                assert!(!job.key.id.starts_with(HELD_UP), "its time had passed");
                // The answer to an earlier one that came late after all is nobody's.
                if job.key.id == id {
                    return (job, id, asked);
                }
            }
            reply = &mut asked => {
                let late = outcome(reply.unwrap());
                let is_late = [
                    Failure::DeviceTimeout,
                    Failure::Expired,
                    Failure::NotRecorded,
                    Failure::ConflictHighPriority,
                ];
                assert!(is_late.contains(&late.failure.unwrap()), "{late:?}");
            }
        }
    }
    unreachable!("there are more numbers than patience")
}

/// How orders are called that are to come too late.
const HELD_UP: &str = "held-up-";

type Asked = tokio::task::JoinHandle<Reply>;

/// A center and an edge that have found each other, and whose board answers.
async fn pair(above: &std::path::Path, below: &std::path::Path) -> (CenterHouse, EdgeHouse) {
    let center = CenterHouse::open(above).await;
    let mut edge = EdgeHouse::open(below);
    edge.poll().await;
    edge.dial(center.address, TOKEN);
    until(async || (center.is_reached() && edge.is_reaching()).then_some(())).await;
    (center, edge)
}

#[tokio::test]
async fn an_order_goes_down_and_its_answer_up() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let (center, mut edge) = pair(above.path(), below.path()).await;
    let (job, id, asked) = give(&center, &mut edge).await;
    assert_eq!((job.key.origin, &job.key.id), (Origin::SystemServer, &id));
    let expected = Task::Write {
        point: 0,
        value: Value::Number(32.0),
        verify: 0,
        expected: Value::Number(32.0),
    };
    assert_eq!(job.task, expected);
    let done = Done { old: Some(Value::Number(30.0)), new: Some(Value::Number(32.0)) };
    let execution = Execution { result: Ok(done), written_after: None };
    edge.hub.tell(Event::Executed { key: job.key, execution }).await.unwrap();
    let outcome = outcome(asked.await.unwrap());
    assert_eq!(outcome.failure, None);
    assert_eq!((outcome.old, outcome.new), (Some(Value::Number(30.0)), Some(Value::Number(32.0))));
    edge.close().await;
    center.close().await;
}

#[tokio::test]
async fn an_order_that_was_held_up_on_its_way_is_not_carried_out() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let center = CenterHouse::open(above.path()).await;
    let line = Forwarder::to(center.address).await;
    let mut edge = EdgeHouse::open(below.path());
    edge.poll().await;
    edge.dial(line.address, TOKEN);
    until(async || (center.is_reached() && edge.is_reaching()).then_some(())).await;
    line.hold_up(true);
    for number in 0.. {
        // On a machine with much to do, it may not even have been sent.
        let held_up = order(&format!("{HELD_UP}{number}"), Some("99"));
        let reply = outcome(center.hub.order(held_up).await.unwrap());
        if reply.failure == Some(Failure::DeviceTimeout) {
            break;
        }
    }
    line.hold_up(false);
    let (job, id, _) = give(&center, &mut edge).await;
    assert_eq!(job.key.id, id);
    edge.close().await;
    center.close().await;
}

#[tokio::test]
async fn what_went_wrong_below_is_told_above() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let (center, mut edge) = pair(above.path(), below.path()).await;
    let reply = outcome(center.hub.order(order("x-1", Some("warm"))).await.unwrap());
    assert_eq!(reply.failure, Some(Failure::InvalidParam), "{reply:?}");
    let reply = outcome(center.hub.order(order("x-2", None)).await.unwrap());
    assert_eq!(reply.failure, Some(Failure::InvalidParam), "{reply:?}");
    let (job, _, asked) = give(&center, &mut edge).await;
    let not_done = NotDone { found: Some(Value::Number(30.0)), ..Failure::NotVerified.into() };
    let execution = Execution { result: Err(not_done), written_after: None };
    edge.hub.tell(Event::Executed { key: job.key, execution }).await.unwrap();
    let reply = outcome(asked.await.unwrap());
    assert_eq!(reply.failure, Some(Failure::NotVerified));
    assert_eq!((reply.verified, reply.new), (Some(false), Some(Value::Number(30.0))));
    edge.close().await;
    center.close().await;
}

#[tokio::test]
async fn an_order_to_an_edge_that_is_away_is_not_kept_for_later() {
    let above = tempdir().unwrap();
    let center = CenterHouse::open(above.path()).await;
    let reply = outcome(center.hub.order(order("c-1", Some("32"))).await.unwrap());
    assert_eq!(reply.failure, Some(Failure::DeviceOffline));
    let mut raw = Raw::live(center.address).await;
    raw.say(r#"{"data":{},"timestamp":7,"type":"HEARTBEAT"}"#).await;
    let next = raw.hear().await;
    assert_eq!(next["type"], "HEARTBEAT_ACK", "no order from before: {next}");
    center.close().await;
}

#[tokio::test]
async fn the_same_order_again_gets_the_same_answer_and_is_carried_out_once() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let (center, mut edge) = pair(above.path(), below.path()).await;
    let (job, id, asked) = give(&center, &mut edge).await;
    // The edge's own way, as after a lost answer.
    let key = OrderKey {
        origin: Origin::SystemServer,
        device: "board-1".parse().unwrap(),
        ..order(&id, None).key
    };
    let again = Order { key, ..order(&id, Some("32")) };
    let done = Done { old: None, new: Some(Value::Number(32.0)) };
    let execution = Execution { result: Ok(done), written_after: None };
    edge.hub.tell(Event::Executed { key: job.key, execution }).await.unwrap();
    asked.await.unwrap();
    let again = outcome(edge.hub.order(again).await.unwrap());
    assert_eq!((again.failure, again.new), (None, Some(Value::Number(32.0))));
    assert!(edge.jobs.try_recv().is_err(), "it was carried out once");
    edge.close().await;
    center.close().await;
}
