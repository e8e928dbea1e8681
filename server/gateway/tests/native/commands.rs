//! The record of orders, as pages and spreadsheets ask for it.

use std::net::SocketAddr;

use protocol::command::{CommandRecord, Failure, Order, OrderKey, Origin, Outcome, Steps};
use protocol::frame::CommandStatus;
use protocol::reading::Value;
use protocol::time::Timestamp;
use protocol::wire::commands::{CommandPage, CommandRow};

use crate::house::{House, web};

/// An order to `board-1` by the operator `anonymous` that went well.
fn order(id: &str, at: u64) -> CommandRecord {
    let (origin, user) = (Origin::Local, "anonymous".to_owned());
    let key = OrderKey { origin, user, device: "board-1".parse().unwrap(), id: id.into() };
    CommandRecord {
        order: Order {
            key,
            command: "START".into(),
            param: None,
            valid_until: None,
            via: "127.0.0.1".into(),
        },
        accepted_at: Timestamp::from_millis(at),
        steps: Steps { recorded: Some(1), sent: Some(2), written: Some(9) },
        outcome: Some(Outcome {
            at: Timestamp::from_millis(at + 40),
            failure: None,
            detail: None,
            verified: Some(true),
            old: Some(Value::Number(0.0)),
            new: Some(Value::Number(4.0)),
            ms: 40,
        }),
    }
}

/// One that did not, from elsewhere, to another board.
fn failed(id: &str, at: u64) -> CommandRecord {
    let mut record = order(id, at);
    record.order.key.origin = Origin::Pscada;
    record.order.key.user = "=cmd()".into();
    record.order.key.device = "board-2".parse().unwrap();
    record.order.command = "SET_TEMP_THRESHOLD".into();
    record.order.param = Some("-1".into());
    let outcome = record.outcome.as_mut().unwrap();
    (outcome.failure, outcome.verified) = (Some(Failure::NotVerified), Some(false));
    outcome.new = Some(Value::Number(-1.0));
    record
}

async fn house_with(folder: &tempfile::TempDir, records: Vec<CommandRecord>) -> House {
    let house = House::open().await;
    house.write_commands(folder.path());
    records.into_iter().for_each(|record| house.commands.keep(record));
    assert!(house.commands.flushed().await);
    house
}

async fn get(address: SocketAddr, path: &str) -> (String, String) {
    let answer = web::get(address, path, &[]).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.into(), body.into())
}

async fn page(house: &House, query: &str) -> CommandPage {
    let (head, body) = get(house.address, &format!("/api/commands{query}")).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}\n{body}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    serde_json::from_str(&body).unwrap()
}

fn ids(page: &CommandPage) -> Vec<&str> {
    page.rows.iter().map(|row| row.command_id.as_str()).collect()
}

/// A table sent in chunks of any size, put together.
async fn table(house: &House, query: &str) -> (String, String) {
    let (head, mut rest) = get(house.address, &format!("/api/commands.csv{query}")).await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let mut text = Vec::new();
    loop {
        let (size, chunk) = rest.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (head, String::from_utf8(text).unwrap());
        }
        text.extend_from_slice(&chunk.as_bytes()[..size]);
        rest = chunk[size + 2..].to_owned();
    }
}

#[tokio::test]
async fn what_was_ordered_is_told_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut waiting = order("c-3", 3_000);
    waiting.outcome = None;
    let house = house_with(&folder, vec![order("c-1", 1_000), failed("c-2", 2_000), waiting]).await;
    let all = page(&house, "").await;
    assert_eq!(ids(&all), ["c-3", "c-2", "c-1"]);
    assert_eq!(all.next, None);
    let CommandRow { status, ms, at, accepted_at, .. } = &all.rows[0];
    assert_eq!((*status, *ms, *at, accepted_at.as_millis()), (None, None, None, 3_000));
    let failed = &all.rows[1];
    assert_eq!(failed.reason, Some(Failure::NotVerified));
    assert_eq!((failed.status, failed.verified), (Some(CommandStatus::Fail), Some(false)));
    assert_eq!(all.rows[2].steps.written, Some(9));
    assert_eq!(all.rows[2].new, Some(Value::Number(4.0)));
}

#[tokio::test]
async fn each_parameter_leaves_out_what_it_does_not_mean() {
    let folder = tempfile::tempdir().unwrap();
    let house = house_with(&folder, vec![order("c-1", 1_000), failed("c-2", 2_000)]).await;
    for (query, expected) in [
        ("?device=board-1", "c-1"),
        ("?origin=pscada", "c-2"),
        ("?user=%3Dcmd()", "c-2"),
        ("?command=START", "c-1"),
        ("?status=SUCCESS", "c-1"),
        ("?status=FAIL", "c-2"),
        ("?reason=NOT_VERIFIED", "c-2"),
        ("?from=2000", "c-2"),
        ("?to=2000", "c-1"),
        ("?text=c-2", "c-2"),
        ("?limit=1", "c-2"),
        ("?device=&user=&to=2000", "c-1"),
    ] {
        assert_eq!(ids(&page(&house, query).await), [expected], "{query}");
    }
    assert_eq!(ids(&page(&house, "?device=board-1&status=FAIL").await), [""; 0]);
}

#[tokio::test]
async fn pages_follow_each_other_without_a_hole() {
    let folder = tempfile::tempdir().unwrap();
    let records = (0..25).map(|n| order(&format!("c-{n}"), 1_000 + n)).collect();
    let house = house_with(&folder, records).await;
    let mut seen = Vec::new();
    let mut query = "?limit=10".to_owned();
    loop {
        let page = page(&house, &query).await;
        assert!(page.rows.len() <= 10);
        seen.extend(page.rows.into_iter().map(|row| row.command_id));
        let Some(next) = page.next else { break };
        query = format!("?limit=10&before={next}");
    }
    let expected: Vec<_> = (0..25).rev().map(|n| format!("c-{n}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_table_holds_every_row_and_no_formula() {
    let folder = tempfile::tempdir().unwrap();
    let mut records: Vec<_> = (0..1_200).map(|n| order(&format!("c-{n}"), 10_000 + n)).collect();
    records.push(failed("=1+1", 1_764_302_400_007));
    let house = house_with(&folder, records).await;
    let (head, text) = table(&house, "").await;
    assert!(head.contains("content-type: text/csv; charset=utf-8; header=present"), "{head}");
    assert!(head.contains("content-disposition: attachment; filename=\"commands.csv\""), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    let text = text.strip_prefix('\u{feff}').unwrap();
    let rows: Vec<_> = text.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 1 + 1_201);
    assert!(rows[0].starts_with("id,accepted_at,accepted_ms,ended_at,"), "{}", rows[0]);
    let newest = "2025-11-28T12:00:00.007+08:00,1764302400007,\
                  2025-11-28T12:00:00.047+08:00,1764302400047,board-2,SET_TEMP_THRESHOLD,'-1,\
                  '=1+1,pscada,'=cmd(),127.0.0.1,FAIL,NOT_VERIFIED,,0,-1,no,40,1,2,9";
    assert!(rows[1].ends_with(newest), "{}", rows[1]);
    let (_, one) = table(&house, "?command=START&to=10001").await;
    assert_eq!(one.split_terminator("\r\n").count(), 2, "{one}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_answered_with_its_name() {
    let house = House::open().await;
    for (query, part) in [
        ("device=a%20b", "`device` `a b`: identifier `a b` may hold only"),
        ("origin=nobody", "`origin` `nobody`"),
        ("status=done", "`status` `done` is neither SUCCESS nor FAIL"),
        ("from=yesterday", "`from` `yesterday` is no time in milliseconds"),
        ("from=2&to=1", "`to` is earlier than `from`"),
        ("before=%00", "`before` "),
        ("limit=501", "`limit` must be 1 to 500, not `501`"),
        ("limit=1&limit=2", "`limit` stands there twice"),
        ("sort=up", "`sort` is none of the parameters"),
    ] {
        for path in ["/api/commands", "/api/commands.csv"] {
            let (head, body) = get(house.address, &format!("{path}?{query}")).await;
            assert!(head.starts_with("HTTP/1.1 400"), "{query}: {head}");
            let told: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(told["code"], "BAD_QUERY", "{query}");
            assert!(told["msg"].as_str().unwrap().starts_with(part), "{query}: {told}");
        }
    }
}

#[tokio::test]
async fn orders_are_told_to_pages_of_this_server_alone() {
    let folder = tempfile::tempdir().unwrap();
    let house = house_with(&folder, vec![order("c-1", 1_000)]).await;
    let own = format!("http://{}", house.address);
    for (headers, expected) in [
        (vec![("origin", own.as_str()), ("sec-fetch-site", "same-origin")], 200),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("origin", "https://console.example")], 403),
    ] {
        for path in ["/api/commands", "/api/commands.csv"] {
            let answer = web::get(house.address, path, &headers).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{headers:?}: {answer}");
            assert_eq!(answer.contains("c-1"), expected == 200, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_no_empty_one() {
    let house = House::open().await;
    for path in ["/api/commands", "/api/commands.csv"] {
        let (head, body) = get(house.address, path).await;
        assert!(head.starts_with("HTTP/1.1 503"), "{head}");
        assert!(body.starts_with(r#"{"code":"RECORDS_UNAVAILABLE","msg":"#), "{body}");
    }
}
