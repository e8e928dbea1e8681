//! Whoever comes to a center's door, and whatever they say there.

use protocol::time::Timestamp;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::raw::{Raw, upload};
use crate::servers::{CenterHouse, TOKEN, times, until};

#[tokio::test]
async fn strangers_are_sent_away() {
    let above = tempdir().unwrap();
    let center = CenterHouse::open(above.path()).await;
    for (edge, token) in [("north", "not-the-token-of-north"), ("south", TOKEN), ("", TOKEN)] {
        let mut raw = Raw::dial(center.address, edge, token).await;
        let answer = raw.hear().await;
        assert_eq!(answer["type"], "CONNECT_FAIL", "{edge}");
        assert_eq!(answer["data"]["reason"], "UNAUTHORIZED", "{edge}");
        assert_eq!(raw.closed().await, 4401, "{edge}");
    }
    assert!(!center.is_reached());
    center.close().await;
}

#[tokio::test]
async fn batches_out_of_turn_are_refused_and_the_right_one_still_counts() {
    let above = tempdir().unwrap();
    let center = CenterHouse::open(above.path()).await;
    let mut raw = Raw::live(center.address).await;
    let table = [
        (1, 1..=2, "UPLOADED"),
        (1, 1..=2, "UPLOAD_FAILED"),
        (3, 5..=6, "UPLOAD_FAILED"),
        (2, 3..=4, "UPLOADED"),
        (3, 3..=4, "UPLOADED"),
    ];
    for (batch, ids, expected) in table {
        raw.upload(batch, ids).await;
        let answer = raw.hear().await;
        assert_eq!((&answer["type"], &answer["data"]["batch"]), (&json!(expected), &json!(batch)));
    }
    assert_eq!(times(&center.has(4).await), [1, 2, 3, 4], "what came twice is there once");
    center.close().await;
}

#[tokio::test]
async fn frames_without_sense_are_answered_and_the_connection_stays() {
    let above = tempdir().unwrap();
    let center = CenterHouse::open(above.path()).await;
    let mut raw = Raw::live(center.address).await;
    let whole = upload(1, 1..=2).write("north", Timestamp::default());
    let half = &whole[..whole.len() / 2];
    let table = [
        (half, "INVALID_COMMAND_FORMAT"),
        ("{}", "INVALID_COMMAND_FORMAT"),
        (whole.as_str(), "INVALID_COMMAND_FORMAT"),
        (r#"{"checksum":"0","type":"HEARTBEAT"}"#, "DATA_TAMPERED"),
    ];
    for (text, expected) in table {
        raw.say_text(text).await;
        assert_eq!(raw.hear().await["type"], expected, "{text}");
    }
    raw.say(&upload(1, 1..=101).write("north", Timestamp::default())).await;
    assert_eq!(raw.hear().await["type"], "UPLOAD_FAILED");
    raw.upload(1, 1..=2).await;
    assert_eq!(raw.hear().await["type"], "UPLOADED");
    let big = format!(r#"{{"data":"{}","type":"UPLOAD"}}"#, "x".repeat(70_000));
    raw.say(&big).await;
    assert_eq!(raw.hear().await["data"]["code"], "TOO_BIG");
    assert_eq!(raw.closed().await, 1009);
    center.close().await;
}

#[tokio::test]
async fn a_second_connection_of_an_edge_takes_over() {
    let above = tempdir().unwrap();
    let center = CenterHouse::open(above.path()).await;
    let mut first = Raw::live(center.address).await;
    let mut second = Raw::live(center.address).await;
    assert_eq!(first.closed().await, 4009);
    second.upload(1, 1..=1).await;
    assert_eq!(second.hear().await["type"], "UPLOADED");
    until(async || center.is_reached().then_some(())).await;
    center.close().await;
}

#[tokio::test]
async fn the_edges_and_their_rows_can_be_asked_for() {
    let above = tempdir().unwrap();
    let center = CenterHouse::open(above.path()).await;
    let mut raw = Raw::live(center.address).await;
    raw.upload(1, 1..=5).await;
    assert_eq!(raw.hear().await["type"], "UPLOADED");
    let edges = get(&center, "/api/edges").await;
    let edge = &edges[0];
    assert_eq!((&edge["id"], &edge["reached"]), (&json!("north"), &json!(true)), "{edge}");
    assert_eq!((&edge["received"], &edge["newest"]), (&json!(5), &json!(5)), "{edge}");
    let page = get(&center, "/api/edges/north/history?limit=2").await;
    let ids = |page: &Value| -> Vec<_> {
        page["rows"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
    };
    assert_eq!(ids(&page), [5, 4]);
    let next = page["next"].as_str().unwrap();
    let page = get(&center, &format!("/api/edges/north/history?limit=9&before={next}")).await;
    assert_eq!((ids(&page), &page["next"]), (vec![json!(3), json!(2), json!(1)], &Value::Null));
    let page = get(&center, "/api/edges/north/history?from=2&to=4&device=board-1").await;
    assert_eq!(ids(&page), [3, 2]);
    for path in ["south/history", "north/history?limit=x", "north/history?x=1"] {
        let answer = get(&center, &format!("/api/edges/{path}")).await;
        assert_eq!(answer["code"], "BAD_QUERY", "{path}");
    }
    center.close().await;
}

async fn get(center: &CenterHouse, path: &str) -> Value {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(center.address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", center.address);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}
