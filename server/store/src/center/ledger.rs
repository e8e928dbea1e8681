//! The batches that are not on the disk yet, and who waits for each.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use protocol::id::EdgeId;
use protocol::status::StatusBatch;
use protocol::time::Timestamp;
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use super::file::{CENTER, prune, write};
use crate::clerk::Ledger;
use crate::open::{Database, ago, now};

/// What is handed in, and who wants to hear that it is on the disk.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(super) received: Received,
    pub(super) done: oneshot::Sender<()>,
}

#[derive(Debug)]
pub(crate) struct Received {
    pub(super) edge: EdgeId,
    pub(super) batch: StatusBatch,
}

/// What waits for the disk.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    keep: Option<Duration>,
    waiting: VecDeque<Letter>,
    under_way: VecDeque<Letter>,
}

impl Pending {
    pub(super) fn keep_for(&mut self, keep: Duration) {
        self.keep = Some(keep);
    }
}

impl Ledger for Pending {
    type Letter = Letter;

    const DATABASE: &'static Database = &CENTER;

    const THINGS: &'static str = "batches of edges";

    fn take(&mut self, letter: Letter) {
        self.waiting.push_back(letter);
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < MOST_WAITING
    }

    fn waiting(&self) -> usize {
        self.waiting.len()
    }

    async fn begin(
        &mut self,
        _connection: &mut SqliteConnection,
        _is_new: bool,
    ) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let now = now();
        self.under_way = mem::take(&mut self.waiting);
        for letter in &self.under_way {
            write(connection, &letter.received, now).await?;
        }
        Ok(())
    }

    fn done(&mut self) {
        for letter in mem::take(&mut self.under_way) {
            // Who no longer waits hands it in again.
            let _ = letter.done.send(());
        }
    }

    /// Those whom nobody waits for any more will come again.
    fn take_back(&mut self) {
        let newer = mem::replace(&mut self.waiting, mem::take(&mut self.under_way));
        self.waiting.extend(newer);
        self.waiting.retain(|letter| !letter.done.is_closed());
    }

    async fn prune(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        match self.keep {
            Some(keep) => prune(connection, ago(now, keep)).await,
            None => Ok(false),
        }
    }

    fn take_lost(&mut self) -> u64 {
        0
    }
}

/// In batches; a disk that fails lets edges wait, and not the memory grow.
const MOST_WAITING: usize = 256;
