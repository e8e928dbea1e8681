//! Orders that are given at a center, and carried out at an edge's board or never.

use protocol::command::{Failure, Origin};
use protocol::frame::CommandStatus;
use protocol::reading::Value;
use protocol::wire::native::{CommandResult, ServerMessage};
use tokio::time::timeout;

use crate::cable::Way;
use crate::client::Client;
use crate::orders::{command, is_late};
use crate::pair::{LIMIT, Pair};
use crate::running::PATIENCE;

/// Sets the point, under a name for each value; what is answered, streams aside.
async fn set(client: &mut Client, value: u16) -> ServerMessage {
    client.say(command(&format!("c-{value}"), "limit", Some(&value.to_string()))).await;
    loop {
        let message = client.hear().await.message;
        if matches!(
            message,
            ServerMessage::CommandResult(_)
                | ServerMessage::ConflictHighPriority(_)
                | ServerMessage::InvalidCommandFormat(_)
        ) {
            return message;
        }
    }
}

async fn outcome(client: &mut Client, value: u16) -> CommandResult {
    match set(client, value).await {
        ServerMessage::CommandResult(result) => result,
        other => panic!("{other:?}"),
    }
}

/// Sets one value after the other, until the machine has time for it.
async fn set_in_time(client: &mut Client, first: u16) -> (u16, CommandResult) {
    let in_time = async {
        for value in first.. {
            let result = outcome(client, value).await;
            if !result.reason.is_some_and(is_late) {
                return (value, result);
            }
        }
        unreachable!("there are more values than patience")
    };
    timeout(PATIENCE, in_time).await.expect("the order is not carried out")
}

/// The same, once the center has the edge again.
async fn set_again(pair: &Pair, first: u16) -> CommandResult {
    let again = async {
        for first in (first..).step_by(100) {
            // It comes when the edge is there, as far as the center knows.
            let (_, result) = set_in_time(&mut pair.client_above().await, first).await;
            if result.reason != Some(Failure::DeviceOffline) {
                return result;
            }
        }
        unreachable!("there are more values than patience")
    };
    timeout(PATIENCE, again).await.expect("the edge does not come back")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_of_the_center_is_carried_out_once_at_the_edges_board() {
    // S0-22 to S0-25, S0-28, S0-60
    let pair = Pair::start().await;
    let mut above = pair.client_above().await;
    let (value, done) = set_in_time(&mut above, 100).await;
    assert_eq!((done.status, done.verified), (CommandStatus::Success, Some(true)), "{done:?}");
    assert_eq!(done.new, Some(Value::Number(value.into())));
    assert!(done.ms < 500, "{done:?}");
    assert_eq!(outcome(&mut above, value).await, done);
    assert_eq!(pair.tap.times(LIMIT, value), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_system_server_holds_its_target_against_the_edges_operator() {
    // S0-28 to S0-30
    let mut pair = Pair::start().await;
    let (mut above, mut below) = (pair.client_above().await, pair.client_below().await);
    let (_, local) = set_in_time(&mut below, 100).await;
    assert_eq!(local.status, CommandStatus::Success, "{local:?}");
    let (value, ruled) = set_in_time(&mut above, 200).await;
    assert_eq!(ruled.status, CommandStatus::Success, "an operator's hold is nothing: {ruled:?}");
    match set(&mut below, 300).await {
        ServerMessage::ConflictHighPriority(conflict) => {
            assert_eq!(conflict.holder.origin, Origin::SystemServer, "{conflict:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((pair.tap.times(LIMIT, value), pair.tap.times(LIMIT, 300)), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_to_an_edge_that_is_cut_off_is_not_carried_out_later() {
    // S0-26
    let pair = Pair::start().await;
    let mut above = pair.client_above().await;
    let (_, first) = set_in_time(&mut above, 100).await;
    assert_eq!(first.status, CommandStatus::Success, "{first:?}");
    pair.cable.cut();
    let lost = outcome(&mut above, 200).await;
    let expected = [Failure::DeviceOffline, Failure::DeviceTimeout];
    assert!(lost.ms <= 500 && expected.contains(&lost.reason.unwrap()), "{lost:?}");
    pair.cable.mend();
    let next = set_again(&pair, 300).await;
    assert_eq!(next.status, CommandStatus::Success, "{next:?}");
    assert_eq!(pair.tap.times(LIMIT, 200), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_that_a_still_cable_held_up_is_not_carried_out_when_it_arrives() {
    // S0-26
    let pair = Pair::start().await;
    let mut above = pair.client_above().await;
    let (_, first) = set_in_time(&mut above, 100).await;
    assert_eq!(first.status, CommandStatus::Success, "{first:?}");
    pair.cable.be_still();
    // Each answer takes its time: at the end the first is more than a second old.
    for value in [200, 201, 202] {
        let lost = outcome(&mut above, value).await;
        let expected = [Failure::DeviceTimeout, Failure::Expired];
        assert!(lost.ms <= 500 && expected.contains(&lost.reason.unwrap()), "{lost:?}");
    }
    let known = pair.cable.passed(Way::Down, "COMMAND").len();
    pair.cable.flow();
    let next = set_again(&pair, 300).await;
    assert_eq!(next.status, CommandStatus::Success, "{next:?}");
    assert!(pair.cable.passed(Way::Down, "COMMAND").len() > known + 1, "it has arrived");
    assert_eq!([200, 201].map(|value| pair.tap.times(LIMIT, value)), [0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_whose_answer_is_held_up_keeps_the_answer_that_was_given() {
    // S0-25, S0-60
    let pair = Pair::start().await;
    let mut above = pair.client_above().await;
    let (_, first) = set_in_time(&mut above, 100).await;
    assert_eq!(first.status, CommandStatus::Success, "{first:?}");
    pair.cable.stop_before(Way::Up, "COMMAND_RESULT");
    let unknown = outcome(&mut above, 200).await;
    assert!(unknown.ms <= 500 && unknown.reason == Some(Failure::DeviceTimeout), "{unknown:?}");
    assert_eq!(unknown.verified, None);
    pair.cable.holds().await;
    pair.cable.let_go();
    let next = set_again(&pair, 300).await;
    assert_eq!(next.status, CommandStatus::Success, "{next:?}");
    assert_eq!(outcome(&mut above, 200).await, unknown);
    assert!(pair.tap.times(LIMIT, 200) <= 1);
}
