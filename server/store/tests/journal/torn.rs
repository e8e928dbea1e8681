//! A power cut in the middle of a write: the end of the write-ahead log never reached the disk.

use std::fs;
use std::path::Path;

use protocol::journal::Entry;
use store::JOURNAL_FILE;

use crate::desk::{Desk, began, facts, happened, known, past, set_aside, wreck};

/// Groups of one event and the fact it made.
const GROUPS: u64 = 60;

const CUTS: u64 = 300;

async fn check(folder: &Path, cut: u64) -> usize {
    let found = past(folder).await;
    let offsets: Vec<_> = found.events.iter().map(|event| event.offset.0).collect();
    let is_prefix = offsets.iter().copied().eq(1..=offsets.len() as u64);
    assert!(is_prefix && offsets.len() as u64 <= GROUPS, "cut at {cut}: {offsets:?}");
    // Each group is there whole or not at all.
    let expected = offsets.last().map(|offset| facts(&offset.to_string()));
    assert_eq!(found.known.get("board-1"), expected.as_ref(), "cut at {cut}");
    assert_eq!(set_aside(folder).len(), 0);
    offsets.len()
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_what_is_before_it_stands() {
    // S0-67
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.keep([began("e1")]);
    for number in 1..=GROUPS {
        desk.keep([Entry::Happened(happened("e1", number)), known("board-1", &number.to_string())]);
        desk.flush().await;
    }
    let whole = wreck(folder.path());
    desk.close().await;
    let (database, log) = (JOURNAL_FILE.to_owned(), format!("{JOURNAL_FILE}-wal"));
    let tail = fs::read(whole.path().join(&log)).unwrap();
    let mut found = Vec::new();
    for cut in 0..=CUTS {
        let torn = tempfile::tempdir().unwrap();
        fs::copy(whole.path().join(&database), torn.path().join(&database)).unwrap();
        // A prime, so that the cuts fall at all places of a page; the last of them takes nothing.
        let stray = if cut == CUTS { 0 } else { cut * 7919 % 4096 };
        let length = (tail.len() as u64 * cut / CUTS).saturating_sub(stray) as usize;
        let mut kept = tail[..length].to_vec();
        // Half of them end in what was on the disk before.
        if cut % 2 == 1 && cut < CUTS {
            kept.resize(tail.len(), 0xa5);
        }
        fs::write(torn.path().join(&log), kept).unwrap();
        found.push(check(torn.path(), cut).await);
    }
    assert_eq!((found[0], found[CUTS as usize]), (0, GROUPS as usize));
    found.dedup();
    assert!(found.len() as u64 > GROUPS / 2, "the cuts fell at few places: {found:?}");
}
