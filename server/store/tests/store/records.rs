//! What is handed in, and what is found of it.

use std::fs;
use std::time::Duration;

use protocol::time::Timestamp;
use store::{FILE, Kind, Records, Store};

use crate::desk::{Desk, at, closed, id, malformed, on_record, opened};

#[tokio::test]
async fn records_survive_a_restart_and_are_found_by_connection_and_by_time() {
    // S0-73, S0-74, S0-75, S0-80, S0-81
    let folder = tempfile::tempdir().unwrap();
    let first = Desk::open(folder.path());
    for record in [opened("c1", 10), opened("c2", 20), malformed("c1", 30)] {
        first.records.append(record);
    }
    first.close().await;
    let second = Desk::open(folder.path());
    second.records.append(closed("c1", 40));
    second.close().await;

    let store = Store::open(folder.path()).await.unwrap();
    let found = store.records_of(&id("c1"), 100).await.unwrap();
    assert_eq!(found, [opened("c1", 10), malformed("c1", 30), closed("c1", 40)]);
    assert_eq!(store.records_of(&id("c1"), 1).await.unwrap(), [opened("c1", 10)]);
    assert_eq!(store.records_of(&id("c3"), 100).await.unwrap(), []);
    let found = store.records_between(at(20)..at(40), 100).await.unwrap();
    assert_eq!(found, [opened("c2", 20), malformed("c1", 30)]);
    assert_eq!(store.records_between(at(20)..at(40), 1).await.unwrap(), [opened("c2", 20)]);
}

#[tokio::test]
async fn every_kind_comes_back_as_it_was() {
    // S0-77
    use Kind::*;
    let folder = tempfile::tempdir().unwrap();
    let kinds = [Refused, Opened, DataLost, Malformed, Tampered, Flooded, Lost, Closed, Dropped];
    let record = |kind, millis| store::Record { kind, ..opened("c1", millis) };
    let records: Vec<_> = kinds.into_iter().zip(0..).map(|(kind, at)| record(kind, at)).collect();
    let desk = Desk::open(folder.path());
    records.iter().cloned().for_each(|record| desk.records.append(record));
    desk.close().await;
    assert_eq!(on_record(folder.path()).await, records);
}

#[tokio::test]
async fn a_record_is_on_the_disk_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.records.append(opened("c1", 10));
    desk.holds(&[opened("c1", 10)]).await;

    // What a killed server would leave behind.
    let wreck = tempfile::tempdir().unwrap();
    for file in [FILE.into(), format!("{FILE}-wal")] {
        fs::copy(folder.path().join(&file), wreck.path().join(&file)).unwrap();
    }
    assert_eq!(on_record(wreck.path()).await, [opened("c1", 10)]);
    desk.close().await;
}

#[tokio::test]
async fn records_that_find_no_room_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (records, inbox) = Records::open();
    let handed_in = 20_000;
    for millis in 0..handed_in {
        records.append(opened("c1", millis));
    }
    Desk::take_up(folder.path(), records, inbox).close().await;

    let (dropped, kept): (Vec<_>, Vec<_>) =
        on_record(folder.path()).await.into_iter().partition(|one| one.kind == Kind::Dropped);
    let missing = handed_in - kept.len() as u64;
    assert!(missing > 0);
    let details: Vec<_> = dropped.into_iter().map(|record| record.detail).collect();
    assert_eq!(details, [format!("{missing} records found no room")]);
}

#[tokio::test]
async fn records_are_forgotten_after_thirty_days_but_not_before() {
    // S0-79
    let folder = tempfile::tempdir().unwrap();
    let day = Duration::from_secs(24 * 60 * 60).as_millis() as u64;
    let aged = |days: u64| {
        let at = Timestamp::from_millis(at(0).as_millis() - (days - 1) * day);
        store::Record { at, ..opened("c1", 0) }
    };
    let desk = Desk::open(folder.path());
    [40, 32, 30, 2].into_iter().for_each(|days| desk.records.append(aged(days)));
    desk.close().await;
    Desk::open(folder.path()).close().await;
    assert_eq!(on_record(folder.path()).await, [aged(30), aged(2)]);
}

#[tokio::test]
async fn a_clock_that_leaps_ahead_takes_no_record() {
    // S0-79
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let two_months = Duration::from_secs(60 * 24 * 60 * 60).as_millis() as u64;
    let long_ago = Timestamp::from_millis(at(0).as_millis() - two_months);
    let old = store::Record { at: long_ago, ..opened("c1", 0) };
    desk.records.append(old.clone());
    desk.close().await;
    let desk = Desk::open(folder.path());
    desk.records.append(opened("c2", 0));
    desk.close().await;
    Desk::open(folder.path()).close().await;
    assert_eq!(on_record(folder.path()).await, [old, opened("c2", 0)]);
}

#[tokio::test]
async fn foreign_text_is_kept_short_and_without_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let detail = format!("?token=secret\n{}", "x".repeat(70_000));
    desk.records.append(store::Record { detail, ..malformed("c1", 10) });
    desk.close().await;
    let kept = on_record(folder.path()).await.remove(0).detail;
    assert!(kept.starts_with("?token=*** xxx") && kept.chars().count() < 310, "{kept}");
}
