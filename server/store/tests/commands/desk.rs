//! A writer of orders at work, and orders to give it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::command::{CommandRecord, Failure, Order, OrderKey, Origin, Outcome, Steps};
use protocol::part::{Condition, PartState};
use protocol::reading::Value;
use protocol::time::Timestamp;
use sqlx::sqlite::SqlitePool;
use store::{COMMANDS_FILE, Commands, CommandsInbox, CommandsPolicy, write_commands};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) struct Desk {
    pub(crate) commands: Commands,
    pub(crate) intents: mpsc::Receiver<OrderKey>,
    pub(crate) stop: CancellationToken,
    pub(crate) condition: watch::Receiver<Condition>,
    inbox: CommandsInbox,
    directory: PathBuf,
    writing: JoinHandle<()>,
}

impl Desk {
    pub(crate) fn open(directory: &Path) -> Self {
        Self::with(directory, policy())
    }

    pub(crate) fn with(directory: &Path, policy: CommandsPolicy) -> Self {
        let (commands, inbox, intents) = Commands::open();
        let stop = CancellationToken::new();
        let (writing, condition) = start(directory, &inbox, policy, &stop);
        let directory = directory.into();
        Self { commands, intents, stop, condition, inbox, directory, writing }
    }

    /// The writer falls, and another takes up where it was.
    pub(crate) async fn fall(&mut self) {
        self.writing.abort();
        let (writing, condition) = start(&self.directory, &self.inbox, policy(), &self.stop);
        let fallen = std::mem::replace(&mut self.writing, writing);
        self.condition = condition;
        let _ = fallen.await;
    }

    pub(crate) fn keep(&self, records: impl IntoIterator<Item = CommandRecord>) {
        records.into_iter().for_each(|record| self.commands.keep(record));
    }

    /// Waits until everything handed in is on the disk.
    pub(crate) async fn flush(&self) {
        assert!(timeout(PATIENCE, self.commands.flushed()).await.unwrap(), "something was lost");
    }

    /// The next intent that is said to be on the disk.
    pub(crate) async fn recorded(&mut self) -> String {
        timeout(PATIENCE, self.intents.recv()).await.unwrap().unwrap().id
    }

    /// Writes what was handed in, and ends.
    pub(crate) async fn close(self) {
        drop(self.commands);
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

fn policy() -> CommandsPolicy {
    CommandsPolicy { rest: Duration::from_millis(1), ..CommandsPolicy::default() }
}

fn start(
    directory: &Path,
    inbox: &CommandsInbox,
    policy: CommandsPolicy,
    stop: &CancellationToken,
) -> (JoinHandle<()>, watch::Receiver<Condition>) {
    let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
    let (conditions, condition) = watch::channel(works);
    let writing = write_commands(directory.into(), inbox.clone(), policy, stop.clone(), conditions);
    (tokio::spawn(writing), condition)
}

/// All orders on record that were accepted in the last minutes, or have no outcome.
pub(crate) async fn recent(directory: &Path) -> Vec<CommandRecord> {
    store::read_recent_commands(directory, ago(600), PATIENCE).await.unwrap()
}

/// Runs one statement against the file, as another program would.
pub(crate) async fn run(folder: &Path, statement: &'static str) {
    let path = folder.join(COMMANDS_FILE);
    let pool = SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

/// Brings all of the log into the file, once nobody else is at it.
pub(crate) async fn empty_log(folder: &Path) {
    let path = folder.join(COMMANDS_FILE);
    let pool = SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let is_busy = async || {
        let query = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)");
        let busy: i64 = query.fetch_one(&pool).await.unwrap();
        busy != 0
    };
    let emptied = async { while is_busy().await {} };
    timeout(PATIENCE, emptied).await.unwrap();
    pool.close().await;
}

pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as u64)
}

pub(crate) fn ago(seconds: u64) -> Timestamp {
    Timestamp::from_millis(now().as_millis() - 1000 * seconds)
}

/// An intent.
pub(crate) fn intent(id: &str, accepted_at: Timestamp) -> CommandRecord {
    let key = OrderKey {
        origin: Origin::Local,
        user: "li".into(),
        device: "board-1".parse().unwrap(),
        id: id.into(),
    };
    let order = Order {
        key,
        command: "SET_TEMP_THRESHOLD".into(),
        param: Some("32".into()),
        valid_until: None,
        via: "10.0.0.7".into(),
    };
    CommandRecord { order, accepted_at, steps: Steps::default(), outcome: None }
}

pub(crate) fn done(intent: CommandRecord) -> CommandRecord {
    let outcome = Outcome {
        at: intent.accepted_at + Duration::from_millis(40),
        failure: None,
        detail: None,
        verified: Some(true),
        old: Some(Value::Number(30.5)),
        new: Some(Value::Number(32.0)),
        ms: 40,
    };
    let steps = Steps { recorded: Some(2), sent: Some(3), written: Some(9) };
    CommandRecord { steps, outcome: Some(outcome), ..intent }
}

pub(crate) fn failed(intent: CommandRecord, failure: Failure) -> CommandRecord {
    let record = done(intent);
    let outcome = record.outcome.clone().unwrap();
    let (failure, detail) = (Some(failure), Some("线路 \"1\"\n is down".into()));
    let old = Some(Value::Switch(true));
    let outcome = Outcome { failure, detail, verified: None, old, new: None, ..outcome };
    CommandRecord { outcome: Some(outcome), ..record }
}

/// The files that a killed server would leave behind, in a folder of their own.
pub(crate) fn wreck(folder: &Path) -> tempfile::TempDir {
    let wreck = tempfile::tempdir().unwrap();
    for file in [COMMANDS_FILE.into(), format!("{COMMANDS_FILE}-wal")] {
        std::fs::copy(folder.join(&file), wreck.path().join(&file)).unwrap();
    }
    wreck
}

pub(crate) fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains("commands-damaged-")).collect()
}

/// Far longer than anything takes, short enough to wait for in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
