//! A writer at work, and records to give it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::id::ConnectionId;
use protocol::part::{Condition, PartState};
use protocol::time::Timestamp;
use store::{Inbox, Kind, Policy, Record, Records, Sent, Store, write_records};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) struct Desk {
    pub(crate) records: Records,
    pub(crate) stop: CancellationToken,
    condition: watch::Receiver<Condition>,
    directory: PathBuf,
    writing: JoinHandle<()>,
}

impl Desk {
    pub(crate) fn open(directory: &Path) -> Self {
        let (records, inbox) = Records::open();
        Self::take_up(directory, records, inbox)
    }

    pub(crate) fn take_up(directory: &Path, records: Records, inbox: Inbox) -> Self {
        let soon = Duration::from_millis(1);
        let policy = Policy { gather: soon, rest: soon, ..Policy::default() };
        let stop = CancellationToken::new();
        let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
        let (conditions, condition) = watch::channel(works);
        let writing = write_records(directory.into(), inbox, policy, stop.clone(), conditions);
        let writing = tokio::spawn(writing);
        Self { records, stop, condition, directory: directory.into(), writing }
    }

    /// Waits until the writer fares like this, and says why.
    pub(crate) async fn fares(&mut self, state: PartState) -> Option<String> {
        let turned = self.condition.wait_for(|condition| condition.state == state);
        timeout(PATIENCE, turned).await.unwrap().unwrap().why.clone()
    }

    /// Writes what was handed in, and ends.
    pub(crate) async fn close(self) {
        drop(self.records);
        timeout(PATIENCE, self.writing).await.unwrap().unwrap();
    }

    /// Waits until the database holds all of these, and nothing else.
    pub(crate) async fn holds(&self, expected: &[Record]) {
        // The writer makes it, unless it is there.
        let holds = async {
            let store = loop {
                if let Ok(store) = Store::open(&self.directory).await {
                    break store;
                }
            };
            while all(&store).await != expected {}
            store.close().await;
        };
        timeout(PATIENCE, holds).await.expect("the records do not come");
    }
}

/// All that is on record.
pub(crate) async fn on_record(directory: &Path) -> Vec<Record> {
    let store = Store::open(directory).await.unwrap();
    let records = all(&store).await;
    store.close().await;
    records
}

async fn all(store: &Store) -> Vec<Record> {
    store.records_between(EVER, u32::MAX).await.unwrap()
}

pub(crate) fn id(text: &str) -> ConnectionId {
    text.parse().unwrap()
}

/// Some milliseconds into a minute that is long past, but not yet forgotten.
pub(crate) fn at(millis: u64) -> Timestamp {
    let day = 24 * 60 * 60 * 1000;
    let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64 / day;
    Timestamp::from_millis((today - 1) * day + millis)
}

pub(crate) fn opened(connection: &str, millis: u64) -> Record {
    Record {
        at: at(millis),
        kind: Kind::Opened,
        connection: Some(id(connection)),
        device: Some("board-1".parse().unwrap()),
        user: Some("anonymous".into()),
        detail: "from 127.0.0.1:5000".into(),
        sent: None,
    }
}

pub(crate) fn malformed(connection: &str, millis: u64) -> Record {
    let detail = "Missing 'checksum' field".into();
    Record { kind: Kind::Malformed, detail, ..opened(connection, millis) }
}

pub(crate) fn closed(connection: &str, millis: u64) -> Record {
    let (detail, sent) = ("closed with code 4012".into(), Sent { frames: 30, bytes: 4000 });
    Record { kind: Kind::Closed, detail, sent: Some(sent), ..opened(connection, millis) }
}

const EVER: std::ops::Range<Timestamp> =
    Timestamp::from_millis(0)..Timestamp::from_millis(u64::MAX);

/// Far longer than anything takes, short enough to wait for in vain.
const PATIENCE: Duration = Duration::from_secs(20);
