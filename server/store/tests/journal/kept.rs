//! What is handed in, and what is found of it after a restart.

use std::time::Duration;

use protocol::journal::{Entry, Past};
use sqlx::sqlite::SqlitePool;
use store::{JOURNAL_FILE, Journal, JournalPolicy, PastError, Store, read_past};

use crate::desk::{
    Desk, PATIENCE, ago, began, epoch, facts, happened, happened_at, known, now, past, run, stay,
    wreck,
};

#[tokio::test]
async fn what_a_run_left_behind_is_found_by_the_next() {
    // S0-65, S0-67, S0-70
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let (before, events) = (now(), [happened("e1", 1), happened("e1", 2)]);
    let stays = [stay("c2", 2, Some(now())), stay("c1", 5, None)];
    desk.keep([began("e1"), known("board-1", "old"), Entry::Stayed(stay("c1", 1, Some(now())))]);
    desk.keep(events.clone().map(Entry::Happened));
    desk.keep([known("board-1", "new"), known("board-2", "new")]);
    desk.keep(stays.clone().map(Entry::Stayed));
    desk.close().await;

    let found = past(folder.path()).await;
    let [first] = found.runs.as_slice() else { panic!("{:?}", found.runs) };
    assert_eq!(first.epoch, epoch("e1"));
    assert!(before <= first.started_at && first.started_at <= first.alive_at);
    assert!(first.alive_at <= now());
    let known = ["board-1", "board-2"].map(|device| (device.parse().unwrap(), facts("new")));
    let expected = Past {
        events: events.into(),
        known: known.into(),
        runs: found.runs.clone(),
        stays: stays.into(),
        ..Past::default()
    };
    assert_eq!(found, expected);
}

#[tokio::test]
async fn where_nothing_ever_ran_there_is_no_past() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(past(&folder.path().join("deep/data")).await, Past::default());
}

#[tokio::test]
async fn an_entry_is_on_the_disk_while_the_server_runs() {
    // S0-67
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let event = happened("e1", 1);
    desk.keep([began("e1"), Entry::Happened(event.clone()), known("board-1", "new")]);
    desk.flush().await;
    let found = past(wreck(folder.path()).path()).await;
    assert_eq!((found.events, found.known.len(), found.runs.len()), (vec![event], 1, 1));
    desk.close().await;
}

#[tokio::test]
async fn a_run_that_ended_is_not_taken_for_alive_by_the_next_writer() {
    let folder = tempfile::tempdir().unwrap();
    let first = Desk::open(folder.path());
    first.keep([began("e1")]);
    first.close().await;
    let ended = past(folder.path()).await.runs;
    let second = Desk::open(folder.path());
    second.flush().await;
    assert_eq!(past(wreck(folder.path()).path()).await.runs, ended);
    second.keep([began("e2")]);
    second.close().await;
    let runs = past(folder.path()).await.runs;
    assert_eq!((runs.len(), &runs[0], &runs[1].epoch), (2, &ended[0], &epoch("e2")));
}

#[tokio::test]
async fn a_run_is_noted_as_alive_while_nothing_happens() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, inbox) = Journal::open();
    let policy = JournalPolicy { beat: Duration::from_millis(1), ..JournalPolicy::default() };
    let desk = Desk::with(folder.path(), journal, inbox, policy);
    desk.keep([began("e1")]);
    desk.flush().await;
    let first = past(wreck(folder.path()).path()).await.runs[0].alive_at;
    while past(wreck(folder.path()).path()).await.runs[0].alive_at <= first {}
    desk.close().await;
}

#[tokio::test]
async fn a_writer_that_was_stopped_in_the_middle_is_followed_by_one_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, inbox) = Journal::open();
    let events: Vec<_> = (1..=2_000).map(|offset| happened("e1", offset)).collect();
    let mut desk = Desk::take_up(folder.path(), journal.clone(), inbox.clone());
    desk.keep([began("e1"), known("board-1", "new")]);
    for some in events.chunks(100) {
        desk.keep(some.iter().cloned().map(Entry::Happened));
        tokio::task::yield_now().await;
        desk.fall().await;
        desk = Desk::take_up(folder.path(), journal.clone(), inbox.clone());
    }
    drop(journal);
    desk.close().await;
    let found = past(folder.path()).await;
    assert!(found.events == events, "{} events", found.events.len());
    assert_eq!((found.known.len(), found.runs.len()), (1, 1));
}

#[tokio::test]
async fn what_is_older_than_five_minutes_is_forgotten_but_facts_and_who_is_here_are_not() {
    // S0-65
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let (old, young) = (happened_at("e1", 1, ago(310)), happened_at("e1", 2, ago(290)));
    let stays = [stay("c1", 1, Some(ago(310))), stay("c2", 2, Some(ago(290))), stay("c3", 3, None)];
    desk.keep([Entry::Began { at: ago(9_000), epoch: epoch("e1") }, known("board-1", "new")]);
    desk.keep([old, young.clone()].map(Entry::Happened));
    desk.keep(stays.clone().map(Entry::Stayed));
    desk.close().await;
    let found = past(folder.path()).await;
    assert_eq!((found.events, found.known.len()), (vec![young], 1));
    assert_eq!(found.stays, stays[1..]);
}

#[tokio::test]
async fn after_a_long_down_time_the_last_minutes_before_it_are_still_told() {
    // S0-65
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let events = [happened("e1", 1), happened("e1", 2)];
    let stays = [stay("c1", 1, Some(now())), stay("c2", 2, None)];
    desk.keep([began("e1")]);
    desk.keep(events.clone().map(Entry::Happened));
    desk.keep(stays.clone().map(Entry::Stayed));
    desk.close().await;
    for table in [
        "UPDATE events SET at = at - 86400000",
        "UPDATE runs SET started_at = started_at - 90000000, alive_at = alive_at - 86400000",
        "UPDATE stays SET left = left - 86400000",
    ] {
        run(folder.path(), table).await;
    }
    let offsets = |past: Past| past.events.iter().map(|one| one.offset).collect::<Vec<_>>();
    assert_eq!(offsets(past(folder.path()).await), [events[0].offset, events[1].offset]);

    // A run that falls at once takes nothing with it.
    let second = Desk::open(folder.path());
    second.keep([began("e2")]);
    second.flush().await;
    let found = past(wreck(folder.path()).path()).await;
    assert_eq!((found.runs.len(), found.stays.len()), (2, 2));
    assert_eq!(offsets(found), [events[0].offset, events[1].offset]);
    second.close().await;
}

#[tokio::test]
async fn a_wall_clock_that_jumped_back_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let times = [ago(-86_400), ago(-86_399), ago(1), ago(0)];
    let events: Vec<_> = (1..).zip(times).map(|(n, at)| happened_at("e1", n, at)).collect();
    desk.keep([Entry::Began { at: ago(-86_401), epoch: epoch("e1") }]);
    desk.keep(events.iter().cloned().map(Entry::Happened));
    desk.close().await;
    assert_eq!(past(folder.path()).await.events, events);
}

#[tokio::test]
async fn stays_that_nobody_came_back_to_are_forgotten_once_the_next_run_is_old_enough() {
    let folder = tempfile::tempdir().unwrap();
    let first = Desk::open(folder.path());
    first.keep([began("e1"), Entry::Stayed(stay("c1", 1, None))]);
    first.keep([Entry::Stayed(stay("c2", 2, None))]);
    first.close().await;
    let (journal, inbox) = Journal::open();
    let soon = Duration::from_millis(1);
    let policy = JournalPolicy { keep: soon, beat: soon, ..JournalPolicy::default() };
    let second = Desk::with(folder.path(), journal, inbox, policy);
    second.keep([began("e2"), Entry::Stayed(stay("c1", 1, None))]);
    second.flush().await;
    while past(wreck(folder.path()).path()).await.stays != [stay("c1", 1, None)] {}
    second.close().await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_takes_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.keep([began("e1"), known("board-1", "new"), known("board-2", "new")]);
    desk.keep((1..=3).map(|offset| Entry::Happened(happened("e1", offset))));
    desk.keep(["c1", "c2"].map(|id| Entry::Stayed(stay(id, 1, None))));
    desk.close().await;
    for damage in [
        "UPDATE events SET event = '{\"type' WHERE offset = 2",
        "UPDATE known SET facts = '[]' WHERE device = 'board-1'",
        "UPDATE stays SET bases = x'ff' || '' WHERE connection = 'c1'",
        "INSERT INTO runs VALUES (0, 'no epoch', 0, 0)",
    ] {
        run(folder.path(), damage).await;
    }
    let found = past(folder.path()).await;
    assert_eq!(found.events.iter().map(|one| one.offset.0).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((found.known.len(), found.runs.len()), (1, 1));
    assert_eq!(found.stays, [stay("c2", 1, None)]);
}

#[tokio::test]
async fn a_disk_that_does_not_answer_keeps_no_server_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    let path = folder.path().join(JOURNAL_FILE);
    let options =
        format!("sqlite:{}", path.display()).parse::<sqlx::sqlite::SqliteConnectOptions>();
    let options = options.unwrap().locking_mode(sqlx::sqlite::SqliteLockingMode::Exclusive);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("DELETE FROM events").execute(&pool).await.unwrap();
    let soon = Duration::from_millis(50);
    let error = read_past(folder.path(), soon).await.unwrap_err();
    assert!(matches!(error, PastError::TooSlow(patience) if patience == soon), "{error}");
    pool.close().await;
    assert!(read_past(folder.path(), PATIENCE).await.is_ok());
}

#[tokio::test]
async fn the_journal_and_the_records_are_files_of_their_own_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).await.unwrap().close().await;
    Desk::open(folder.path()).close().await;
    for file in [store::FILE, JOURNAL_FILE] {
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}
