//! The history that edges have told, where this server is their center: a batch is acknowledged once
//! it is on the disk, and one that comes again is kept once.

mod file;
mod history;
mod ledger;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::EdgeId;
use protocol::part::Condition;
use protocol::status::StatusBatch;
use protocol::wire::uplink::MOST_ROWS;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::clerk::{Times, Tray, write};
use crate::reads::Reads;
use ledger::{Letter, MOST_WAITING, Pending, Received};

pub use file::CENTER_FILE;
pub use history::{EdgeExtent, EdgeFilter, EdgeHistory, EdgePage, EdgeRow};

/// Where batches of edges are handed in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Center {
    outbox: mpsc::Sender<Letter>,
    /// One permit for each batch of a hundred rows that may wait, whosever it is.
    places: Arc<Semaphore>,
    reads: Reads,
}

/// A place for some rows among all that wait for the disk.
#[derive(Debug)]
pub struct CenterPlace {
    outbox: mpsc::Sender<Letter>,
    permit: OwnedSemaphorePermit,
}

/// Where batches wait for their writer. A writer that is started again takes up where the one before
/// it was.
#[derive(Clone, Debug)]
pub struct CenterInbox(Tray<Pending>);

/// The times of a writer of edges' history.
#[derive(Clone, Copy, Debug)]
pub struct CenterPolicy {
    /// How long a disk that failed is left alone.
    pub rest: Duration,
    /// How long a disk may take before it counts as failing.
    pub patience: Duration,
    /// How long rows are kept after they came.
    pub keep: Duration,
    /// How often older ones are looked for.
    pub prune_every: Duration,
}

impl Center {
    pub fn open() -> (Self, CenterInbox) {
        let (outbox, letters) = mpsc::channel(ROOM);
        let tray = Tray::new(letters, Pending::default());
        let reads = tray.reads.clone();
        let places = Arc::new(Semaphore::new(MOST_WAITING));
        (Self { outbox, places, reads }, CenterInbox(tray))
    }

    /// Waits for a place for so many rows among those of all edges, first come, first served.
    pub async fn place(&self, rows: usize) -> CenterPlace {
        let batches = rows.div_ceil(MOST_ROWS).clamp(1, MOST_WAITING);
        let batches = u32::try_from(batches).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.places).acquire_many_owned(batches).await;
        let permit = permit.expect("nobody closes the semaphore");
        CenterPlace { outbox: self.outbox.clone(), permit }
    }

    /// Keeps a batch as [`CenterPlace::keep`] does, once there is a place for it.
    pub async fn keep(&self, edge: &EdgeId, batch: StatusBatch) -> bool {
        self.place(batch.rows.len()).await.keep(edge, batch).await
    }

    /// What is kept, for those who ask.
    pub fn history(&self) -> EdgeHistory {
        EdgeHistory::new(self.reads.clone())
    }
}

impl CenterPlace {
    /// Keeps a batch, and waits until it is on the disk; `false` where the writer has ended. While
    /// the disk fails it waits; whoever gives up before may hand in the same batch again.
    pub async fn keep(self, edge: &EdgeId, batch: StatusBatch) -> bool {
        let (done, is_kept) = oneshot::channel();
        let received = Received { edge: edge.clone(), batch };
        let letter = Letter { received, done, _place: self.permit };
        self.outbox.send(letter).await.is_ok() && is_kept.await.is_ok()
    }
}

/// Writes batches to the database of `directory` as soon as they come, until nobody can hand in more
/// or `stop`.
///
/// What waits then is still written, if the disk takes it at once. A disk that fails is tried again
/// and again; `conditions` tells of it.
pub async fn write_center(
    directory: PathBuf,
    inbox: CenterInbox,
    policy: CenterPolicy,
    stop: CancellationToken,
    conditions: watch::Sender<Condition>,
) {
    let CenterPolicy { rest, patience, keep, prune_every } = policy;
    let desk = Arc::clone(&inbox.0.desk);
    let mut desk = desk.lock().await;
    desk.ledger.keep_for(keep);
    let times = Times { gather: Duration::ZERO, rest, patience, prune_every, copy_after: None };
    write(directory, inbox.0, &mut desk, times, stop, conditions).await;
}

impl Default for CenterPolicy {
    fn default() -> Self {
        Self { rest: REST, patience: PATIENCE, keep: KEEP, prune_every: PRUNE_EVERY }
    }
}

/// Someone has to make room first.
const REST: Duration = Duration::from_secs(1);

/// A healthy disk needs a tenth of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// A year can be compared with the one before.
const KEEP: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// A thousand edges bring so little in this time that it is removed in a moment.
const PRUNE_EVERY: Duration = Duration::from_secs(10 * 60);

/// Batches on their way to the writer: all that have a place.
const ROOM: usize = MOST_WAITING;
