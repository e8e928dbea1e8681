//! The deeds that are not on the disk yet.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use protocol::time::Timestamp;
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use super::chain::Link;
use super::deed::{Columns, Deed};
use super::file::{AUDIT, Written, last, prune, write_rows};
use crate::clerk::Ledger;
use crate::open::Database;

/// What is handed in.
#[derive(Debug)]
pub(crate) enum Letter {
    Deed(Box<Deed>),
    /// Wants to hear when all before it is on the disk.
    Flush(oneshot::Sender<()>),
}

/// What waits for the disk, and how far the chain there had come.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    keep: Duration,
    /// The number of the last row that is known to be on the disk. Whatever comes next gets a higher
    /// one: what somebody cuts off leaves a hole.
    last: i64,
    /// The same, once what is under way is on the disk.
    next_last: i64,
    waiting: Group,
    under_way: Group,
    lost: u64,
}

#[derive(Debug, Default)]
struct Group {
    deeds: VecDeque<Deed>,
    told: Vec<oneshot::Sender<()>>,
}

impl Pending {
    pub(super) fn keep_for(&mut self, keep: Duration) {
        self.keep = keep;
    }

    /// Chains what is under way to `end`.
    fn chain(&mut self, end: Link) -> Vec<Written> {
        let mut end = Link { id: end.id.max(self.last), ..end };
        let seal = |deed: &Deed| {
            let row = Columns::of(end.id.saturating_add(1), deed);
            let hash = end.seal(&row);
            end = Link { id: row.id, hash: hash.clone() };
            Written { row, hash }
        };
        let written = self.under_way.deeds.iter().map(seal).collect();
        self.next_last = end.id;
        written
    }

    /// Gives up the oldest of what is too much.
    fn shorten(&mut self) {
        while self.waiting.deeds.len() > MOST_DEEDS {
            self.waiting.deeds.pop_front();
            self.lost += 1;
            // Nobody can be told that all is on the disk.
            self.waiting.told.clear();
        }
    }
}

impl Ledger for Pending {
    type Letter = Letter;

    const DATABASE: &'static Database = &AUDIT;

    const THINGS: &'static str = "rows of the audit trail";

    fn take(&mut self, letter: Letter) {
        match letter {
            Letter::Deed(deed) => self.waiting.deeds.push_back(*deed),
            Letter::Flush(done) => self.waiting.told.push(done),
        }
        self.shorten();
    }

    fn has_room(&self) -> bool {
        true
    }

    fn waiting(&self) -> usize {
        self.waiting.deeds.len() + self.waiting.told.len()
    }

    async fn begin(
        &mut self,
        connection: &mut SqliteConnection,
        _is_new: bool,
    ) -> Result<(), sqlx::Error> {
        self.last = last(connection).await?.id;
        Ok(())
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        self.under_way = mem::take(&mut self.waiting);
        // Another process may have written since: the transaction holds it off from here on.
        let end = last(connection).await?;
        let written = self.chain(end);
        if written.is_empty() { Ok(()) } else { write_rows(connection, &written).await }
    }

    fn done(&mut self) {
        self.last = self.next_last;
        for done in mem::take(&mut self.under_way).told {
            // Who no longer waits need not know.
            let _ = done.send(());
        }
    }

    fn take_back(&mut self) {
        let Group { deeds, told } = mem::take(&mut self.under_way);
        for deed in deeds.into_iter().rev() {
            self.waiting.deeds.push_front(deed);
        }
        self.waiting.told.extend(told);
        self.shorten();
    }

    async fn prune(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        prune(connection, self.keep, now).await
    }

    fn take_lost(&mut self) -> u64 {
        mem::take(&mut self.lost)
    }
}

/// Deeds that wait for a disk that fails.
const MOST_DEEDS: usize = 20_000;
