//! A Station that fails while its sockets are open (S0-68, S0-71).

use protocol::frame::Sequence;
use protocol::wire::native::{ClientMessage, Position, ServerMessage};

use crate::house::House;
use crate::house::client::Client;

#[tokio::test]
async fn open_sockets_hear_of_it_and_go_on_from_a_snapshot() {
    let mut house = House::open().await;
    let (mut client, welcome) = Client::join(&house).await;
    house.poll("board-1", 20.0).await;
    let seen = client.hear().await.seq.unwrap();
    house.restart_station().await;

    let told = client.hear().await;
    let ServerMessage::ServiceRestarted(restarted) = told.message else { panic!("{told:?}") };
    assert_eq!(restarted.old_epoch, welcome.epoch);
    assert_ne!(restarted.epoch, welcome.epoch);
    assert_eq!(told.event.unwrap().to_string(), format!("{}/0", restarted.epoch));
    let gone = client.hear().await;
    let ServerMessage::DataRecovered(gone) = gone.message else { panic!("{gone:?}") };
    assert_eq!((gone.epoch, gone.gone), (welcome.epoch, vec![(seen.next(), None)]));
    let snapshot = client.hear().await;
    assert_eq!((snapshot.seq, snapshot.epoch), (Some(Sequence::FIRST), Some(restarted.epoch)));
    assert!(matches!(snapshot.message, ServerMessage::FullSnapshot(_)));

    house.poll("board-1", 21.0).await;
    client.hear_until(|frame| matches!(frame.message, ServerMessage::DataUpdate(_))).await;
}

#[tokio::test]
async fn who_was_away_meanwhile_is_still_known() {
    // S0-70
    let mut house = House::open().await;
    let (mut client, welcome) = Client::join(&house).await;
    client.socket.close(None).await.unwrap();
    client.hear_close().await;
    house.restart_station().await;

    let query = format!("device_id=board-1&connection_id={}", welcome.connection_id);
    let mut client = Client::dial_at(&house, &query, &[]).await.unwrap();
    let ServerMessage::ConnectSuccess(again) = client.hear().await.message else {
        panic!("a greeting comes first");
    };
    assert!(again.resumed && again.epoch != welcome.epoch);
    let position = Position { epoch: welcome.epoch, seq: Sequence::FIRST, stream: None };
    client.say(ClientMessage::Resume(vec![position])).await;
    let told = client.hear().await.message;
    assert!(matches!(told, ServerMessage::ServiceRestarted(_)), "{told:?}");
}
