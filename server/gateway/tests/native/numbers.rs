//! What a client receives while all is well, and how holes are repaired.

use protocol::frame::Sequence;
use protocol::stream::StreamName;
use protocol::wire::native::{ClientMessage, ServerFrame, ServerMessage};

use crate::house::House;
use crate::house::client::Client;

fn is_delta(frame: &ServerFrame) -> bool {
    matches!(frame.message, ServerMessage::DataUpdate(_))
}

#[tokio::test]
async fn values_follow_the_snapshot_numbered_without_a_hole() {
    // S0-14, S0-33, S0-34, S0-55, S0-91
    let house = House::open().await;
    let (mut client, welcome) = Client::join(&house).await;
    assert!(!welcome.connection_id.as_str().is_empty() && !welcome.resumed);
    for temperature in [20.0, 21.5, 22.0] {
        house.poll("board-1", temperature).await;
        let frame = client.hear_until(is_delta).await;
        let ServerMessage::DataUpdate(update) = frame.message else { unreachable!() };
        let reading = update.points["temperature"];
        assert_eq!(reading.value.and_then(|value| value.number()), Some(temperature));
    }
}

#[tokio::test]
async fn each_connection_counts_from_one() {
    // S0-55
    let house = House::open().await;
    let (mut early, _) = Client::join(&house).await;
    house.poll("board-1", 20.0).await;
    early.hear_until(is_delta).await;
    let (mut late, _) = Client::join(&house).await;
    house.poll("board-1", 21.0).await;
    let (first, second) = (early.hear_until(is_delta).await, late.hear_until(is_delta).await);
    assert!(first.seq > second.seq, "{:?} {:?}", first.seq, second.seq);
}

#[tokio::test]
async fn further_streams_come_and_go_on_request() {
    let house = House::open().await;
    let (mut client, _) = Client::join(&house).await;
    let other: StreamName = "device/board-2".parse().unwrap();
    for _ in 0..2 {
        let wanted = vec![other.to_string(), "device/none".into()];
        client.say(ClientMessage::Subscribe(wanted)).await;
        let answer = client.hear_until(|frame| frame.message.kind() == "SUBSCRIBED").await;
        let ServerMessage::Subscribed(subscribed) = answer.message else { unreachable!() };
        assert_eq!((subscribed.streams.len(), subscribed.refused.len()), (1, 1));
        let snapshot = client.hear_until(|frame| frame.stream.as_ref() == Some(&other)).await;
        assert!(matches!(snapshot.message, ServerMessage::FullSnapshot(_)), "{snapshot:?}");

        house.poll("board-2", 30.0).await;
        house.poll("board-1", 30.0).await;
        client.say(ClientMessage::Unsubscribe(vec![other.to_string()])).await;
        client.say(ClientMessage::Heartbeat).await;
        client.hear_until(|frame| frame.message.kind() == "HEARTBEAT_ACK").await;
        client.forget(&other);
    }
    house.poll("board-2", 31.0).await;
    house.poll("board-1", 31.0).await;
    let frame = client.hear_until(is_delta).await;
    assert_eq!(frame.stream, None, "the other stream is no longer followed");
}

#[tokio::test]
async fn a_heartbeat_is_answered_with_the_last_number_written() {
    // S0-15, S0-38
    let house = House::open().await;
    let (mut client, _) = Client::join(&house).await;
    let mut last = Sequence::FIRST;
    for temperature in 0..30 {
        house.poll("board-1", f64::from(temperature)).await;
        client.say(ClientMessage::Heartbeat).await;
        let ack = loop {
            let frame = client.hear().await;
            last = frame.seq.unwrap_or(last);
            if let ServerMessage::HeartbeatAck(ack) = frame.message {
                break ack;
            }
        };
        assert_eq!(ack.streams[0].seq, last);
        assert!(ack.summary.is_some());
    }
}

#[tokio::test]
async fn missed_numbers_are_sent_again() {
    // S0-57, S0-58
    let house = House::open().await;
    let (mut client, _) = Client::join(&house).await;
    for temperature in [20.0, 21.0, 22.0] {
        house.poll("board-1", temperature).await;
        client.hear_until(is_delta).await;
    }
    client.miss(&[(2, 3)]).await;
    let mut recovered = Vec::new();
    let answer = loop {
        let frame = client.hear().await;
        match frame.message {
            ServerMessage::DataRecovered(answer) => break answer,
            _ => recovered.extend(frame.seq.filter(|_| frame.recovered)),
        }
    };
    assert_eq!(recovered, [Sequence(2), Sequence(3)]);
    assert!(answer.gone.is_empty());
}
