//! What is handed in, and what is found of it after a restart.

use std::fs;
use std::time::Duration;

use protocol::command::{CommandRecord, Failure, Order, OrderKey, Origin, Steps};
use protocol::time::Timestamp;
use store::{COMMANDS_FILE, CommandsPolicy, OpenError, PastError};

use crate::desk::{Desk, PATIENCE, ago, done, failed, intent, now, recent, run, set_aside, wreck};

#[tokio::test]
async fn an_intent_is_told_once_it_is_on_the_disk() {
    // S0-59
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path());
    for number in 0..20 {
        let intent = intent(&format!("c-{number}"), now());
        desk.keep([intent.clone()]);
        assert_eq!(desk.recorded().await, intent.order.key.id);
        let found = recent(wreck(folder.path()).path()).await;
        assert_eq!(found.last(), Some(&intent));
    }
    desk.close().await;
}

#[tokio::test]
async fn an_outcome_takes_the_place_of_its_intent_and_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path());
    let (first, second, third) = (intent("c-1", now()), intent("c-2", now()), intent("c-3", now()));
    desk.keep([first.clone()]);
    assert_eq!(desk.recorded().await, "c-1");
    desk.keep([done(first.clone()), failed(second.clone(), Failure::DeviceTimeout), third.clone()]);
    assert_eq!(desk.recorded().await, "c-3");
    desk.close().await;
    let expected = [done(first), failed(second, Failure::DeviceTimeout), third];
    let mut found = recent(folder.path()).await;
    // Foreign words are kept on one line.
    let detail = &mut found[1].outcome.as_mut().unwrap().detail;
    assert_eq!(detail.as_deref(), Some("线路 \"1\" is down"));
    *detail = expected[1].outcome.clone().unwrap().detail;
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_outcome_stays_whatever_is_said_of_its_order_later() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let intent = intent("c-1", now());
    desk.keep([done(intent.clone())]);
    desk.flush().await;
    desk.keep([intent.clone()]);
    desk.close().await;
    assert_eq!(recent(folder.path()).await, [done(intent)]);
}

#[tokio::test]
async fn an_id_that_is_used_again_much_later_is_another_order() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let (old, young) = (intent("c-1", ago(599)), intent("c-1", now()));
    let key = OrderKey { origin: Origin::Pscada, ..old.order.key.clone() };
    let other = CommandRecord { order: Order { key, ..old.order.clone() }, ..young.clone() };
    let expected = [done(old), done(young), other];
    desk.keep(expected.clone());
    desk.close().await;
    assert_eq!(recent(folder.path()).await, expected);
}

#[tokio::test]
async fn an_order_without_outcome_is_found_however_old_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let [old, lost, young] =
        [ago(9_000), ago(8_000), ago(500)].map(|at| intent(&format!("c-{at}"), at));
    desk.keep([done(old), lost.clone(), done(young.clone())]);
    desk.close().await;
    assert_eq!(recent(folder.path()).await, [lost, done(young)]);
}

#[tokio::test]
async fn every_word_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let base = intent("c", now());
    let mut expected: Vec<_> = (0..)
        .zip(Failure::ALL)
        .map(|(number, failure)| {
            let mut record = failed(base.clone(), failure);
            record.order.key.id = format!("{number}\0\"板");
            record.order.key.origin = Origin::ALL[number % 3];
            record.outcome.as_mut().unwrap().detail = None;
            record
        })
        .collect();
    let until = Some(Timestamp::from_millis(u64::MAX >> 1));
    let order = Order { param: None, valid_until: until, ..base.order.clone() };
    let steps = Steps { recorded: Some(u32::MAX), ..Steps::default() };
    expected.push(CommandRecord { order, steps, ..base });
    desk.keep(expected.clone());
    desk.close().await;
    assert_eq!(recent(folder.path()).await, expected);
}

#[tokio::test]
async fn a_writer_that_was_stopped_in_the_middle_is_followed_by_one_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path());
    let intents: Vec<_> = (0..600).map(|number| intent(&format!("c-{number}"), now())).collect();
    for some in intents.chunks(50) {
        desk.keep(some.iter().cloned());
        tokio::task::yield_now().await;
        desk.fall().await;
    }
    // Each is told at least once.
    let mut told = std::collections::BTreeSet::new();
    while told.len() < intents.len() {
        told.insert(desk.recorded().await);
    }
    desk.close().await;
    assert_eq!(recent(folder.path()).await, intents);
}

#[tokio::test]
async fn orders_are_forgotten_after_half_a_year_in_small_portions() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let day = 24 * 60 * 60;
    desk.keep((0..2_000).map(|number| done(intent(&format!("c-{number}"), ago(181 * day)))));
    desk.keep([done(intent("kept", ago(179 * day)))]);
    desk.close().await;
    let every = CommandsPolicy { prune_every: Duration::from_millis(1), ..Default::default() };
    let desk = Desk::with(folder.path(), every);
    let long_ago = ago(200 * day);
    let kept = async || {
        let found = store::read_recent_commands(folder.path(), long_ago, PATIENCE).await;
        found.unwrap().into_iter().map(|record| record.order.key.id).collect::<Vec<_>>()
    };
    while kept().await != ["kept"] {}
    desk.close().await;
}

#[tokio::test]
async fn a_clock_that_leaps_ahead_takes_no_order() {
    let folder = tempfile::tempdir().unwrap();
    let every = CommandsPolicy { prune_every: Duration::from_millis(1), ..Default::default() };
    let desk = Desk::with(folder.path(), every);
    let old = done(intent("old", ago(365 * 24 * 60 * 60)));
    desk.keep([old.clone()]);
    // It is looked for what is old before the first of them, and after each.
    let new: Vec<_> = (0..20).map(|number| done(intent(&format!("c-{number}"), now()))).collect();
    for order in &new {
        desk.keep([order.clone()]);
        desk.flush().await;
    }
    desk.close().await;
    let found = store::read_recent_commands(folder.path(), Timestamp::default(), PATIENCE).await;
    assert_eq!(found.unwrap(), [vec![old], new].concat());
}

#[tokio::test]
async fn where_nothing_ever_ran_there_are_no_orders() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(recent(&folder.path().join("deep/data")).await, []);
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_what_is_before_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    // A log that is copied was on the disk before: its end cannot be missing.
    let copy_after = Duration::from_secs(3600);
    let policy = CommandsPolicy { copy_after, ..CommandsPolicy::default() };
    let desk = Desk::with(folder.path(), policy);
    let intents: Vec<_> = (0..40).map(|number| intent(&format!("c-{number}"), now())).collect();
    for intent in &intents {
        desk.keep([intent.clone()]);
        desk.flush().await;
    }
    let whole = wreck(folder.path());
    desk.close().await;
    let log = format!("{COMMANDS_FILE}-wal");
    let tail = fs::read(whole.path().join(&log)).unwrap();
    let mut lengths = Vec::new();
    for cut in 0..=100 {
        let torn = tempfile::tempdir().unwrap();
        fs::copy(whole.path().join(COMMANDS_FILE), torn.path().join(COMMANDS_FILE)).unwrap();
        let stray = if cut == 100 { 0 } else { cut * 7919 % 4096 };
        let length = (tail.len() * cut / 100).saturating_sub(stray);
        fs::write(torn.path().join(&log), &tail[..length]).unwrap();
        let found = recent(torn.path()).await;
        assert_eq!(found, intents[..found.len()], "cut at {cut}");
        assert!(set_aside(torn.path()).is_empty());
        lengths.push(found.len());
    }
    assert_eq!((lengths[0], lengths[100]), (0, intents.len()));
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_told_and_never_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let noise = b"not a database at all".repeat(400);
    fs::write(folder.path().join(COMMANDS_FILE), &noise).unwrap();
    let error = store::read_recent_commands(folder.path(), ago(600), PATIENCE).await.unwrap_err();
    assert!(matches!(error, PastError::Closed(OpenError::Damaged { .. })), "{error}");
    assert!(set_aside(folder.path()).is_empty(), "that is for the writer to do");
    let mut desk = Desk::open(folder.path());
    desk.keep([intent("c-1", now())]);
    assert_eq!(desk.recorded().await, "c-1");
    desk.works().await;
    desk.close().await;
    let aside = set_aside(folder.path());
    assert!(aside.len() == 1 && fs::read(&aside[0]).unwrap() == noise, "nothing of it is lost");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_takes_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.keep((1..=3).map(|number| done(intent(&format!("c-{number}"), now()))));
    desk.close().await;
    run(folder.path(), "UPDATE commands SET failure = 'LATER' WHERE command_id = 'c-2'").await;
    let ids: Vec<_> = recent(folder.path()).await.into_iter().map(|one| one.order.key.id).collect();
    assert_eq!(ids, ["c-1", "c-3"]);
}
