//! One who gives orders all the while, and keeps a book of what was answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use link::{News, Progress, Session};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::chance::Chance;
use crate::client::{Client, Setup, Watch};
use crate::clock;
use crate::plant::Shape;

/// Somebody at a console, who gives one order after the other.
#[derive(Debug)]
pub struct Giver {
    stop: CancellationToken,
    giving: JoinHandle<Option<Book>>,
}

/// The orders of one giver, by the value that each was to set: no two set the same.
#[derive(Clone, Debug, Default)]
pub struct Book(pub BTreeMap<u16, Order>);

/// What its giver knows of an order. Times are in microseconds.
#[derive(Clone, Debug)]
pub struct Order {
    pub given_at: u64,
    /// All that ended it, in the order in which it was told, and when.
    pub ends: Vec<(u64, Progress)>,
}

impl Giver {
    /// Gives orders to the device of `setup`, mostly for its setting `own`, now and then for the
    /// other; the values come from `values`.
    pub fn start(setup: Setup, own: u16, values: Arc<AtomicU16>, mut chance: Chance) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let giving = tokio::spawn(async move {
            let client = Client::start(setup, Book::default());
            while !stopped.is_cancelled() {
                sleep(chance.pause(SHORTEST, LONGEST)).await;
                let value = values.fetch_add(1, Ordering::Relaxed);
                let setting = if chance.happens(OTHER) { 1 - own } else { own };
                let param = format!("{}.{}", value / 10, value % 10);
                let name = Shape::setting_key(setting);
                client.order(value.to_string(), name, Some(param)).await;
            }
            sleep(LAST_ANSWER).await;
            let book = client.look(|_, book| std::mem::take(book)).await;
            client.leave().await;
            book
        });
        Self { stop, giving }
    }

    /// Gives no more, waits for the last answer, and hands out the book.
    pub async fn end(self) -> anyhow::Result<Book> {
        self.stop.cancel();
        self.giving.await?.ok_or_else(|| anyhow::anyhow!("one who gives orders has left"))
    }
}

impl Watch for Book {
    fn heard(&mut self, _: &str, _: &Session, _: u64) {}

    fn told(&mut self, news: &News, _: &Session) {
        let News::Command { id, progress } = news else { return };
        let Ok(value) = id.parse() else { return };
        let now = clock::micros();
        let order = self.0.entry(value).or_insert(Order { given_at: now, ends: Vec::new() });
        if progress.is_end() {
            order.ends.push((now, progress.clone()));
        }
    }
}

/// Between two orders, in milliseconds.
const SHORTEST: u64 = 50;
const LONGEST: u64 = 350;

/// How many of the orders are for what somebody else mostly sets, in percent.
const OTHER: u64 = 10;

/// Every answer is there by then, if only that there is none.
const LAST_ANSWER: std::time::Duration = std::time::Duration::from_secs(2);
