//! What those who ask are told of the record.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use protocol::command::{CommandRecord, Failure, Origin};
use protocol::frame::CommandStatus;
use protocol::wire::commands::CommandRow;
use store::{COMMANDS_FILE, CommandFilter, CommandHistory, HistoryError};

use crate::desk::{Desk, ago, done, failed, intent};

const NONE: CommandFilter = CommandFilter {
    device: None,
    origin: None,
    user: None,
    command: None,
    status: None,
    failure: None,
    from: None,
    to: None,
    text: None,
};

/// Orders of which many were accepted in the same millisecond.
fn orders() -> Vec<CommandRecord> {
    let start = ago(3600);
    let order = |number: u64| {
        let at = start + Duration::from_millis(number / 7);
        let mut record = intent(&format!("c-{number}"), at);
        record.order.key.device = format!("board-{}", number % 3).parse().unwrap();
        record.order.key.origin = Origin::ALL[number as usize % 3];
        record.order.key.user = format!("user-{}", number % 5);
        record.order.command = ["START", "STOP"][number as usize % 2].into();
        match number % 4 {
            0 => failed(record, Failure::ALL[number as usize % 11]),
            1 if number % 8 == 1 => record,
            _ => done(record),
        }
    };
    (0..500).map(order).collect()
}

async fn pages(history: &CommandHistory, filter: &CommandFilter, limit: u32) -> Vec<CommandRow> {
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let limit = NonZeroU32::new(limit).unwrap();
        let page = history.page(filter, before, limit).await.unwrap();
        assert!(page.rows.len() <= limit.get() as usize);
        rows.extend(page.rows);
        match page.next {
            Some(next) => before = Some(next.parse().unwrap()),
            None => return rows,
        }
    }
}

#[tokio::test]
async fn pages_hold_every_order_that_is_wanted_once_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let orders = orders();
    desk.keep(orders.clone());
    desk.flush().await;
    let history = desk.commands.history();
    let (fail, success) = (Some(CommandStatus::Fail), Some(CommandStatus::Success));
    type Wanted = fn(&CommandRecord) -> bool;
    let table: [(CommandFilter, Wanted); 9] = [
        (NONE, |_| true),
        (CommandFilter { device: Some("board-1".parse().unwrap()), ..NONE }, |record| {
            record.order.key.device.as_str() == "board-1"
        }),
        (CommandFilter { origin: Some(Origin::Pscada), ..NONE }, |record| {
            record.order.key.origin == Origin::Pscada
        }),
        (CommandFilter { user: Some("user-3".into()), ..NONE }, |record| {
            record.order.key.user == "user-3"
        }),
        (CommandFilter { command: Some("START".into()), status: success, ..NONE }, |record| {
            let is_success = |outcome: &protocol::command::Outcome| outcome.failure.is_none();
            record.order.command == "START" && record.outcome.as_ref().is_some_and(is_success)
        }),
        (CommandFilter { status: fail, ..NONE }, |record| {
            record.outcome.as_ref().is_some_and(|outcome| outcome.failure.is_some())
        }),
        (CommandFilter { failure: Some(Failure::Busy), status: fail, ..NONE }, |record| {
            let is_busy =
                |outcome: &protocol::command::Outcome| outcome.failure == Some(Failure::Busy);
            record.outcome.as_ref().is_some_and(is_busy)
        }),
        (CommandFilter { text: Some("LINE".into()), ..NONE }, |_| false),
        (CommandFilter { text: Some("C-49".into()), ..NONE }, |record| {
            record.order.key.id.contains("c-49")
        }),
    ];
    for (filter, wanted) in table {
        let expected = orders.iter().rev().filter(|record| wanted(record));
        let expected: Vec<_> = expected.map(|record| record.order.key.id.clone()).collect();
        for limit in [1, 7, 100, 1000] {
            let rows = pages(&history, &filter, limit).await;
            let ids: Vec<_> = rows.into_iter().map(|row| row.command_id).collect();
            assert_eq!(ids, expected, "{filter:?} by {limit}");
        }
        let all: Vec<_> = history.all(filter.clone()).try_collect().await.unwrap();
        assert_eq!(all.len(), expected.len(), "{filter:?}");
    }
    desk.close().await;
}

#[tokio::test]
async fn a_span_of_time_begins_with_its_start_and_ends_before_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let orders = orders();
    desk.keep(orders.clone());
    desk.flush().await;
    let (from, to) = (orders[100].accepted_at, orders[300].accepted_at);
    let filter = CommandFilter { from: Some(from), to: Some(to), ..NONE };
    let rows = pages(&desk.commands.history(), &filter, 10).await;
    let expected = orders.iter().filter(|order| (from..to).contains(&order.accepted_at)).count();
    assert_eq!(rows.len(), expected);
    assert!(rows.iter().all(|row| (from..to).contains(&row.accepted_at)));
    desk.close().await;
}

#[tokio::test]
async fn orders_that_come_meanwhile_change_no_page_that_follows() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let orders = orders();
    desk.keep(orders[..300].iter().cloned());
    desk.flush().await;
    let (history, fifty) = (desk.commands.history(), NonZeroU32::new(50).unwrap());
    let first = history.page(&NONE, None, fifty).await.unwrap();
    desk.keep(orders[300..].iter().cloned());
    desk.flush().await;
    let before = first.next.unwrap().parse().unwrap();
    let second = history.page(&NONE, Some(before), fifty).await.unwrap();
    let ids: Vec<_> = second.rows.into_iter().map(|row| row.command_id).collect();
    let expected: Vec<_> = (200..250).rev().map(|number| format!("c-{number}")).collect();
    assert_eq!(ids, expected);
    desk.close().await;
}

#[tokio::test]
async fn a_page_that_finds_few_among_many_names_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let start = ago(3600);
    desk.keep([done(intent("wanted", start))]);
    let order =
        |number| done(intent(&format!("c-{number}"), start + Duration::from_millis(number)));
    for some in (1..=45_000).collect::<Vec<_>>().chunks(5_000) {
        desk.keep(some.iter().copied().map(order));
        desk.flush().await;
    }
    let history = desk.commands.history();
    let filter = CommandFilter { text: Some("wanted".into()), ..NONE };
    let first = history.page(&filter, None, NonZeroU32::new(10).unwrap()).await.unwrap();
    assert!(first.rows.is_empty() && first.next.is_some(), "it looked at all of them");
    let found = pages(&history, &filter, 10).await;
    assert_eq!(found.into_iter().map(|row| row.command_id).collect::<Vec<_>>(), ["wanted"]);
    let all: Vec<_> = history.all(filter).try_collect().await.unwrap();
    assert_eq!(all.len(), 1);
    desk.close().await;
}

#[tokio::test]
async fn a_record_that_is_not_open_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let directory: &Path = &folder.path().join("data");
    std::fs::write(directory, "in the way").unwrap();
    let mut desk = Desk::open(directory);
    desk.fails("cannot write to").await;
    let history = desk.commands.history();
    let error = history.page(&NONE, None, NonZeroU32::MIN).await.unwrap_err();
    assert!(matches!(error, HistoryError::NotOpen), "{error} ({COMMANDS_FILE})");
    desk.stop.cancel();
    desk.close().await;
}
