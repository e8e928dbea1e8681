//! Orders to the boards of the demonstration, from the socket to the register and back.

use std::path::Path;

use protocol::command::{Failure, OrderKey, Origin};
use protocol::frame::CommandStatus;
use protocol::reading::Value;
use protocol::time::Timestamp;
use protocol::wire::native::{ClientMessage, Command, CommandResult, ServerMessage};
use tokio::time::timeout;

use crate::client::{Client, get};
use crate::plant::is_reached;
use crate::running::{PATIENCE, Running};

pub(crate) fn command(id: &str, name: &str, param: Option<&str>) -> ClientMessage {
    ClientMessage::Command(Command {
        id: id.into(),
        name: name.into(),
        param: param.map(str::to_owned),
        valid_until: None,
    })
}

/// A client whose board is known to answer.
async fn client(running: &Running) -> Client {
    let (mut client, _) = Client::dial(&running.address, None).await;
    while !is_reached(&client.hear().await) {}
    client
}

/// The answer to an order; frames of streams are passed over.
async fn answer(client: &mut Client) -> CommandResult {
    loop {
        if let ServerMessage::CommandResult(result) = client.hear().await.message {
            return result;
        }
    }
}

async fn order(client: &mut Client, id: &str, name: &str, param: Option<&str>) -> CommandResult {
    client.say(command(id, name, param)).await;
    answer(client).await
}

/// Gives an order, under one id after the other, until the machine has time for it; the id, too.
async fn order_in_time(
    client: &mut Client,
    id: &str,
    name: &str,
    param: Option<&str>,
) -> (String, CommandResult) {
    let in_time = async {
        for n in 0.. {
            let id = format!("{id}/{n}");
            let result = order(client, &id, name, param).await;
            if !result.reason.is_some_and(is_late) {
                return (id, result);
            }
        }
        unreachable!("the numbers do not end")
    };
    timeout(PATIENCE, in_time).await.expect("the machine has no time for an order")
}

/// A disk or a board took longer than anyone waits for an answer.
pub(crate) fn is_late(failure: Failure) -> bool {
    use Failure::{DeviceTimeout, Expired, NotRecorded, NotVerified};
    matches!(failure, DeviceTimeout | Expired | NotRecorded | NotVerified)
}

/// How often a page is told that board-1 is polled.
async fn poll_ms(running: &Running) -> Option<u32> {
    let page = get(&running.address, "/devices/board-1").await.replace('\\', "");
    let (_, told) = page.split_once("\"poll_ms\":{\"board-1\":")?;
    told.split([',', '}']).next()?.parse().ok()
}

async fn becomes_polled_every(running: &Running, millis: u32) {
    let known = async { while poll_ms(running).await != Some(millis) {} };
    timeout(PATIENCE, known).await.expect("the pace is known");
}

#[tokio::test]
async fn an_order_reaches_the_board_and_its_effect_is_read_back() {
    // S0-17, S0-18, S0-20, S0-22 to S0-25
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let mut client = client(&running).await;

    let (id, set) = order_in_time(&mut client, "1", "SET_TEMP_THRESHOLD", Some("60.5")).await;
    assert_eq!((set.status, set.verified), (CommandStatus::Success, Some(true)), "{set:?}");
    assert_eq!(set.new, Some(Value::Number(60.5)));
    assert!(set.ms < 500);
    let again = order(&mut client, &id, "SET_TEMP_THRESHOLD", Some("60.5")).await;
    assert_eq!(again, set);

    let (_, stop) = order_in_time(&mut client, "2", "STOP", None).await;
    assert_eq!((stop.status, stop.new), (CommandStatus::Success, Some(Value::Number(3.0))));
    let (_, start) = order_in_time(&mut client, "3", "START", None).await;
    assert_eq!((start.status, start.new), (CommandStatus::Success, Some(Value::Number(4.0))));
    let (_, reset) = order_in_time(&mut client, "4", "RESET_ERROR", Some("E001")).await;
    assert_eq!((reset.status, reset.new), (CommandStatus::Success, Some(Value::Switch(false))));
    let (_, clock) = order_in_time(&mut client, "5", "SET_CLOCK", None).await;
    assert_eq!((clock.status, clock.verified), (CommandStatus::Success, Some(true)), "{clock:?}");

    let hot = order(&mut client, "6", "SET_TEMP_THRESHOLD", Some("900")).await;
    assert_eq!((hot.status, hot.reason), (CommandStatus::Fail, Some(Failure::InvalidParam)));
}

#[tokio::test]
async fn an_ordered_pace_outlives_the_process() {
    // S0-11, S0-19
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path());
    let mut client = client(&running).await;
    let (_, pace) = order_in_time(&mut client, "1", "SET_POLL_INTERVAL", Some("0.2")).await;
    assert_eq!((pace.status, pace.old), (CommandStatus::Success, Some(Value::Number(1.0))));
    becomes_polled_every(&running, 200).await;
    running.signal("-KILL");
    running.ended();

    let running = Running::start(folder.path());
    becomes_polled_every(&running, 200).await;
}

#[tokio::test]
async fn an_order_is_known_to_the_next_process() {
    // S0-60
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path());
    let mut first = client(&running).await;
    let (id, done) = order_in_time(&mut first, "1", "SET_TEMP_THRESHOLD", Some("60")).await;
    assert_eq!(done.status, CommandStatus::Success);
    recorded(folder.path(), &id).await;
    first.say(command("2", "SET_TEMP_THRESHOLD", Some("61"))).await;
    running.signal("-KILL");
    running.ended();

    let running = Running::start(folder.path());
    let mut second = client(&running).await;
    let again = order(&mut second, &id, "SET_TEMP_THRESHOLD", Some("60")).await;
    assert_eq!((again.executed_at, again.new), (done.executed_at, done.new));
    // Whatever the second order had come to: it has one outcome, and keeps it.
    let outcome = order(&mut second, "2", "SET_TEMP_THRESHOLD", Some("61")).await;
    let repeated = order(&mut second, "2", "SET_TEMP_THRESHOLD", Some("61")).await;
    assert_eq!(outcome, repeated);
}

/// Waits until the outcome of an order is on the disk.
async fn recorded(folder: &Path, id: &str) {
    let key = OrderKey {
        origin: Origin::Local,
        user: "anonymous".into(),
        device: "board-1".parse().unwrap(),
        id: id.into(),
    };
    let data = folder.join("data");
    let ended = async {
        loop {
            let start = Timestamp::from_millis(0);
            let recent = store::read_recent_commands(&data, start, PATIENCE).await;
            let mut recent = recent.unwrap_or_default().into_iter();
            if recent.any(|record| record.order.key == key && record.outcome.is_some()) {
                return;
            }
        }
    };
    timeout(PATIENCE, ended).await.expect("the outcome is not on record");
}
