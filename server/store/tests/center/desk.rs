//! A writer of edges' history at work, and batches to give it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::id::EdgeId;
use protocol::part::{Condition, PartState};
use protocol::status::{NumberedRow, StatusBatch, StatusRow};
use protocol::time::Timestamp;
use sqlx::sqlite::SqlitePool;
use store::{
    CENTER_FILE, Center, CenterInbox, CenterPolicy, EdgeExtent, EdgeFilter, EdgeRow, write_center,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) struct Desk {
    pub(crate) center: Center,
    pub(crate) stop: CancellationToken,
    pub(crate) condition: watch::Receiver<Condition>,
    inbox: CenterInbox,
    directory: PathBuf,
    writing: JoinHandle<()>,
}

impl Desk {
    pub(crate) fn open(directory: &Path) -> Self {
        Self::with(directory, soon())
    }

    pub(crate) fn with(directory: &Path, policy: CenterPolicy) -> Self {
        let (center, inbox) = Center::open();
        let stop = CancellationToken::new();
        let (writing, condition) = start(directory, &inbox, policy, &stop);
        let directory = directory.into();
        Self { center, stop, condition, inbox, directory, writing }
    }

    /// The writer falls, and another takes up where it was.
    pub(crate) async fn fall(&mut self) {
        self.writing.abort();
        let (writing, condition) = start(&self.directory, &self.inbox, soon(), &self.stop);
        let fallen = std::mem::replace(&mut self.writing, writing);
        self.condition = condition;
        let _ = fallen.await;
    }

    /// Hands in a batch, and waits until it is on the disk.
    pub(crate) async fn keep(&self, edge: &str, batch: StatusBatch) {
        let edge = edge.parse().unwrap();
        assert!(timeout(PATIENCE, self.center.keep(&edge, batch)).await.unwrap());
    }

    /// All rows of an edge, newest first.
    pub(crate) async fn rows(&self, edge: &str) -> Vec<EdgeRow> {
        let (history, filter) = (self.center.history(), all_of(edge));
        let (mut rows, mut before) = (Vec::new(), None);
        loop {
            let page = history.page(&filter, before, 1000.try_into().unwrap()).await.unwrap();
            rows.extend(page.rows);
            before = page.next;
            if before.is_none() {
                return rows;
            }
        }
    }

    pub(crate) async fn extents(&self) -> Vec<EdgeExtent> {
        self.center.history().extents().await.unwrap()
    }

    /// Writes what was handed in, and ends.
    pub(crate) async fn close(self) {
        drop(self.center);
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

fn soon() -> CenterPolicy {
    CenterPolicy { rest: Duration::from_millis(1), ..CenterPolicy::default() }
}

fn start(
    directory: &Path,
    inbox: &CenterInbox,
    policy: CenterPolicy,
    stop: &CancellationToken,
) -> (JoinHandle<()>, watch::Receiver<Condition>) {
    let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
    let (conditions, condition) = watch::channel(works);
    let writing = write_center(directory.into(), inbox.clone(), policy, stop.clone(), conditions);
    (tokio::spawn(writing), condition)
}

/// Runs one statement against the file, as another program would.
pub(crate) async fn run(folder: &Path, statement: &'static str) {
    let path = folder.join(CENTER_FILE);
    let pool = SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

pub(crate) fn all_of(edge: &str) -> EdgeFilter {
    EdgeFilter { edge: edge.parse::<EdgeId>().unwrap(), device: None, from: None, to: None }
}

/// The rows with these numbers, as one batch.
pub(crate) fn batch(incarnation: &str, numbers: Range<u64>) -> StatusBatch {
    StatusBatch { incarnation: incarnation.parse().unwrap(), rows: numbers.map(row).collect() }
}

/// Several rows happened in the same millisecond.
pub(crate) fn row(id: u64) -> NumberedRow {
    let row = StatusRow {
        bit_position: id.is_multiple_of(2).then_some(3),
        device_id: format!("board-{}", id % 3).parse().unwrap(),
        new_value: format!("{id}\0"),
        old_value: "断开 \"0\"".into(),
        record_time: at(id),
        status_name: "door".into(),
        status_type: "point/inputs".into(),
        timestamp: at(id / 7),
    };
    NumberedRow { id, row }
}

pub(crate) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as u64)
}

pub(crate) fn ids(rows: &[EdgeRow]) -> Vec<u64> {
    rows.iter().map(|row| row.row.id).collect()
}

/// Far longer than anything takes, short enough to wait for in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
