//! What the system server has not been told yet: rows wait here until they are uploaded (S0-46).

mod batches;
mod file;
mod ledger;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::id::Incarnation;
use protocol::part::Condition;
use protocol::status::{StatusBatch, StatusRow};
use protocol::time::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::clerk::{Times, Tray, write};
use crate::reads::{HistoryError, Reads};
use ledger::{Letter, Limits, Pending};

pub use batches::Cursor;
pub use file::BACKLOG_FILE;

/// Where rows are handed in, and from where they are uploaded. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Backlog {
    outbox: mpsc::Sender<Letter>,
    refused: Arc<AtomicU64>,
    reads: Reads,
    extents: watch::Receiver<Extent>,
}

/// Where rows wait for their writer. A writer that is started again takes up where the one before
/// it was.
#[derive(Clone, Debug)]
pub struct BacklogInbox(Tray<Pending>);

/// How much waits to be uploaded, on the disk.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Extent {
    pub count: u64,
    /// When the oldest of it happened.
    pub oldest: Option<Timestamp>,
    /// The largest number given to a row so far: another tells that there are new rows.
    pub newest_id: u64,
    /// How many rows were given up, ever, because there were too many.
    pub given_up: u64,
}

/// The times and limits of a backlog.
#[derive(Clone, Copy, Debug)]
pub struct BacklogPolicy {
    /// How long the first row of a group waits for others.
    pub gather: Duration,
    /// How long a disk that failed is left alone.
    pub rest: Duration,
    /// How long a disk may take before it counts as failing.
    pub patience: Duration,
    /// How long rows are kept once they are uploaded.
    pub keep_uploaded: Duration,
    /// How many rows there may be. Beyond that uploaded ones go first, then the oldest.
    pub most_rows: u64,
    /// How often uploaded rows that are too old are looked for.
    pub prune_every: Duration,
}

impl Backlog {
    pub fn open() -> (Self, BacklogInbox) {
        let (outbox, letters) = mpsc::channel(ROOM);
        let (extent, extents) = watch::channel(Extent::default());
        let tray = Tray::new(letters, Pending::new(extent));
        let (refused, reads) = (Arc::clone(&tray.refused), tray.reads.clone());
        (Self { outbox, refused, reads, extents }, BacklogInbox(tray))
    }

    /// Hands in a row. Where there is no room it is lost, which the condition tells.
    pub fn append(&self, row: StatusRow) {
        if self.outbox.try_send(Letter::Append(Box::new(row))).is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all that was handed in before is on the disk; `false` where part of it was lost.
    pub async fn flushed(&self) -> bool {
        let (done, flushed) = oneshot::channel();
        self.outbox.send(Letter::Flush(done)).await.is_ok() && flushed.await.is_ok()
    }

    /// The oldest rows that are not uploaded, at most so many (S0-47, S0-48).
    pub async fn next_batch(&self, limit: u32) -> Result<StatusBatch, HistoryError> {
        batches::after(&self.reads.pool().await?, None, limit).await
    }

    /// As many batches of at most a hundred rows as there are after a cursor, or from the oldest
    /// row on, up to `most`; and the cursor after them.
    ///
    /// Rows that were not uploaded yet although they were read are found again only from the oldest
    /// on, and so are those that were handed in late, with an earlier time than the cursor's.
    pub async fn batches_after(
        &self,
        cursor: Option<&Cursor>,
        most: u32,
    ) -> Result<(Vec<StatusBatch>, Option<Cursor>), HistoryError> {
        batches::many_after(&self.reads.pool().await?, cursor, most).await
    }

    /// These rows are uploaded (S0-49). Waits until that is on the disk; `false` where the writer
    /// has ended. Numbers of another incarnation name no rows of this one.
    pub async fn uploaded(&self, incarnation: &Incarnation, ids: Vec<u64>, at: Timestamp) -> bool {
        let incarnation = incarnation.clone();
        self.tell(|done| Letter::Uploaded { incarnation, ids, at, done }).await
    }

    /// These rows could not be uploaded (S0-50). As with `uploaded`.
    pub async fn failed(&self, incarnation: &Incarnation, ids: Vec<u64>, error: &str) -> bool {
        let (incarnation, error) = (incarnation.clone(), error.into());
        self.tell(|done| Letter::Failed { incarnation, ids, error, done }).await
    }

    async fn tell(&self, letter: impl FnOnce(oneshot::Sender<()>) -> Letter) -> bool {
        let (done, is_kept) = oneshot::channel();
        self.outbox.send(letter(done)).await.is_ok() && is_kept.await.is_ok()
    }

    /// How much waits to be uploaded.
    pub fn pending(&self) -> Extent {
        *self.extents.borrow()
    }

    /// Follows what [`Self::pending`] tells.
    pub fn watch(&self) -> watch::Receiver<Extent> {
        self.extents.clone()
    }
}

/// Writes rows to the database of `directory` in groups, until nobody can hand in more or `stop`.
///
/// What waits then is still written, if the disk takes it at once. A disk that fails is tried again
/// and again; `conditions` tells of it, and of rows that were given up.
pub async fn write_backlog(
    directory: PathBuf,
    inbox: BacklogInbox,
    policy: BacklogPolicy,
    stop: CancellationToken,
    conditions: watch::Sender<Condition>,
) {
    let BacklogPolicy { gather, rest, patience, keep_uploaded, most_rows, prune_every } = policy;
    let desk = Arc::clone(&inbox.0.desk);
    let mut desk = desk.lock().await;
    desk.ledger.limit(Limits { keep_uploaded, most_rows });
    let times = Times { gather, rest, patience, prune_every, copy_after: None };
    write(directory, inbox.0, &mut desk, times, stop, conditions).await;
}

impl Default for BacklogPolicy {
    fn default() -> Self {
        Self {
            gather: GATHER,
            rest: REST,
            patience: PATIENCE,
            keep_uploaded: KEEP_UPLOADED,
            most_rows: MOST_ROWS,
            prune_every: PRUNE_EVERY,
        }
    }
}

/// Rows are on the disk within 100 ms; the rest of it is the disk's.
const GATHER: Duration = Duration::from_millis(20);

/// Someone has to make room first.
const REST: Duration = Duration::from_secs(1);

/// A healthy disk needs a tenth of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// A month's history can be looked up where it happened.
const KEEP_UPLOADED: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// Nineteen rows a second for three days without a center; about a gigabyte.
const MOST_ROWS: u64 = 5_000_000;

const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);

/// Rows on their way to the writer: what a storm of events brings while the disk is busy.
const ROOM: usize = 64 * 1024;
