//! Clients that say nothing, say too much, or do not listen.

use std::time::Duration;

use protocol::wire::native::{ClientMessage, ServerMessage};
use tokio::time;

use crate::house::client::Client;
use crate::house::{House, Rules};

#[tokio::test]
async fn a_silent_client_is_closed_and_its_neighbours_hear_of_it() {
    // S0-39
    let heartbeat_interval = Duration::from_millis(300);
    let house = House::open_with(Rules { heartbeat_interval, ..Rules::default() }).await;
    let (mut silent, welcome) = Client::join(&house).await;
    let (mut neighbour, _) = Client::join(&house).await;
    let heard = tokio::spawn(async move {
        let mut beat = time::interval(heartbeat_interval / 3);
        loop {
            neighbour.say(ClientMessage::Heartbeat).await;
            let frame = neighbour.hear().await;
            if let ServerMessage::ConnectionLost(lost) = frame.message {
                return lost;
            }
            beat.tick().await;
        }
    });
    silent.hear_until(|frame| frame.message.kind() == "CONNECTION_LOST").await;
    assert_eq!(silent.hear_close().await, Some(4408));
    assert_eq!(heard.await.unwrap().connection_id, welcome.connection_id);
}

#[tokio::test]
async fn a_flood_closes_its_own_socket_and_no_other() {
    // S0-64
    let house = House::open().await;
    let (mut flooder, _) = Client::join(&house).await;
    let (mut neighbour, _) = Client::join(&house).await;
    for _ in 0..60 {
        flooder.say(ClientMessage::Heartbeat).await;
    }
    assert_eq!(flooder.hear_close().await, Some(4429));
    house.poll("board-1", 20.0).await;
    neighbour.hear_until(|frame| frame.message.kind() == "DATA_UPDATE").await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_closed_and_makes_room() {
    let rules =
        Rules { heartbeat_interval: Duration::from_secs(3600), connections: 1, ..Rules::default() };
    let house = House::open_with(rules).await;
    let (deaf, _) = Client::join(&house).await;
    for temperature in 0..FRAMES_TO_BLOCK {
        house.poll("board-1", f64::from(temperature)).await;
    }
    for _ in 0..100 {
        time::pause();
        time::advance(Duration::from_secs(11)).await;
        time::resume();
        let mut next = Client::dial(&house).await;
        if let ServerMessage::ConnectSuccess(_) = next.hear().await.message {
            return drop(deaf);
        }
    }
    panic!("the socket is still open, long before its silence would end it");
}

/// More than both ends' systems hold for a socket whose client does not read.
const FRAMES_TO_BLOCK: u32 = 20_000;
