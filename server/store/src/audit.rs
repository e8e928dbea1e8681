//! The audit trail: what people and other systems did, or tried to, in rows that are chained by their
//! hashes (IEC 62443 CR 2.8 to 2.12, 3.9).

mod chain;
mod deed;
mod file;
mod history;
mod ledger;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::part::Condition;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::clerk::{Times, Tray, write};
use crate::reads::Reads;
use ledger::{Letter, Pending};

pub use chain::{Broken, Verified, VerifyError, verify_audit};
pub use deed::{Action, Deed};
pub use file::AUDIT_FILE;
pub use history::{AuditFilter, AuditHistory};

/// Where deeds are handed in. Cheap to clone, and never in anyone's way.
#[derive(Clone, Debug)]
pub struct Audit {
    outbox: mpsc::Sender<Letter>,
    refused: Arc<AtomicU64>,
    reads: Reads,
}

/// Where deeds wait for their writer. A writer that is started again takes up where the one before
/// it was.
#[derive(Clone, Debug)]
pub struct AuditInbox(Tray<Pending>);

/// The times of a writer of the audit trail.
#[derive(Clone, Copy, Debug)]
pub struct AuditPolicy {
    /// How long a disk that failed is left alone.
    pub rest: Duration,
    /// How long a disk may take before it counts as failing.
    pub patience: Duration,
    /// How long rows are kept.
    pub keep: Duration,
    /// How often older ones are looked for.
    pub prune_every: Duration,
}

impl Audit {
    pub fn open() -> (Self, AuditInbox) {
        let (outbox, letters) = mpsc::channel(ROOM);
        let tray = Tray::new(letters, Pending::default());
        let (refused, reads) = (Arc::clone(&tray.refused), tray.reads.clone());
        (Self { outbox, refused, reads }, AuditInbox(tray))
    }

    /// Hands in what was done. Where there is no room it is lost, which the condition tells.
    pub fn append(&self, deed: Deed) {
        if self.outbox.try_send(Letter::Deed(Box::new(deed))).is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all that was handed in before is on the disk; `false` where part of it was lost.
    pub async fn flushed(&self) -> bool {
        let (done, flushed) = oneshot::channel();
        self.outbox.send(Letter::Flush(done)).await.is_ok() && flushed.await.is_ok()
    }

    /// What is on record, for those who ask.
    pub fn history(&self) -> AuditHistory {
        AuditHistory::new(self.reads.clone())
    }
}

/// Writes deeds to the database of `directory` as soon as they come, until nobody can hand in more
/// or `stop`. A disk that fails is tried again and again; `conditions` tells of it.
pub async fn write_audit(
    directory: PathBuf,
    inbox: AuditInbox,
    policy: AuditPolicy,
    stop: CancellationToken,
    conditions: watch::Sender<Condition>,
) {
    let AuditPolicy { rest, patience, keep, prune_every } = policy;
    let desk = Arc::clone(&inbox.0.desk);
    let mut desk = desk.lock().await;
    desk.ledger.keep_for(keep);
    let times = Times { gather: GATHER, rest, patience, prune_every, copy_after: None };
    write(directory, inbox.0, &mut desk, times, stop, conditions).await;
}

impl Default for AuditPolicy {
    fn default() -> Self {
        Self { rest: REST, patience: PATIENCE, keep: KEEP, prune_every: PRUNE_EVERY }
    }
}

/// Deeds are on the disk within 100 ms; the other half is the disk's.
const GATHER: Duration = Duration::from_millis(50);

/// As long as the disk fails, nothing dangerous is done: it is tried soon.
const REST: Duration = Duration::from_secs(1);

const PATIENCE: Duration = Duration::from_secs(2);

/// Half a year, as the law on network security asks for.
const KEEP: Duration = Duration::from_secs(180 * 24 * 60 * 60);

const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);

/// Deeds on their way to the writer.
const ROOM: usize = 16 * 1024;
