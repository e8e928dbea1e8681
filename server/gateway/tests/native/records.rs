//! What is on record about those who came.

use std::time::Duration;

use protocol::time::Timestamp;
use protocol::wire::native::{ClientMessage, ConnectSuccess};
use store::{Kind, Record, Store};

use crate::house::client::Client;
use crate::house::{House, Rules};

async fn records_of(store: &Store, welcome: &ConnectSuccess) -> Vec<Record> {
    store.records_of(&welcome.connection_id, 1_000).await.unwrap()
}

fn kinds(records: &[Record]) -> Vec<Kind> {
    records.iter().map(|record| record.kind).collect()
}

#[tokio::test]
async fn a_malformed_frame_is_found_by_its_connection() {
    // S0-63, S0-73, S0-74, S0-75, S0-80
    let (house, folder) = (House::open().await, tempfile::tempdir().unwrap());
    let (mut client, welcome) = Client::join(&house).await;
    let (_neighbour, other) = Client::join(&house).await;
    client.say_text(r#"{"type":"HEARTBEAT"}"#).await;
    client.hear_until(|frame| frame.message.kind() == "INVALID_COMMAND_FORMAT").await;
    client.socket.close(None).await.unwrap();
    client.hear_close().await;

    let store = house.close(folder.path()).await;
    let records = records_of(&store, &welcome).await;
    assert_eq!(kinds(&records), [Kind::Opened, Kind::Malformed, Kind::Closed]);
    assert!(records.is_sorted_by_key(|record| record.at));
    for record in &records {
        assert_eq!(record.device, Some("board-1".parse().unwrap()), "{record:?}");
        assert_eq!(record.user.as_deref(), Some("anonymous"), "{record:?}");
    }
    assert!(records[0].detail.starts_with("from 127.0.0.1:"), "{records:?}");
    assert!(records[1].detail.contains("'checksum'"), "{records:?}");
    let sent = records[2].sent.unwrap();
    assert!(sent.frames >= 3 && sent.bytes > 100, "greeting, snapshot, complaint: {sent:?}");
    assert_eq!(kinds(&records_of(&store, &other).await), [Kind::Opened, Kind::Closed]);
}

#[tokio::test]
async fn losses_and_tampering_are_on_record() {
    // S0-77, S0-93
    let (house, folder) = (House::open().await, tempfile::tempdir().unwrap());
    let (mut client, welcome) = Client::join(&house).await;
    client.miss(&[(1, 1)]).await;
    client.say_text(r#"{"checksum":"00","data":{},"type":"HEARTBEAT"}"#).await;
    client.hear_until(|frame| frame.message.kind() == "DATA_TAMPERED").await;

    let records = records_of(&house.close(folder.path()).await, &welcome).await;
    assert_eq!(kinds(&records), [Kind::Opened, Kind::DataLost, Kind::Tampered, Kind::Closed]);
    assert_eq!(records[1].detail, "1-1");
}

#[tokio::test]
async fn silence_is_on_record() {
    // S0-39, S0-77
    let heartbeat_interval = Duration::from_millis(50);
    let house = House::open_with(Rules { heartbeat_interval, ..Rules::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let (mut silent, welcome) = Client::join(&house).await;
    assert_eq!(silent.hear_close().await, Some(4408));

    let records = records_of(&house.close(folder.path()).await, &welcome).await;
    assert_eq!(kinds(&records), [Kind::Opened, Kind::Lost, Kind::Closed]);
}

#[tokio::test]
async fn who_is_sent_away_is_on_record_without_their_token() {
    // S0-77, S0-81
    let (house, folder) = (House::open().await, tempfile::tempdir().unwrap());
    let mut lost = Client::dial_at(&house, "device_id=board-9&token=secret", &[]).await.unwrap();
    assert_eq!(lost.hear_close().await, Some(4404));
    let evil = [("origin", "http://evil.example")];
    assert!(Client::dial_at(&house, "device_id=board-1", &evil).await.is_err());

    let store = house.close(folder.path()).await;
    let ever = Timestamp::from_millis(0)..Timestamp::from_millis(u64::MAX);
    let records = store.records_between(ever, 1_000).await.unwrap();
    assert_eq!(kinds(&records), [Kind::Refused, Kind::Refused]);
    assert_eq!(records[0].device, Some("board-9".parse().unwrap()));
    assert!(!format!("{records:?}").contains("secret"), "{records:?}");
}

#[tokio::test]
async fn a_client_that_does_nothing_right_does_not_fill_the_disk() {
    let (house, folder) = (House::open().await, tempfile::tempdir().unwrap());
    let (mut client, welcome) = Client::join(&house).await;
    for _ in 0..15 {
        client.say_text("nonsense").await;
    }
    client.say(ClientMessage::Heartbeat).await;
    client.hear_until(|frame| frame.message.kind() == "HEARTBEAT_ACK").await;

    let records = records_of(&house.close(folder.path()).await, &welcome).await;
    let told = records.iter().filter(|record| record.kind == Kind::Malformed).count();
    let closed = records.last().unwrap();
    assert_eq!((told, closed.kind), (10, Kind::Closed));
    assert!(closed.detail.starts_with("(5 more before) "), "{closed:?}");
}
