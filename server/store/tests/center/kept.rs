//! What edges tell, and what is found of it.

use std::time::Duration;

use store::{CENTER_FILE, CenterPolicy};

use crate::desk::{Desk, PATIENCE, at, batch, ids, now, row, run};

#[tokio::test]
async fn a_batch_that_comes_again_is_kept_once() {
    // S0-49
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let before = now();
    desk.keep("north", batch("one", 0..100)).await;
    desk.keep("north", batch("one", 0..100)).await;
    desk.keep("north", batch("one", 50..150)).await;
    let rows = desk.rows("north").await;
    assert!(ids(&rows).into_iter().eq((0..150).rev()));
    for kept in &rows {
        assert_eq!(kept.row, row(kept.row.id));
        assert_eq!(kept.incarnation.as_str(), "one");
        assert!(kept.received_at >= before);
    }
    let extents = desk.extents().await;
    assert_eq!((extents.len(), extents[0].rows, extents[0].newest), (1, 150, Some(at(149 / 7))));
    assert!(extents[0].received_at >= Some(before));
    desk.close().await;
    let desk = Desk::open(folder.path());
    assert_eq!(desk.extents().await, extents);
    assert_eq!(desk.rows("north").await, rows);
    desk.close().await;
}

#[tokio::test]
async fn the_same_number_of_another_edge_or_incarnation_is_another_row() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.keep("north", batch("one", 0..10)).await;
    desk.keep("north", batch("two", 0..10)).await;
    desk.keep("south", batch("one", 5..10)).await;
    desk.keep("west", batch("one", 0..0)).await;
    let rows =
        desk.extents().await.into_iter().map(|extent| (extent.edge.to_string(), extent.rows));
    let expected = [("north".into(), 20), ("south".into(), 5), ("west".into(), 0)];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    assert_eq!(desk.rows("south").await.len(), 5);
    desk.close().await;
}

#[tokio::test]
async fn numbers_that_a_copy_of_a_backlog_gives_again_cost_no_row() {
    // S0-49
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path());
    let longest = "x".repeat(64);
    for incarnation in ["one", &longest] {
        let old = batch(incarnation, 0..100);
        let copy = |text: &str| {
            let mut copy = batch(incarnation, 90..110);
            copy.rows.iter_mut().for_each(|row| row.row.old_value = text.into());
            copy
        };
        desk.keep("north", old.clone()).await;
        desk.works().await;
        // Each is sent again, as after a line that broke.
        for again in [copy("first"), copy("first"), copy("second"), old.clone(), copy("second")] {
            desk.keep("north", again).await;
        }
        let why = desk.fails("given again by edge `north`").await;
        assert!(why.contains("backlog.db"), "{why}");
        let rows = desk.rows("north").await;
        let of = |name: &str| {
            let rows = rows.iter().filter(|row| row.incarnation.as_str() == name);
            let mut rows: Vec<_> = rows.map(|row| row.row.clone()).collect();
            rows.sort_unstable_by_key(|row| row.id);
            rows
        };
        // What was not given before is no copy.
        let news = copy("first").rows.split_off(10);
        assert_eq!(of(incarnation), [old.rows, news].concat());
        let names =
            [2, 3].map(|copy| format!("{}.{copy}", &incarnation[..incarnation.len().min(62)]));
        assert_eq!(of(&names[0])[..10], copy("first").rows[..10]);
        assert_eq!(of(&names[0])[10..], copy("second").rows[10..]);
        assert_eq!(of(&names[1]), copy("second").rows[..10]);
        desk.keep("north", batch(incarnation, 110..120)).await;
        desk.works().await;
    }
    let rows = desk.rows("north").await.len() as u64;
    assert_eq!((rows, desk.extents().await[0].rows), (300, 300));
    desk.close().await;
}

#[tokio::test]
async fn a_batch_is_acknowledged_once_it_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    for number in 0..20 {
        desk.keep("north", batch("one", number * 100..(number + 1) * 100)).await;
        // What a killed server would leave behind.
        let wreck = tempfile::tempdir().unwrap();
        for file in [CENTER_FILE.into(), format!("{CENTER_FILE}-wal")] {
            std::fs::copy(folder.path().join(&file), wreck.path().join(&file)).unwrap();
        }
        let found = Desk::open(wreck.path());
        assert_eq!(found.extents().await[0].rows, (number + 1) * 100);
        found.close().await;
    }
    desk.close().await;
}

#[tokio::test]
async fn a_writer_that_was_stopped_in_the_middle_is_followed_by_one_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path());
    let mut waiting = Vec::new();
    for number in 0..30 {
        let (center, edge) = (desk.center.clone(), "north".parse().unwrap());
        let some = batch("one", number * 100..(number + 1) * 100);
        waiting.push(tokio::spawn(async move { center.keep(&edge, some).await }));
        tokio::task::yield_now().await;
        if number % 3 == 0 {
            desk.fall().await;
        }
    }
    for kept in waiting {
        assert!(tokio::time::timeout(PATIENCE, kept).await.unwrap().unwrap());
    }
    assert!(ids(&desk.rows("north").await).into_iter().eq((0..3_000).rev()));
    assert_eq!(desk.extents().await[0].rows, 3_000);
    desk.close().await;
}

#[tokio::test]
async fn rows_are_forgotten_after_four_hundred_days_in_small_portions() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.keep("north", batch("one", 0..2_500)).await;
    desk.keep("south", batch("one", 0..10)).await;
    desk.keep("north", batch("one", 2_500..2_600)).await;
    desk.close().await;
    let ages = "UPDATE history SET received_at = received_at - iif(id < 2500, 401, 300) * 86400000";
    run(folder.path(), ages).await;
    let desk = Desk::with(folder.path(), always());
    let rows = async || desk.extents().await.iter().map(|one| one.rows).collect::<Vec<_>>();
    let reached = async { while rows().await != [100, 0] {} };
    tokio::time::timeout(PATIENCE, reached).await.unwrap();
    assert!(ids(&desk.rows("north").await).into_iter().eq((2_500..2_600).rev()));
    assert!(desk.rows("south").await.is_empty());
    desk.close().await;
}

#[tokio::test]
async fn what_came_while_the_clock_was_ahead_keeps_nothing_older_alive() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    for numbers in [2_000..3_100, 0..1_500, 4_000..4_010] {
        desk.keep("north", batch("one", numbers)).await;
    }
    desk.close().await;
    let ages = "UPDATE history SET received_at = received_at - \
                iif(id < 2000, 401, iif(id < 4000, -900, 300)) * 86400000";
    run(folder.path(), ages).await;
    let desk = Desk::with(folder.path(), always());
    let reached = async { while desk.extents().await[0].rows != 1_110 {} };
    tokio::time::timeout(PATIENCE, reached).await.unwrap();
    let left = (2_000..3_100).chain(4_000..4_010);
    assert!(ids(&desk.rows("north").await).into_iter().eq(left.rev()));
    desk.close().await;
}

#[tokio::test]
async fn a_clock_that_leaps_ahead_removes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.keep("north", batch("one", 0..100)).await;
    desk.close().await;
    run(folder.path(), "UPDATE history SET received_at = received_at - 730 * 86400000").await;
    let desk = Desk::with(folder.path(), always());
    // It is looked for what is old before the first of them, and after each.
    for number in 0..20 {
        desk.keep("south", batch("one", number..number + 1)).await;
    }
    assert!(ids(&desk.rows("north").await).into_iter().eq((0..100).rev()));
    desk.close().await;
}

fn always() -> CenterPolicy {
    CenterPolicy { prune_every: Duration::from_millis(1), ..CenterPolicy::default() }
}
