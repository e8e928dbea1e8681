//! A writer of the backlog at work, and rows to give it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::part::{Condition, PartState};
use protocol::status::{StatusBatch, StatusRow};
use protocol::time::Timestamp;
use sqlx::sqlite::SqlitePool;
use store::{BACKLOG_FILE, Backlog, BacklogInbox, BacklogPolicy, write_backlog};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) struct Desk {
    pub(crate) backlog: Backlog,
    pub(crate) stop: CancellationToken,
    pub(crate) condition: watch::Receiver<Condition>,
    inbox: BacklogInbox,
    directory: PathBuf,
    policy: BacklogPolicy,
    writing: JoinHandle<()>,
}

impl Desk {
    pub(crate) fn open(directory: &Path) -> Self {
        Self::with(directory, soon())
    }

    pub(crate) fn with(directory: &Path, policy: BacklogPolicy) -> Self {
        let (backlog, inbox) = Backlog::open();
        let stop = CancellationToken::new();
        let (writing, condition) = start(directory, &inbox, policy, &stop);
        let directory = directory.into();
        Self { backlog, stop, condition, inbox, directory, policy, writing }
    }

    /// The writer falls, and another takes up where it was.
    pub(crate) async fn fall(&mut self) {
        self.writing.abort();
        let (writing, condition) = start(&self.directory, &self.inbox, self.policy, &self.stop);
        let fallen = std::mem::replace(&mut self.writing, writing);
        self.condition = condition;
        let _ = fallen.await;
    }

    pub(crate) fn append(&self, rows: impl IntoIterator<Item = StatusRow>) {
        rows.into_iter().for_each(|row| self.backlog.append(row));
    }

    /// Waits until everything handed in is on the disk.
    pub(crate) async fn flush(&self) {
        assert!(timeout(PATIENCE, self.backlog.flushed()).await.unwrap(), "something was lost");
    }

    pub(crate) async fn next(&self, limit: u32) -> StatusBatch {
        self.backlog.next_batch(limit).await.unwrap()
    }

    /// Notes that the rows of a batch are uploaded.
    pub(crate) async fn uploaded(&self, batch: &StatusBatch) {
        let noted = self.backlog.uploaded(&batch.incarnation, ids(batch), now());
        assert!(timeout(PATIENCE, noted).await.unwrap());
    }

    /// Writes what was handed in, and ends.
    pub(crate) async fn close(self) {
        drop(self.backlog);
        timeout(PATIENCE, self.writing).await.unwrap().unwrap();
    }

    /// Waits until the writer fails for this reason, and says it in full.
    pub(crate) async fn fails(&mut self, reason: &str) -> String {
        let says =
            |condition: &Condition| condition.why.as_ref().is_some_and(|why| why.contains(reason));
        let failing = timeout(PATIENCE, self.condition.wait_for(says)).await;
        failing.unwrap_or_else(|_| panic!("never: {reason}")).unwrap().why.clone().unwrap()
    }

    pub(crate) async fn works(&mut self) {
        let working = self.condition.wait_for(|condition| condition.state == PartState::Working);
        assert_eq!(timeout(PATIENCE, working).await.unwrap().unwrap().why, None);
    }
}

pub(crate) fn soon() -> BacklogPolicy {
    let soon = Duration::from_millis(1);
    BacklogPolicy { gather: soon, rest: soon, ..BacklogPolicy::default() }
}

fn start(
    directory: &Path,
    inbox: &BacklogInbox,
    policy: BacklogPolicy,
    stop: &CancellationToken,
) -> (JoinHandle<()>, watch::Receiver<Condition>) {
    let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
    let (conditions, condition) = watch::channel(works);
    let writing = write_backlog(directory.into(), inbox.clone(), policy, stop.clone(), conditions);
    (tokio::spawn(writing), condition)
}

/// Runs one statement against the file, as another program would.
pub(crate) async fn run(folder: &Path, statement: &'static str) {
    let path = folder.join(BACKLOG_FILE);
    let pool = SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as u64)
}

/// What happened in a second long ago.
pub(crate) fn row(second: u64) -> StatusRow {
    StatusRow {
        bit_position: second.is_multiple_of(3).then_some(15),
        device_id: format!("board-{}", second % 3).parse().unwrap(),
        new_value: format!("{second}\0\n"),
        old_value: String::new(),
        record_time: now(),
        status_name: "断路器 \"1\"".into(),
        status_type: "device_status".into(),
        timestamp: at(second),
    }
}

pub(crate) fn at(second: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + 1000 * second)
}

/// When the rows of a batch happened.
pub(crate) fn seconds(batch: &StatusBatch) -> Vec<u64> {
    let second = |at: Timestamp| (at.as_millis() - 1_700_000_000_000) / 1000;
    batch.rows.iter().map(|row| second(row.row.timestamp)).collect()
}

pub(crate) fn ids(batch: &StatusBatch) -> Vec<u64> {
    batch.rows.iter().map(|row| row.id).collect()
}

pub(crate) fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains("backlog-damaged-")).collect()
}

/// Far longer than anything takes, short enough to wait for in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
