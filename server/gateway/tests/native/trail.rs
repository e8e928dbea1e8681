//! What is told of the log and of the audit trail.

use protocol::wire::native::{ClientMessage, Command};
use protocol::wire::records::{AuditPage, LogPage};
use serde::de::DeserializeOwned;

use crate::house::client::Client;
use crate::house::{House, web};

async fn page<T: DeserializeOwned>(house: &House, path: &str) -> T {
    let answer = web::get(house.address, path, &[]).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn an_order_stands_in_the_audit_trail_whatever_came_of_it() {
    let (house, folder) = (House::open().await, tempfile::tempdir().unwrap());
    house.write_audit(folder.path());
    let (mut client, _) = Client::join(&house).await;
    let (id, name) = ("c-1".to_owned(), "NO_SUCH_COMMAND".to_owned());
    client.say(ClientMessage::Command(Command { id, name, param: None, valid_until: None })).await;
    client.hear_until(|frame| frame.message.kind() == "COMMAND_RESULT").await;
    let page = loop {
        let page: AuditPage = page(&house, "/api/audit?action=command&user=anonymous").await;
        if !page.rows.is_empty() {
            break page;
        }
    };
    let row = &page.rows[0];
    assert_eq!((row.target.as_str(), row.is_done), ("board-1", false));
    assert!(row.from.starts_with("local 127.0.0.1:"), "{row:?}");
    assert!(row.detail.starts_with("NO_SUCH_COMMAND (c-1) in "), "{row:?}");
    assert_eq!(row.hash.len(), 64);
    let sheet = web::get(house.address, "/api/audit.csv", &[]).await;
    assert!(sheet.contains("\u{feff}id,at,at_ms,user"), "{sheet}");
    assert!(sheet.contains(",anonymous,,local 127.0.0.1:"), "{sheet}");
}

#[tokio::test]
async fn the_log_is_told_by_connection_and_time() {
    // S0-80, S0-81
    let (house, folder) = (House::open().await, tempfile::tempdir().unwrap());
    house.write_records(folder.path());
    let (_client, welcome) = Client::join(&house).await;
    let path = format!("/api/logs/websocket?connection_id={}&level=INFO", welcome.connection_id);
    let page = loop {
        let page: LogPage = page(&house, &path).await;
        if !page.rows.is_empty() {
            break page;
        }
    };
    let row = &page.rows[0];
    assert_eq!((row.module.as_str(), row.kind.as_str()), ("WebSocket", "opened"));
    let until = format!("{path}&to={}", row.at.as_millis());
    let before: LogPage = self::page(&house, &until).await;
    assert_eq!(before.rows, [], "what was before that moment");
    let sheet = web::get(house.address, "/api/logs/websocket.csv?user=nobody", &[]).await;
    assert!(sheet.contains("connection_id,device,user,detail"), "{sheet}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_named_in_the_answer() {
    let house = House::open().await;
    let table = [
        ("/api/audit?action=dance", "`action` `dance` is not known here"),
        ("/api/audit?before=x", "`before` `x`"),
        ("/api/logs/websocket?level=LOUD", "`level` `LOUD` is not known here"),
        ("/api/logs/websocket?module=Kitchen", "`module` `Kitchen` is not known here"),
        ("/api/logs/websocket?from=2&to=1", "`to` is earlier than `from`"),
        ("/api/logs/websocket?colour=red", "`colour` is none of the parameters"),
    ];
    for (path, expected) in table {
        let answer = web::get(house.address, path, &[]).await;
        assert!(
            answer.starts_with("HTTP/1.1 400") && answer.contains(expected),
            "{path}: {answer}"
        );
    }
}
