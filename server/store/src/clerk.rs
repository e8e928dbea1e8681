//! Brings what is handed in to a database, as soon as the disk takes it.

use std::fmt;
use std::future::pending;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::part::Condition;
use protocol::time::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::disk::{is_damage, is_passing, words};
use crate::fare::Fare;
use crate::open::{Database, Look, OpenError, now};
use crate::reads::Reads;

/// What waits for one database, and how it gets there.
pub(crate) trait Ledger: fmt::Debug + Send {
    type Letter: fmt::Debug + Send;

    const DATABASE: &'static Database;

    /// What it holds, in the plural.
    const THINGS: &'static str;

    /// Takes in what was handed in.
    fn take(&mut self, letter: Self::Letter);

    /// Whether more can be taken in. Where it cannot, those who hand in wait.
    fn has_room(&self) -> bool;

    /// How much waits for the disk.
    fn waiting(&self) -> usize;

    /// The database was opened; `is_new` where a damaged one was set aside for it.
    fn begin(
        &mut self,
        connection: &mut SqliteConnection,
        is_new: bool,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Writes what waits: all of it, or as much as one transaction shall hold.
    fn write(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// What was written is on the disk.
    fn done(&mut self);

    /// What was written may not be on the disk: it waits again, before what came since.
    fn take_back(&mut self);

    /// Forgets some of what is old at `now`: so little that it holds up no commit. Whether there is
    /// more of it.
    fn prune(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send;

    /// How much found no room since the last time.
    fn take_lost(&mut self) -> u64;

    /// What operators are to be told, although the disk works.
    fn complaint(&self) -> Option<String> {
        None
    }
}

/// Where what is handed in waits for its writer. A writer that is started again takes up where the
/// one before it was.
#[derive(Debug)]
pub(crate) struct Tray<L: Ledger> {
    pub(crate) desk: Arc<Mutex<Desk<L>>>,
    /// How much did not even get in.
    pub(crate) refused: Arc<AtomicU64>,
    pub(crate) reads: Reads,
}

impl<L: Ledger> Clone for Tray<L> {
    fn clone(&self) -> Self {
        let (desk, refused) = (Arc::clone(&self.desk), Arc::clone(&self.refused));
        Self { desk, refused, reads: self.reads.clone() }
    }
}

#[derive(Debug)]
pub(crate) struct Desk<L: Ledger> {
    letters: mpsc::Receiver<L::Letter>,
    pub(crate) ledger: L,
}

impl<L: Ledger> Tray<L> {
    pub(crate) fn new(letters: mpsc::Receiver<L::Letter>, ledger: L) -> Self {
        let desk = Arc::new(Mutex::new(Desk { letters, ledger }));
        Self { desk, refused: Arc::default(), reads: Reads::default() }
    }
}

impl<L: Ledger> Desk<L> {
    /// Waits for letters and takes them in. `false` once nobody is left who could send one.
    async fn take_in(&mut self) -> bool {
        let mut letters = Vec::new();
        let taken = self.letters.recv_many(&mut letters, AT_ONCE).await;
        letters.into_iter().for_each(|letter| self.ledger.take(letter));
        taken > 0
    }

    fn take_rest(&mut self) {
        while let Ok(letter) = self.letters.try_recv() {
            self.ledger.take(letter);
        }
    }
}

/// The times of a writer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// How long the first of a group waits for others.
    pub(crate) gather: Duration,
    /// How long a disk that failed is left alone.
    pub(crate) rest: Duration,
    /// How long a disk may take before it counts as failing.
    pub(crate) patience: Duration,
    /// How often what is old is looked for.
    pub(crate) prune_every: Duration,
    /// How long after a commit the log is copied into the file, beside the commits that follow, so
    /// that none has to do it; `None` where a commit may.
    pub(crate) copy_after: Option<Duration>,
}

/// Why something is not on the disk.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Closed(#[from] OpenError),
    #[error("cannot write to {file}: {}", words(.cause))]
    Failed { file: &'static str, cause: sqlx::Error },
    #[error("the disk has not answered for {0:?}")]
    TooSlow(Duration),
    #[error("{lost} {things} found no room and are lost")]
    NoRoom { lost: u64, things: &'static str },
}

/// Writes what comes in to the database of `directory`, until nobody can hand in more or `stop`.
///
/// What waits then is still written, if the disk takes it at once.
pub(crate) async fn write<L: Ledger>(
    directory: PathBuf,
    tray: Tray<L>,
    desk: &mut Desk<L>,
    times: Times,
    stop: CancellationToken,
    conditions: watch::Sender<Condition>,
) {
    let start = Instant::now();
    let mut clerk = Clerk {
        things: L::THINGS,
        directory,
        stop,
        times,
        fare: Fare(conditions),
        refused: tray.refused,
        reads: tray.reads,
        pool: None,
        look: Look::IfSmall,
        lost: 0,
        rest_until: start,
        prune_at: start,
        end_at: None,
        copying: None,
    };
    desk.ledger.take_back();
    loop {
        let is_last = clerk.gather(desk).await;
        let mut is_done = clerk.round(desk).await;
        if is_last {
            while !is_done {
                is_done = clerk.round(desk).await;
            }
            return clerk.end(desk).await;
        }
    }
}

struct Clerk {
    things: &'static str,
    directory: PathBuf,
    stop: CancellationToken,
    times: Times,
    fare: Fare,
    refused: Arc<AtomicU64>,
    reads: Reads,
    /// `None` while it is not open.
    pool: Option<SqlitePool>,
    look: Look,
    /// How much was lost since the disk began to fail.
    lost: u64,
    rest_until: Instant,
    prune_at: Instant,
    /// When the disk has had all the time that it gets; `None` until the server stops.
    end_at: Option<Instant>,
    copying: Option<Copying>,
}

/// The log on its way into the file.
type Copying = Pin<Box<dyn Future<Output = Result<(), sqlx::Error>> + Send>>;

impl Clerk {
    /// Takes in what comes, until it is to be written. Whether it is the last.
    async fn gather<L: Ledger>(&mut self, desk: &mut Desk<L>) -> bool {
        let mut since = (desk.ledger.waiting() > 0).then(Instant::now);
        loop {
            let due = since.map_or(self.prune_at, |since| since + self.times.gather);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    desk.take_rest();
                    return true;
                }
                () = sleep_until(due.max(self.rest_until)) => return false,
                outcome = copied(&mut self.copying) => {
                    self.copying = None;
                    if let Err(error) = outcome {
                        tracing::warn!("the log of {} cannot be copied: {error}", self.things);
                    }
                }
                is_open = desk.take_in(), if desk.ledger.has_room() => match is_open {
                    true => { since.get_or_insert_with(Instant::now); }
                    false => return true,
                },
            }
        }
    }

    /// Writes one group of what waits. Whether another round would bring nothing more to the disk:
    /// nothing waits, or no less than before.
    async fn round<L: Ledger>(&mut self, desk: &mut Desk<L>) -> bool {
        let before = desk.ledger.waiting();
        let outcome = self.work(&mut desk.ledger).await;
        self.tell(outcome, desk);
        let left = desk.ledger.waiting();
        left == 0 || left >= before
    }

    /// Writes what waits, or the first group of it; or, where nothing does, forgets what is old.
    async fn work<L: Ledger>(&mut self, ledger: &mut L) -> Result<(), WriteError> {
        let pool = match self.pool.take() {
            Some(pool) => pool,
            None => self.open(ledger).await?,
        };
        let has_work = ledger.waiting() > 0;
        let must_prune = self.prune_at <= Instant::now();
        let outcome = self.patiently(async {
            if has_work {
                commit(&pool, ledger).await?;
            }
            if must_prune { prune(&pool, ledger).await } else { Ok(false) }
        });
        match outcome.await? {
            Ok(is_more) => {
                if let (true, None, Some(after)) = (has_work, &self.copying, self.times.copy_after)
                {
                    self.copying = Some(Box::pin(copy(pool.clone(), after)));
                }
                self.pool = Some(pool);
                if must_prune {
                    let next = if is_more { BETWEEN_SLICES } else { self.times.prune_every };
                    self.prune_at = Instant::now() + next;
                }
                Ok(())
            }
            Err(cause) => {
                self.look_after(pool, &cause).await?;
                Err(WriteError::Failed { file: L::DATABASE.file, cause })
            }
        }
    }

    async fn open<L: Ledger>(&mut self, ledger: &mut L) -> Result<SqlitePool, WriteError> {
        let (directory, look) = (self.directory.clone(), self.look);
        let opening = L::DATABASE.open_anyway(&directory, look);
        let (pool, set_aside) = self.patiently(opening).await??;
        let is_new = set_aside.is_some();
        if let Some(set_aside) = set_aside {
            self.fare.fails(set_aside);
        }
        let begun = async { ledger.begin(&mut *pool.acquire().await?, is_new).await };
        if let Err(cause) = self.patiently(begun).await? {
            self.look_after(pool, &cause).await?;
            return Err(WriteError::Failed { file: L::DATABASE.file, cause });
        }
        self.look = Look::IfSmall;
        self.reads.become_open(L::DATABASE.reader(&self.directory));
        Ok(pool)
    }

    /// What is wrong with the file shows when it is opened anew.
    async fn look_after(
        &mut self,
        pool: SqlitePool,
        error: &sqlx::Error,
    ) -> Result<(), WriteError> {
        if is_passing(error) {
            self.pool = Some(pool);
            return Ok(());
        }
        if is_damage(error) {
            self.look = Look::Whole;
        }
        let reader = self.reads.become_closed();
        self.copying = None;
        self.patiently(async {
            if let Some(reader) = reader {
                reader.close().await;
            }
            pool.close().await;
        })
        .await
    }

    /// Lets the disk work. Once the server stops, it is given little time for all that it still does.
    async fn patiently<T>(&mut self, work: impl Future<Output = T>) -> Result<T, WriteError> {
        let (patience, stop) = (self.times.patience, self.stop.clone());
        let (mut work, mut slow, mut is_slow) = (pin!(work), pin!(sleep(patience)), false);
        loop {
            tokio::select! {
                biased;
                outcome = &mut work => return Ok(outcome),
                () = stop.cancelled(), if self.end_at.is_none() => {
                    self.end_at = Some(Instant::now() + patience);
                }
                () = reached(self.end_at) => return Err(WriteError::TooSlow(patience)),
                () = &mut slow, if !is_slow => {
                    is_slow = true;
                    self.complain(&WriteError::TooSlow(patience));
                }
            }
        }
    }

    /// Sees to it that what was not written is tried again, and tells how the disk fares.
    fn tell<L: Ledger>(&mut self, outcome: Result<(), WriteError>, desk: &mut Desk<L>) {
        if outcome.is_err() {
            desk.ledger.take_back();
            self.rest_until = Instant::now() + self.times.rest;
        }
        let lost = desk.ledger.take_lost() + self.refused.swap(0, Ordering::Relaxed);
        self.lost += lost;
        if lost > 0 {
            tracing::error!("{lost} {} found no room and are lost", L::THINGS);
        }
        match (outcome, desk.ledger.complaint()) {
            (Err(error), _) => self.complain(&error),
            (Ok(()), _) if lost > 0 => {
                self.fare.fails(WriteError::NoRoom { lost, things: L::THINGS });
                // Where nothing more comes, it is this that shows that the disk works.
                self.prune_at = Instant::now() + self.times.rest;
            }
            (Ok(()), Some(complaint)) => {
                if self.fare.fails(&complaint) {
                    tracing::error!("{complaint}");
                }
            }
            (Ok(()), None) => {
                self.lost = 0;
                if self.fare.works() {
                    tracing::info!("{} are written again", L::THINGS);
                }
            }
        }
    }

    fn complain(&self, error: &WriteError) {
        let things = self.things;
        let lost = match self.lost {
            0 => String::new(),
            lost => format!("; {lost} {things} are lost so far"),
        };
        if self.fare.fails(format!("{error}{lost}")) {
            let rest = self.times.rest;
            tracing::error!("{things} cannot be written, next try in {rest:?}: {error}");
        }
    }

    async fn end<L: Ledger>(mut self, desk: &Desk<L>) {
        let left = desk.ledger.waiting() + desk.letters.len();
        if left > 0 {
            tracing::error!("{left} {} were not written", L::THINGS);
        }
        self.copying = None;
        let (reader, pool) = (self.reads.become_closed(), self.pool.take());
        for pool in reader.into_iter().chain(pool) {
            if timeout(self.times.patience, pool.close()).await.is_err() {
                let file = L::DATABASE.file;
                tracing::warn!("{file} could not be closed: the disk does not answer");
            }
        }
    }
}

/// Writes a group of what waits, or nothing of it.
async fn commit<L: Ledger>(pool: &SqlitePool, ledger: &mut L) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    ledger.write(&mut transaction).await?;
    transaction.commit().await?;
    ledger.done();
    Ok(())
}

/// Copies the log, as far as nobody reads it. Commits go on meanwhile, on another connection.
async fn copy(pool: SqlitePool, after: Duration) -> Result<(), sqlx::Error> {
    sleep(after).await;
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&pool).await.map(drop)
}

async fn copied(copying: &mut Option<Copying>) -> Result<(), sqlx::Error> {
    match copying {
        Some(copying) => copying.await,
        None => pending().await,
    }
}

async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// A transaction of its own: nobody waits for it.
async fn prune<L: Ledger>(pool: &SqlitePool, ledger: &mut L) -> Result<bool, sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let is_more = ledger.prune(&mut transaction, now()).await?;
    transaction.commit().await?;
    Ok(is_more)
}

/// How many letters are taken in before the disk is looked after again.
const AT_ONCE: usize = 1024;

/// A pause in which what waits is written.
const BETWEEN_SLICES: Duration = Duration::from_millis(20);
