//! A disk that does not take the journal for a while: full, read-only, locked, or in the way.

use std::fs;
use std::path::Path;
use std::process::Command;

use protocol::journal::Entry;
use store::{JOURNAL_FILE, Journal};
use tokio::runtime::Runtime;

use crate::desk::{Desk, ago, began, happened, happened_at, known, now, past, run, stay};

/// SQLite fails with the words of a full disk.
const FILL_UP: &str = "CREATE TRIGGER full BEFORE INSERT ON events \
                       BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";

const MAKE_ROOM: &str = "DROP TRIGGER full";

/// Hands in more than the disk takes, and waits until the journal says so.
async fn fill(desk: &mut Desk, numbers: std::ops::RangeInclusive<u64>) -> String {
    desk.keep([known("board-1", "old"), known("board-1", "new")]);
    desk.keep(numbers.map(|number| Entry::Happened(happened("e1", number))));
    desk.keep([Entry::Stayed(stay("c1", 1, Some(now()))), Entry::Stayed(stay("c1", 2, None))]);
    desk.fails().await
}

async fn holds_all(folder: &Path, most: u64) {
    let found = past(folder).await;
    let offsets: Vec<_> = found.events.iter().map(|event| event.offset.0).collect();
    assert!(offsets.iter().copied().eq(1..=most), "{} of {most}", offsets.len());
    assert_eq!((found.stays, found.known.len()), (vec![stay("c1", 2, None)], 1));
}

#[tokio::test]
async fn what_a_full_disk_did_not_take_is_written_once_there_is_room() {
    // S0-67
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    run(folder.path(), FILL_UP).await;
    let mut desk = Desk::open(folder.path());
    desk.keep([began("e1")]);
    let why = fill(&mut desk, 1..=100).await;
    assert!(why.contains(JOURNAL_FILE) && why.contains("disk is full"), "{why}");
    assert_eq!(past(folder.path()).await.events, []);
    run(folder.path(), MAKE_ROOM).await;
    desk.flush().await;
    desk.works().await;
    desk.close().await;
    holds_all(folder.path(), 100).await;
}

#[tokio::test]
async fn a_full_disk_does_not_keep_the_server_from_stopping() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    run(folder.path(), FILL_UP).await;
    let mut desk = Desk::open(folder.path());
    desk.keep([began("e1")]);
    fill(&mut desk, 1..=100).await;
    desk.stop.cancel();
    desk.close().await;
    assert_eq!(past(folder.path()).await.events, []);
}

#[tokio::test]
async fn a_stop_writes_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let journal = desk.journal.clone();
    desk.keep((1..=1_000).map(|number| Entry::Happened(happened("e1", number))));
    desk.stop.cancel();
    desk.close().await;
    assert_eq!(past(folder.path()).await.events.len(), 1_000);
    drop(journal);
}

#[tokio::test]
async fn a_disk_that_fails_for_long_costs_the_oldest_events_and_never_a_state() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    run(folder.path(), FILL_UP).await;
    let mut desk = Desk::open(folder.path());
    desk.keep([began("e1"), known("board-1", "new"), Entry::Stayed(stay("c1", 1, None))]);
    desk.keep([Entry::Happened(happened_at("e1", 0, ago(400)))]);
    let (most, more) = (100_000, 5_000);
    for number in 1..=most + more {
        desk.keep([Entry::Happened(happened("e1", number))]);
        if number % 1_000 == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
    let lost = |why: Option<&String>| why.is_some_and(|why| why.contains("entries are lost"));
    let told = desk.condition.wait_for(|condition| lost(condition.why.as_ref()));
    let why = tokio::time::timeout(crate::desk::PATIENCE, told).await.unwrap().unwrap().clone();
    assert!(why.why.unwrap().contains("disk is full"));
    run(folder.path(), MAKE_ROOM).await;
    desk.works().await;
    desk.flush().await;
    desk.close().await;
    let found = past(folder.path()).await;
    let offsets: Vec<_> = found.events.iter().map(|event| event.offset.0).collect();
    assert!(offsets.iter().copied().eq(more + 1..=most + more), "{:?}", offsets.first());
    assert_eq!((found.known.len(), found.stays.len()), (1, 1));
}

#[tokio::test]
async fn entries_that_do_not_even_get_in_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, inbox) = Journal::open();
    (1..=70_000).for_each(|number| journal.keep(Entry::Happened(happened("e1", number))));
    let mut desk = Desk::take_up(folder.path(), journal, inbox);
    let why = desk.fails().await;
    desk.flush().await;
    desk.works().await;
    desk.close().await;
    let missing = 70_000 - past(folder.path()).await.events.len();
    assert!(missing > 0);
    assert_eq!(why, format!("{missing} entries found no room and are lost"));
}

#[tokio::test]
async fn a_journal_that_another_program_holds_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path());
    desk.keep([began("e1")]);
    desk.flush().await;
    let path = folder.path().join(JOURNAL_FILE);
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let backup = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let why = fill(&mut desk, 1..=100).await;
    assert!(why.contains("the disk has not answered for 1s"), "{why}");
    let held = |why: Option<&String>| why.is_some_and(|why| why.contains("another program holds"));
    let told = desk.condition.wait_for(|condition| held(condition.why.as_ref()));
    tokio::time::timeout(crate::desk::PATIENCE, told).await.unwrap().unwrap();
    drop(backup);
    desk.flush().await;
    desk.works().await;
    pool.close().await;
    desk.close().await;
    holds_all(folder.path(), 100).await;
}

#[tokio::test]
async fn a_journal_that_cannot_be_opened_at_first_is_opened_later() {
    for in_the_way in ["a file as folder", "a folder as file"] {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("data");
        match in_the_way {
            "a file as folder" => fs::write(&directory, "in the way").unwrap(),
            _ => fs::create_dir_all(directory.join(JOURNAL_FILE)).unwrap(),
        }
        assert!(store::read_past(&directory, crate::desk::PATIENCE).await.is_err());
        let mut desk = Desk::open(&directory);
        desk.keep([began("e1")]);
        let why = fill(&mut desk, 1..=100).await;
        assert!(why.contains("cannot write to") && why.contains(JOURNAL_FILE), "{why}");
        match in_the_way {
            "a file as folder" => fs::remove_file(&directory).unwrap(),
            _ => fs::remove_dir(directory.join(JOURNAL_FILE)).unwrap(),
        }
        desk.flush().await;
        desk.works().await;
        desk.close().await;
        holds_all(&directory, 100).await;
    }
}

/// Says to the test in a new process that a disk of its own is mounted there.
const DISK: &str = "A_DISK_OF_ITS_OWN";

/// Runs a test once more, with a small disk that nobody else sees. `None` where this machine does
/// not permit it.
fn on_a_small_disk(test: &str) -> Option<()> {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=2m none \"$0\" || exit 77; exec \"$@\"";
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", mount])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DISK, folder.path())
        .status()
        .ok()?;
    let is_permitted = ![Some(1), Some(77)].contains(&status.code());
    if !is_permitted {
        return None;
    }
    assert!(status.success(), "{test} failed on a disk of its own: {status}");
    Some(())
}

/// On the disk of its own if there is one; whether a disk could be had is said in the output.
fn own_disk(test: &str) -> Option<std::path::PathBuf> {
    let disk = std::env::var_os(DISK).map(Into::into);
    if disk.is_none() && on_a_small_disk(test).is_none() {
        eprintln!("{test} was not run: this machine lets nobody mount a disk");
    }
    disk
}

#[test]
fn a_disk_without_room_holds_nobody_up_and_what_waits_is_written_later() {
    // S0-67
    let test = "failing_disk::a_disk_without_room_holds_nobody_up_and_what_waits_is_written_later";
    let Some(disk) = own_disk(test) else { return };
    Runtime::new().unwrap().block_on(async {
        let mut desk = Desk::open(&disk);
        desk.keep([began("e1")]);
        desk.flush().await;
        let ballast = disk.join("ballast");
        // As much as there is room for.
        let _ = fs::write(&ballast, vec![0; 4 << 20]);
        let why = fill(&mut desk, 1..=2_000).await;
        assert!(why.contains(JOURNAL_FILE) && why.contains("the disk is full"), "{why}");
        fs::remove_file(&ballast).unwrap();
        desk.flush().await;
        desk.works().await;
        desk.close().await;
        holds_all(&disk, 2_000).await;
    });
}

#[test]
fn a_disk_that_can_only_be_read_is_tried_until_it_takes_what_waits() {
    // S0-67
    let test = "failing_disk::a_disk_that_can_only_be_read_is_tried_until_it_takes_what_waits";
    let Some(disk) = own_disk(test) else { return };
    let remount = |how: &str| {
        let status = Command::new("mount").args(["-o", how]).arg(&disk).status().unwrap();
        assert!(status.success());
    };
    remount("remount,ro");
    Runtime::new().unwrap().block_on(async {
        let mut desk = Desk::open(&disk);
        desk.keep([began("e1")]);
        let why = fill(&mut desk, 1..=100).await;
        assert!(why.contains("Read-only file system"), "{why}");
        remount("remount,rw");
        desk.flush().await;
        desk.works().await;
        desk.close().await;
        holds_all(&disk, 100).await;
    });
}
