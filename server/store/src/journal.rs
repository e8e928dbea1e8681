//! Where what must outlive a restart is handed in, and where it waits for the disk (S0-67).

mod desk;
mod file;
mod past;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::journal::Entry;
use tokio::sync::{Mutex, mpsc, oneshot};

use desk::Desk;

pub use file::JOURNAL_FILE;
pub use past::{PastError, read_past};
pub use writer::write_journal;

/// Where entries are handed in. Cheap to clone, and never in anyone's way.
#[derive(Clone, Debug)]
pub struct Journal {
    outbox: mpsc::Sender<Letter>,
    refused: Arc<AtomicU64>,
}

/// Where entries wait for their writer. A writer that is started again takes up where the one
/// before it was.
#[derive(Clone, Debug)]
pub struct JournalInbox {
    desk: Arc<Mutex<Desk>>,
    refused: Arc<AtomicU64>,
}

/// The times of a writer of the journal.
#[derive(Clone, Copy, Debug)]
pub struct JournalPolicy {
    /// How long the first entry of a group waits for others.
    pub gather: Duration,
    /// How long a disk that failed is left alone.
    pub rest: Duration,
    /// How long events and stays are kept.
    pub keep: Duration,
    /// How often the run is noted as alive, and what is old is forgotten.
    pub beat: Duration,
    /// How long a disk may take before it counts as failing.
    pub patience: Duration,
}

/// What is handed in.
#[derive(Debug)]
enum Letter {
    Entry(Entry),
    /// Wants to hear when all before it is on the disk.
    Flush(oneshot::Sender<()>),
}

impl Journal {
    pub fn open() -> (Self, JournalInbox) {
        let (outbox, letters) = mpsc::channel(ROOM);
        let refused = Arc::<AtomicU64>::default();
        let desk = Arc::new(Mutex::new(Desk::new(letters)));
        (Self { outbox, refused: Arc::clone(&refused) }, JournalInbox { desk, refused })
    }

    /// Hands in an entry. Where there is no room it is lost, which the journal's condition tells.
    pub fn keep(&self, entry: Entry) {
        if self.outbox.try_send(Letter::Entry(entry)).is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all that was handed in before is on the disk; `false` where part of it was lost.
    pub async fn flushed(&self) -> bool {
        let (done, flushed) = oneshot::channel();
        self.outbox.send(Letter::Flush(done)).await.is_ok() && flushed.await.is_ok()
    }
}

impl Default for JournalPolicy {
    fn default() -> Self {
        Self { gather: GATHER, rest: REST, keep: KEEP, beat: BEAT, patience: PATIENCE }
    }
}

/// Entries are on the disk within 100 ms; the rest of it is the disk's.
const GATHER: Duration = Duration::from_millis(20);

/// Someone has to make room first.
const REST: Duration = Duration::from_secs(1);

/// S0-65: what happened in the five minutes before a disconnect is kept.
const KEEP: Duration = Duration::from_secs(5 * 60);

/// After a restart, this is how exactly it is known when the run before it ended.
const BEAT: Duration = Duration::from_secs(10);

/// A healthy disk needs a tenth of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Entries on their way to the writer, who takes them in even while the disk is busy: enough for
/// ten thousand clients that leave at once.
const ROOM: usize = 64 * 1024;
