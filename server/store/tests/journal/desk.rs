//! A writer of the journal at work, and entries to give it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::frame::{KeyEvent, Offset, StateChanged};
use protocol::id::Epoch;
use protocol::journal::{Base, Entry, Facts, Happened, Past, Stay};
use protocol::part::{Condition, PartState};
use protocol::time::Timestamp;
use sqlx::sqlite::SqlitePool;
use store::{JOURNAL_FILE, Journal, JournalInbox, JournalPolicy, read_past, write_journal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) struct Desk {
    pub(crate) journal: Journal,
    pub(crate) stop: CancellationToken,
    pub(crate) condition: watch::Receiver<Condition>,
    writing: JoinHandle<()>,
}

impl Desk {
    pub(crate) fn open(directory: &Path) -> Self {
        let (journal, inbox) = Journal::open();
        Self::take_up(directory, journal, inbox)
    }

    pub(crate) fn take_up(directory: &Path, journal: Journal, inbox: JournalInbox) -> Self {
        let soon = Duration::from_millis(1);
        let policy = JournalPolicy { gather: soon, rest: soon, ..JournalPolicy::default() };
        Self::with(directory, journal, inbox, policy)
    }

    pub(crate) fn with(
        directory: &Path,
        journal: Journal,
        inbox: JournalInbox,
        policy: JournalPolicy,
    ) -> Self {
        let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
        let (conditions, condition) = watch::channel(works);
        let stop = CancellationToken::new();
        let writing = write_journal(directory.into(), inbox, policy, stop.clone(), conditions);
        let writing = tokio::spawn(writing);
        Self { journal, stop, condition, writing }
    }

    pub(crate) fn keep(&self, entries: impl IntoIterator<Item = Entry>) {
        entries.into_iter().for_each(|entry| self.journal.keep(entry));
    }

    /// Waits until everything handed in is on the disk.
    pub(crate) async fn flush(&self) {
        assert!(timeout(PATIENCE, self.journal.flushed()).await.unwrap(), "something was lost");
    }

    /// Writes what was handed in, and ends.
    pub(crate) async fn close(self) {
        drop(self.journal);
        timeout(PATIENCE, self.writing).await.unwrap().unwrap();
    }

    /// Ends as a killed server does: whatever was under way is left as it is.
    pub(crate) async fn fall(self) {
        self.writing.abort();
        assert!(self.writing.await.unwrap_err().is_cancelled());
    }

    /// Waits until the journal fails, and says why.
    pub(crate) async fn fails(&mut self) -> String {
        let failing = self.condition.wait_for(|condition| condition.state == PartState::Failing);
        let condition = timeout(PATIENCE, failing).await.unwrap().unwrap().clone();
        condition.why.unwrap()
    }

    /// Waits until the journal works.
    pub(crate) async fn works(&mut self) {
        let working = self.condition.wait_for(|condition| condition.state == PartState::Working);
        assert_eq!(timeout(PATIENCE, working).await.unwrap().unwrap().why, None);
    }
}

pub(crate) async fn past(directory: &Path) -> Past {
    read_past(directory, PATIENCE).await.unwrap()
}

/// Runs one statement against the journal, as another program would.
pub(crate) async fn run(folder: &Path, statement: &'static str) {
    let path = folder.join(JOURNAL_FILE);
    let pool = SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as u64)
}

/// Some seconds ago; a negative number is yet to come.
pub(crate) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_millis(now().as_millis().checked_add_signed(-1000 * seconds).unwrap())
}

pub(crate) fn epoch(text: &str) -> Epoch {
    text.parse().unwrap()
}

pub(crate) fn began(run: &str) -> Entry {
    Entry::Began { at: now(), epoch: epoch(run) }
}

pub(crate) fn happened(run: &str, offset: u64) -> Happened {
    happened_at(run, offset, now())
}

pub(crate) fn happened_at(run: &str, offset: u64, at: Timestamp) -> Happened {
    let what = "point/温度 \"1\"".into();
    let event = StateChanged { at, new: format!("{offset}\0\n"), old: String::new(), what };
    Happened {
        at,
        epoch: epoch(run),
        event: KeyEvent::StateChanged(event),
        offset: Offset(offset),
        stream: "device/board-1".parse().unwrap(),
    }
}

pub(crate) fn facts(text: &str) -> Facts {
    [("device_status".into(), text.into()), ("link/板".into(), "\"\0'".into())].into()
}

pub(crate) fn known(device: &str, text: &str) -> Entry {
    Entry::Known { device: device.parse().unwrap(), facts: facts(text) }
}

pub(crate) fn stay(connection: &str, offset: u64, left: Option<Timestamp>) -> Stay {
    let base = Base { epoch: epoch("e1"), offset: Offset(offset) };
    Stay {
        bases: [("device/board-1".parse().unwrap(), base)].into(),
        connection: connection.parse().unwrap(),
        device: "board-1".parse().unwrap(),
        left,
        user: (offset % 2 == 1).then(|| "li".parse().unwrap()),
    }
}

/// The files that a killed server would leave behind, in a folder of their own.
pub(crate) fn wreck(folder: &Path) -> tempfile::TempDir {
    let wreck = tempfile::tempdir().unwrap();
    for file in [JOURNAL_FILE.into(), format!("{JOURNAL_FILE}-wal")] {
        std::fs::copy(folder.join(&file), wreck.path().join(&file)).unwrap();
    }
    wreck
}

pub(crate) fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains("journal-damaged-")).collect()
}

/// Far longer than anything takes, short enough to wait for in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
