//! Brings records to the disk in groups, while nobody waits for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::part::Condition;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::age::Doubt;
use crate::disk::{is_damage, words};
use crate::fare::Fare;
use crate::open::{FILE, OpenError, RECORDS, Store, now};
use crate::reads::Reads;
use crate::records::{Kind, LogHistory, Record};

/// Where records are handed in. Cheap to clone, and never in anyone's way.
#[derive(Clone, Debug)]
pub struct Records {
    outbox: mpsc::Sender<Record>,
    dropped: Arc<AtomicU64>,
    reads: Reads,
}

/// Where records wait for their writer. A writer that is started again takes up where the one
/// before it was.
#[derive(Clone, Debug)]
pub struct Inbox {
    records: Arc<Mutex<mpsc::Receiver<Record>>>,
    dropped: Arc<AtomicU64>,
    reads: Reads,
}

/// The times of a writer.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long the first record of a group waits for others.
    pub gather: Duration,
    /// How long a disk that failed is left alone.
    pub rest: Duration,
    /// How long records are kept.
    pub keep: Duration,
    /// How long failed authentications are kept.
    pub keep_security: Duration,
}

/// Why a group of records is not on the disk.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Closed(#[from] OpenError),
    #[error("cannot write to {FILE}: {}", words(.0))]
    Failed(#[from] sqlx::Error),
}

impl Records {
    pub fn open() -> (Self, Inbox) {
        let (outbox, inbox) = mpsc::channel(ROOM);
        let dropped = Arc::<AtomicU64>::default();
        let (records, reads) = (Arc::new(Mutex::new(inbox)), Reads::default());
        let inbox = Inbox { records, dropped: Arc::clone(&dropped), reads: reads.clone() };
        (Self { outbox, dropped, reads }, inbox)
    }

    /// What is on record, for those who ask.
    pub fn history(&self) -> LogHistory {
        LogHistory::new(self.reads.clone())
    }

    /// Hands in a record. Where there is no room it is dropped, which is put on record later.
    pub fn append(&self, record: Record) {
        if self.outbox.try_send(record).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes what comes in to the database of `directory`, until nobody is left who could hand in
/// more. A disk that fails is tried again and again, but not after `stop`; `conditions` tells of it.
pub async fn write_records(
    directory: PathBuf,
    inbox: Inbox,
    policy: Policy,
    stop: CancellationToken,
    conditions: watch::Sender<Condition>,
) {
    let mut records = inbox.records.lock().await;
    let (reads, fare, doubt) = (inbox.reads.clone(), Fare(conditions), Doubt::default());
    let mut writer = Writer { directory, policy, stop, store: None, reads, fare, doubt };
    let mut prune_at = Instant::now();
    loop {
        let mut group = Vec::new();
        tokio::select! {
            biased;
            () = sleep_until(prune_at) => {
                let next = if writer.prune().await { PRUNE_EVERY } else { policy.rest };
                prune_at = Instant::now() + next;
                continue;
            }
            taken = records.recv_many(&mut group, LARGEST_GROUP) => if taken == 0 { break },
        }
        gather(&mut records, &mut group, policy.gather).await;
        group.extend(dropped(&inbox.dropped));
        writer.write(&group).await;
    }
    writer.let_go().await;
}

async fn gather(inbox: &mut mpsc::Receiver<Record>, group: &mut Vec<Record>, patience: Duration) {
    let deadline = Instant::now() + patience;
    while group.len() < LARGEST_GROUP {
        let room = LARGEST_GROUP - group.len();
        match timeout_at(deadline, inbox.recv_many(group, room)).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// What to say about the records that found no room, if there were any.
fn dropped(count: &AtomicU64) -> Option<Record> {
    let count = count.swap(0, Ordering::Relaxed);
    (count > 0).then(|| Record {
        at: now(),
        kind: Kind::Dropped,
        connection: None,
        device: None,
        user: None,
        detail: format!("{count} records found no room"),
        sent: None,
    })
}

struct Writer {
    directory: PathBuf,
    policy: Policy,
    stop: CancellationToken,
    /// `None` until it could be opened.
    store: Option<Store>,
    reads: Reads,
    fare: Fare,
    doubt: Doubt,
}

impl Writer {
    /// Writes a group, however long it takes; or gives it up because the server stops.
    async fn write(&mut self, group: &[Record]) {
        loop {
            let outcome = self.try_write(group).await;
            if self.tell(outcome.err()) {
                return;
            }
            if self.stop.run_until_cancelled(sleep(self.policy.rest)).await.is_none() {
                tracing::error!(records = group.len(), "{} records are lost", group.len());
                return;
            }
        }
    }

    /// Forgets what is old; whether the disk let it.
    async fn prune(&mut self) -> bool {
        let outcome = self.try_prune().await;
        self.tell(outcome.err())
    }

    async fn try_write(&mut self, group: &[Record]) -> Result<(), WriteError> {
        let outcome = self.store().await?.append(group).await;
        self.look_after(outcome).await
    }

    async fn try_prune(&mut self) -> Result<(), WriteError> {
        let Policy { keep, keep_security, .. } = self.policy;
        let outcome = self.store().await?.prune(keep, keep_security, now()).await;
        if let Ok(is_doubted) = outcome {
            self.doubt.tell(is_doubted, "records");
        }
        self.look_after(outcome.map(drop)).await
    }

    async fn store(&mut self) -> Result<&Store, OpenError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => self.open().await?,
        };
        Ok(self.store.insert(store))
    }

    async fn open(&self) -> Result<Store, OpenError> {
        let (store, set_aside) = Store::open_anyway(&self.directory).await?;
        if let Some(set_aside) = set_aside {
            self.fare.fails(set_aside);
        }
        self.reads.become_open(RECORDS.reader(&self.directory));
        Ok(store)
    }

    /// A database that turns out to be damaged is opened anew, which sets it aside.
    async fn look_after(&mut self, outcome: Result<(), sqlx::Error>) -> Result<(), WriteError> {
        if outcome.as_ref().is_err_and(is_damage) {
            self.let_go().await;
        }
        Ok(outcome?)
    }

    async fn let_go(&mut self) {
        if let Some(readers) = self.reads.become_closed() {
            readers.close().await;
        }
        if let Some(store) = self.store.take() {
            store.close().await;
        }
    }

    /// Says once that the disk fails, and once that it works again. Whether it works.
    fn tell(&self, error: Option<WriteError>) -> bool {
        match &error {
            Some(error) => {
                if self.fare.fails(error) {
                    let rest = self.policy.rest;
                    tracing::error!("nothing can be put on record, next try in {rest:?}: {error}");
                }
            }
            None => {
                if self.fare.works() {
                    tracing::info!("records are written again");
                }
            }
        }
        error.is_none()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { gather: GATHER, rest: REST, keep: KEEP, keep_security: KEEP_SECURITY }
    }
}

/// Records are on the disk within 100 ms; the other half is the disk's.
const GATHER: Duration = Duration::from_millis(50);

/// Someone has to make room first.
const REST: Duration = Duration::from_secs(10);

/// S0-79: records are kept for thirty days at least.
const KEEP: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// Half a year, as the law on network security asks for.
const KEEP_SECURITY: Duration = Duration::from_secs(180 * 24 * 60 * 60);

const PRUNE_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many records one transaction takes.
const LARGEST_GROUP: usize = 256;

/// Records that wait: enough for ten thousand clients that come at once.
const ROOM: usize = 16 * 1024;
