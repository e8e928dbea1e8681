//! The batches that are not on the disk yet, and who waits for each.

use std::collections::{BTreeSet, VecDeque};
use std::mem;
use std::time::Duration;

use protocol::id::EdgeId;
use protocol::status::StatusBatch;
use protocol::time::Timestamp;
use sqlx::SqliteConnection;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::file::{AROUND, CENTER, Found, prune, write};
use crate::age::{Doubt, Old, look};
use crate::clerk::Ledger;
use crate::open::{Database, ago, now};

/// What is handed in, and who wants to hear that it is on the disk.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(super) received: Received,
    pub(super) done: oneshot::Sender<()>,
    /// Its place among all that wait; free once the letter is gone.
    pub(super) _place: OwnedSemaphorePermit,
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
    /// What is told of those under way, once they are on the disk.
    found: Vec<Found>,
    /// Edges that give numbers again which they gave to other rows.
    confused: BTreeSet<EdgeId>,
    /// Those of whom that was told.
    told: BTreeSet<EdgeId>,
    doubt: Doubt,
}

impl Pending {
    pub(super) fn keep_for(&mut self, keep: Duration) {
        self.keep = Some(keep);
    }

    /// Those whom nobody waits for any more will come again.
    fn drop_abandoned(&mut self) {
        self.waiting.retain(|letter| !letter.done.is_closed());
    }

    /// Tells of numbers that were given again, once of each edge.
    fn look_at(&mut self, edge: &EdgeId, found: Found) {
        if found.dropped > 0 {
            tracing::error!(
                "{} rows of edge `{edge}` are not kept: their numbers were given too often",
                found.dropped
            );
        }
        match found {
            Found { reused: 1.., .. } => {
                self.confused.insert(edge.clone());
                if self.told.insert(edge.clone()) {
                    tracing::warn!(
                        "edge `{edge}` gives numbers again that it gave to other rows: {PUT_BACK}"
                    );
                }
            }
            Found { new: 1.., .. } => {
                self.confused.remove(edge);
            }
            _ => {}
        }
    }

    /// Takes out as much as one transaction writes, at least one batch.
    fn split(&mut self) -> VecDeque<Letter> {
        let mut rows = 0;
        let has_room = |letter: &Letter| {
            rows += letter.received.batch.rows.len();
            rows <= LARGEST_GROUP
        };
        let fitting = self.waiting.iter().map(has_room).take_while(|fits| *fits).count();
        let rest = self.waiting.split_off(fitting.max(1).min(self.waiting.len()));
        mem::replace(&mut self.waiting, rest)
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
        self.drop_abandoned();
        self.under_way = self.split();
        self.found.clear();
        for letter in &self.under_way {
            self.found.push(write(connection, &letter.received, now).await?);
        }
        Ok(())
    }

    fn done(&mut self) {
        let found = mem::take(&mut self.found);
        for (letter, found) in mem::take(&mut self.under_way).into_iter().zip(found) {
            self.look_at(&letter.received.edge, found);
            // Who no longer waits hands it in again.
            let _ = letter.done.send(());
        }
    }

    fn take_back(&mut self) {
        let newer = mem::replace(&mut self.waiting, mem::take(&mut self.under_way));
        self.waiting.extend(newer);
        self.drop_abandoned();
    }

    async fn prune(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let Some(keep) = self.keep else { return Ok(false) };
        let old = look(connection, AROUND, now, keep).await?;
        self.doubt.tell(old == Old::Doubted, Self::THINGS);
        if old == Old::MayGo { prune(connection, ago(now, keep)).await } else { Ok(false) }
    }

    fn take_lost(&mut self) -> u64 {
        0
    }

    fn complaint(&self) -> Option<String> {
        let edges = self.confused.iter().map(|edge| format!("`{edge}`")).collect::<Vec<_>>();
        (!edges.is_empty())
            .then(|| format!("numbers are given again by edge {}: {PUT_BACK}", edges.join(", ")))
    }
}

/// In batches of a hundred rows, what a disk writes in a second or two; one that fails lets edges
/// wait, and not the memory grow.
pub(super) const MOST_WAITING: usize = 256;

/// What is known of an edge that gives numbers again.
const PUT_BACK: &str = "a copy of its backlog.db was probably put back; \
                        such rows are kept under an incarnation of their own";

/// How many rows one transaction writes: some tenths of a second's work.
const LARGEST_GROUP: usize = 10_000;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protocol::status::{NumberedRow, StatusRow};
    use sqlx::Connection as _;
    use tokio::sync::Semaphore;

    use super::*;

    fn letter(rows: u64) -> (Letter, oneshot::Receiver<()>) {
        let row = StatusRow {
            bit_position: None,
            device_id: "board-1".parse().unwrap(),
            new_value: String::new(),
            old_value: String::new(),
            record_time: Timestamp::default(),
            status_name: String::new(),
            status_type: String::new(),
            timestamp: Timestamp::default(),
        };
        let rows = (0..rows).map(|id| NumberedRow { id, row: row.clone() }).collect();
        let batch = StatusBatch { incarnation: "one".parse().unwrap(), rows };
        let received = Received { edge: "north".parse().unwrap(), batch };
        let _place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let (done, is_kept) = oneshot::channel();
        (Letter { received, done, _place }, is_kept)
    }

    #[test]
    fn one_transaction_writes_ten_thousand_rows_or_one_batch() {
        let (mut pending, mut askers) = (Pending::default(), Vec::new());
        for rows in [4_000, 6_000, 1, 20_000, 9_999, 1, 1] {
            let (letter, is_kept) = letter(rows);
            pending.take(letter);
            askers.push(is_kept);
        }
        let groups = std::iter::repeat_with(|| pending.split().len());
        assert!(groups.take(5).eq([2, 1, 1, 2, 1]));
        assert_eq!((pending.split().len(), pending.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_not_written() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        CENTER.schema.run_direct(None, &mut connection, false).await.unwrap();
        let mut pending = Pending::default();
        let (abandoned, _) = letter(10);
        let (wanted, mut is_kept) = letter(3);
        pending.take(abandoned);
        pending.take(wanted);
        pending.write(&mut connection).await.unwrap();
        pending.done();
        assert_eq!(is_kept.try_recv(), Ok(()));
        let count = sqlx::query_scalar("SELECT count(*) FROM history");
        let rows: i64 = count.fetch_one(&mut connection).await.unwrap();
        assert_eq!(rows, 3);
    }
}
