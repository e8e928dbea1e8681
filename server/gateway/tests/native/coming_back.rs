//! Sockets that end, and clients that come back.

use protocol::frame::Sequence;
use protocol::wire::native::{ClientMessage, ConnectSuccess, Position, ServerMessage};

use crate::house::House;
use crate::house::client::Client;

async fn return_as(house: &House, connection: &str) -> (Client, ConnectSuccess) {
    let query = format!("device_id=board-1&connection_id={connection}");
    let mut client = Client::dial_at(house, &query, &[]).await.unwrap();
    let ServerMessage::ConnectSuccess(welcome) = client.hear().await.message else {
        panic!("a greeting comes first");
    };
    (client, welcome)
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed_and_nothing_twice() {
    let house = House::open().await;
    let (mut client, first) = Client::join(&house).await;
    house.poll("board-1", 20.0).await;
    let seen = client.hear().await.seq.unwrap();
    client.socket.close(None).await.unwrap();
    client.hear_close().await;
    house.poll("board-1", 21.0).await;

    let (mut client, welcome) = return_as(&house, first.connection_id.as_str()).await;
    assert!(welcome.resumed && welcome.connection_id == first.connection_id);
    client.go_on_after(seen);
    let position = Position { epoch: welcome.epoch, seq: seen, stream: None };
    client.say(ClientMessage::Resume(vec![position])).await;
    let missed = client.hear().await;
    assert_eq!((missed.seq, missed.recovered), (Some(seen.next()), true));
    house.poll("board-1", 22.0).await;
    client.hear_until(|frame| !frame.recovered).await;
}

#[tokio::test]
async fn a_foreign_connection_id_begins_anew() {
    let house = House::open().await;
    for id in ["never-given", "not%20an%20id", ""] {
        let (mut client, welcome) = return_as(&house, id).await;
        assert!(!welcome.resumed && welcome.connection_id.as_str() != id, "{id}");
        assert_eq!(client.hear().await.seq, Some(Sequence::FIRST));
    }
}

#[tokio::test]
async fn a_second_socket_takes_the_connection_over() {
    let house = House::open().await;
    let (mut old, welcome) = Client::join(&house).await;
    let (mut new, again) = return_as(&house, welcome.connection_id.as_str()).await;
    assert!(again.resumed);
    assert_eq!(old.hear_close().await, Some(4009));

    // The end of the first socket is not the end of the connection.
    let (_third, again) = return_as(&house, welcome.connection_id.as_str()).await;
    assert!(again.resumed);
    assert_eq!(new.hear_close().await, Some(4009));
}

#[tokio::test]
async fn a_planned_stop_closes_every_socket_and_invites_back() {
    let house = House::open().await;
    let (mut one, _) = Client::join(&house).await;
    let (mut two, _) = Client::join(&house).await;
    house.stop.cancel();
    assert_eq!(one.hear_close().await, Some(1012));
    assert_eq!(two.hear_close().await, Some(1012));
    drop((one, two));
    house.served.await.unwrap();
}
