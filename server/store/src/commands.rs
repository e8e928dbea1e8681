//! The record of orders, from the intent to the outcome: an order is carried out once its intent is
//! on the disk.

mod file;
mod history;
mod ledger;
mod past;
mod row;
mod setting;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::command::{CommandRecord, OrderKey};
use protocol::part::Condition;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::clerk::{Times, Tray, write};
use crate::open::now;
use crate::reads::Reads;
use ledger::{Letter, Pending};

pub use file::COMMANDS_FILE;
pub use history::{CommandFilter, CommandHistory};
pub use past::{read_recent_commands, read_settings};
pub use setting::{Setting, setting_in_force};

/// Where orders and what they change are handed in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Commands {
    outbox: mpsc::Sender<Letter>,
    refused: Arc<AtomicU64>,
    reads: Reads,
}

/// Where the record of orders waits for its writer. A writer that is started again takes up where
/// the one before it was.
#[derive(Clone, Debug)]
pub struct CommandsInbox(Tray<Pending>);

/// The times of a writer of orders.
#[derive(Clone, Copy, Debug)]
pub struct CommandsPolicy {
    /// How long a disk that failed is left alone.
    pub rest: Duration,
    /// How long a disk may take before it counts as failing.
    pub patience: Duration,
    /// How long orders are kept.
    pub keep: Duration,
    /// How often older ones are looked for.
    pub prune_every: Duration,
    /// How long after a commit SQLite's log is copied into the file, while others go on.
    pub copy_after: Duration,
}

impl Commands {
    /// The last of these tells the key of each intent that is on the disk. What is not on the disk
    /// is not told: whoever waits for it has to give up some time.
    pub fn open() -> (Self, CommandsInbox, mpsc::Receiver<OrderKey>) {
        let (outbox, letters) = mpsc::channel(ROOM);
        let (durable, intents) = mpsc::channel(ROOM);
        let tray = Tray::new(letters, Pending::new(durable));
        let (refused, reads) = (Arc::clone(&tray.refused), tray.reads.clone());
        (Self { outbox, refused, reads }, CommandsInbox(tray), intents)
    }

    /// Hands in an order; a record without outcome is its intent. A later record of the same order,
    /// which is one of the same key and the same moment of acceptance, replaces the earlier. Where
    /// there is no room it is lost, which the condition tells.
    pub fn keep(&self, record: CommandRecord) {
        if self.outbox.try_send(Letter::Record(Box::new(record))).is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sets what an order changed for good, and waits until that is on the disk; `false` where it
    /// is lost. Who does not wait so long has set it all the same.
    pub async fn set(&self, key: &str, value: &str, configured: &str) -> bool {
        let setting = Setting { value: value.into(), configured: configured.into(), at: now() };
        let (done, is_kept) = oneshot::channel();
        let letter = Letter::Set { key: key.into(), setting, done };
        self.outbox.send(letter).await.is_ok() && is_kept.await.is_ok()
    }

    /// Waits until all that was handed in before is on the disk; `false` where part of it was lost.
    pub async fn flushed(&self) -> bool {
        let (done, flushed) = oneshot::channel();
        self.outbox.send(Letter::Flush(done)).await.is_ok() && flushed.await.is_ok()
    }

    /// What is on record, for those who ask.
    pub fn history(&self) -> CommandHistory {
        CommandHistory::new(self.reads.clone())
    }
}

/// Writes orders to the database of `directory` as soon as they come, until nobody can hand in more
/// or `stop`.
///
/// What waits then is still written, if the disk takes it at once. A disk that fails is tried again
/// and again; `conditions` tells of it.
pub async fn write_commands(
    directory: PathBuf,
    inbox: CommandsInbox,
    policy: CommandsPolicy,
    stop: CancellationToken,
    conditions: watch::Sender<Condition>,
) {
    let CommandsPolicy { rest, patience, keep, prune_every, copy_after } = policy;
    let desk = Arc::clone(&inbox.0.desk);
    let mut desk = desk.lock().await;
    desk.ledger.keep_for(keep);
    let copy_after = Some(copy_after);
    let times = Times { gather: Duration::ZERO, rest, patience, prune_every, copy_after };
    write(directory, inbox.0, &mut desk, times, stop, conditions).await;
}

impl Default for CommandsPolicy {
    fn default() -> Self {
        Self {
            rest: REST,
            patience: PATIENCE,
            keep: KEEP,
            prune_every: PRUNE_EVERY,
            copy_after: COPY_AFTER,
        }
    }
}

/// As long as the disk fails, no order is carried out: it is tried soon.
const REST: Duration = Duration::from_millis(500);

/// A healthy disk needs a tenth of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who gave which order is known for half a year.
const KEEP: Duration = Duration::from_secs(180 * 24 * 60 * 60);

const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);

/// The log stays so short that it is copied in a moment.
const COPY_AFTER: Duration = Duration::from_millis(100);

/// Orders on their way to the writer: far more than may wait for all devices.
const ROOM: usize = 16 * 1024;
