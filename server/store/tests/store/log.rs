//! The lifecycle log, as those find it who ask.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use protocol::time::Timestamp;
use protocol::wire::records::{Level, LogRow};
use sqlx::sqlite::SqlitePool;
use store::{FILE, Kind, LogFilter, LogHistory, Module, Record};

use crate::desk::{Desk, at, closed, id, malformed, opened};

async fn found(history: &LogHistory, filter: LogFilter) -> Vec<LogRow> {
    history.all(filter).try_collect().await.unwrap()
}

fn failed(user: &str, millis: u64) -> Record {
    let connection = None;
    Record { kind: Kind::SignInFailed, connection, user: Some(user.into()), ..opened("c1", millis) }
}

#[tokio::test]
async fn lines_are_found_by_connection_time_level_module_user_and_text() {
    // S0-78, S0-80, S0-81
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    for record in [opened("c1", 10), opened("c2", 20), malformed("c1", 30), failed("li", 40)] {
        desk.records.append(record);
    }
    desk.records.append(closed("c1", 50));
    desk.close().await;

    let (history, any) = (LogHistory::of(folder.path()), LogFilter::default);
    let table = [
        (any(), vec![50, 40, 30, 20, 10]),
        (LogFilter { connection: Some(id("c1")), ..any() }, vec![50, 30, 10]),
        (LogFilter { from: Some(at(20)), to: Some(at(40)), ..any() }, vec![30, 20]),
        (LogFilter { level: Some(Level::Warn), ..any() }, vec![40, 30]),
        (LogFilter { level: Some(Level::Error), ..any() }, vec![]),
        (LogFilter { module: Some(Module::Auth), ..any() }, vec![40]),
        (LogFilter { kind: Some(Kind::Opened), ..any() }, vec![20, 10]),
        (LogFilter { user: Some("li".into()), ..any() }, vec![40]),
        (LogFilter { text: Some("LI".into()), ..any() }, vec![40]),
        (LogFilter { text: Some("%' OR 1=1 --".into()), ..any() }, vec![]),
    ];
    for (filter, expected) in table {
        let rows = found(&history, filter.clone()).await;
        let times: Vec<_> = rows.iter().map(|row| row.at).collect();
        let expected: Vec<_> = expected.into_iter().map(at).collect();
        assert_eq!(times, expected, "{filter:?}");
    }
    let rows = found(&history, LogFilter { user: Some("li".into()), ..any() }).await;
    let row = &rows[0];
    let told = (row.module.as_str(), row.level, row.kind.as_str());
    assert_eq!(told, ("Auth", Level::Warn, "sign_in_failed"));
}

#[tokio::test]
async fn every_failed_authentication_stands_in_event_records() {
    // S0-86, S0-90
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let nobody = Record { kind: Kind::Unauthorized, connection: None, ..opened("c1", 20) };
    for record in [opened("c1", 10), nobody, failed("li\r\nroot", 30), closed("c1", 40)] {
        desk.records.append(record);
    }
    desk.close().await;
    let url = format!("sqlite:{}", folder.path().join(FILE).display());
    let pool = SqlitePool::connect(&url).await.unwrap();
    let events: Vec<(u64, String, Option<String>)> =
        sqlx::query_as("SELECT at, kind, user FROM event_records ORDER BY id")
            .fetch_all(&pool)
            .await
            .unwrap();
    let users: Vec<_> = events.iter().filter_map(|(.., user)| user.as_deref()).collect();
    assert_eq!(events[0].1, "UNAUTHORIZED_CONNECT_ATTEMPT");
    assert_eq!((events[1].0, events[1].1.as_str()), (at(30).as_millis(), "SIGN_IN_FAILED"));
    assert_eq!((events.len(), users.last()), (2, Some(&"li root")), "a name is one line");
}

#[tokio::test]
async fn each_kind_of_record_is_kept_for_its_own_time() {
    // S0-79: over the ends of months, and over a restart.
    let folder = tempfile::tempdir().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let days_ago = |days: u64| (now - Duration::from_secs(days * 86_400)).as_millis() as u64;
    let desk = Desk::open(folder.path());
    for days in [200, 179, 40, 32, 30, 1] {
        let then = Timestamp::from_millis(days_ago(days));
        desk.records.append(Record { at: then, ..failed("li", 0) });
    }
    desk.close().await;
    // What is old is looked for at each start.
    Desk::open(folder.path()).close().await;
    let rows = found(&LogHistory::of(folder.path()), LogFilter::default()).await;
    let ages = |at: Timestamp| (now.as_millis() as u64 - at.as_millis()) / 86_400_000;
    let kept: Vec<_> = rows.iter().map(|row| ages(row.at)).collect();
    assert_eq!(kept, [1, 30]);
    let url = format!("sqlite:{}", folder.path().join(FILE).display());
    let pool = SqlitePool::connect(&url).await.unwrap();
    let events: i64 =
        sqlx::query_scalar("SELECT count(*) FROM event_records").fetch_one(&pool).await.unwrap();
    assert_eq!(events, 5, "of failed authentications 180 days are kept");
}
