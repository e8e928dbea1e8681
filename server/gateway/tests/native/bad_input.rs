//! Whatever comes in: a clear answer, and nobody disturbed.

use futures_util::SinkExt as _;
use protocol::wire::native::seal_text;
use protocol::wire::native::{InvalidCode, ServerMessage};
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::house::House;
use crate::house::client::Client;

async fn complaint(client: &mut Client) -> (InvalidCode, String) {
    let frame = client.hear_until(|frame| frame.message.kind() == "INVALID_COMMAND_FORMAT").await;
    let ServerMessage::InvalidCommandFormat(invalid) = frame.message else { unreachable!() };
    (invalid.code, invalid.detail)
}

/// Values still come, in order and without a hole.
async fn is_undisturbed(house: &House, client: &mut Client, temperature: f64) {
    house.poll("board-1", temperature).await;
    client.hear_until(|frame| frame.message.kind() == "DATA_UPDATE").await;
}

#[tokio::test]
async fn a_malformed_frame_is_answered_and_the_connection_stays() {
    // S0-62, S0-63, S0-64
    use InvalidCode::*;
    let house = House::open().await;
    let (mut client, _) = Client::join(&house).await;
    let (mut neighbour, _) = Client::join(&house).await;
    let sealed = |data: &str, kind: &str| {
        let text = format!(r#"{{"data":{data},"type":"{kind}"}}"#);
        seal_text(&client.seal, &text)
    };
    let table = [
        ("\u{1}\u{7f}\u{fffd}random".into(), JsonSyntax, "not JSON"),
        ("{\"a\":".repeat(5_000), TooDeep, "32 levels"),
        ("[".repeat(60_000), TooDeep, "32 levels"),
        (r#"{"type":"HEARTBEAT"}"#.into(), MissingField, "checksum"),
        (sealed("{}", "SING"), UnknownType, "SING"),
        (sealed(r#"{},"device_id":"board-2""#, "HEARTBEAT"), UnknownDevice, "board-1"),
        (sealed(r#"{"ranges":[[1,9223372036854775808]]}"#, "DATA_LOST"), OutOfRange, "9223372"),
        (sealed(r#"{"ranges":[[3,1]]}"#, "DATA_LOST"), OutOfRange, "[3,1]"),
        (sealed(r#"{"ranges":[[1,900]]}"#, "DATA_LOST"), OutOfRange, "last number"),
    ];
    for (index, (text, code, detail)) in table.into_iter().enumerate() {
        client.say_text(text).await;
        let (said, why) = complaint(&mut client).await;
        assert!(said == code && why.contains(detail), "{index}: {said:?} {why}");
        is_undisturbed(&house, &mut neighbour, index as f64).await;
    }
    is_undisturbed(&house, &mut client, 99.0).await;
}

#[tokio::test]
async fn a_frame_with_a_wrong_check_code_is_called_tampered() {
    // S0-93, S0-94
    let house = House::open().await;
    let (mut client, _) = Client::join(&house).await;
    client.say_text(r#"{"checksum":"00","data":{},"type":"HEARTBEAT"}"#).await;
    client.hear_until(|frame| frame.message.kind() == "DATA_TAMPERED").await;
    is_undisturbed(&house, &mut client, 20.0).await;
}

#[tokio::test]
async fn bytes_are_no_text_and_the_connection_stays() {
    let house = House::open().await;
    let (mut client, _) = Client::join(&house).await;
    client.socket.send(Message::binary(vec![0, 159, 146, 150])).await.unwrap();
    assert_eq!(complaint(&mut client).await.0, InvalidCode::NotText);
    is_undisturbed(&house, &mut client, 20.0).await;
}

#[tokio::test]
async fn a_text_frame_of_random_bytes_is_answered_and_closed() {
    // RFC 6455 8.1
    let house = House::open().await;
    let (mut client, _) = Client::join(&house).await;
    let (mut neighbour, _) = Client::join(&house).await;
    let bytes: Vec<u8> =
        (0..1000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let frame = Frame::message(bytes, OpCode::Data(Data::Text), true);
    client.socket.send(Message::Frame(frame)).await.unwrap();
    assert_eq!(complaint(&mut client).await.0, InvalidCode::NotText);
    assert_eq!(client.hear_close().await, Some(1007));
    is_undisturbed(&house, &mut neighbour, 20.0).await;
}

#[tokio::test]
async fn a_frame_beyond_the_limit_is_answered_and_closed() {
    let house = House::open().await;
    let (mut neighbour, _) = Client::join(&house).await;
    for size in [64 * 1024 + 1, 10 * 1024 * 1024] {
        let (mut client, _) = Client::join(&house).await;
        client.say_text(" ".repeat(size)).await;
        assert_eq!(complaint(&mut client).await.0, InvalidCode::TooBig, "{size}");
        assert_eq!(client.hear_close().await, Some(1009), "{size}");
        is_undisturbed(&house, &mut neighbour, size as f64).await;
    }
}

#[tokio::test]
async fn the_largest_frame_is_read() {
    let house = House::open().await;
    let (mut client, _) = Client::join(&house).await;
    client.say_text(" ".repeat(64 * 1024)).await;
    assert_eq!(complaint(&mut client).await.0, InvalidCode::JsonSyntax);
    is_undisturbed(&house, &mut client, 20.0).await;
}
