//! Brings what is handed in to a database, as soon as the disk takes it.

mod condition;
mod file;
mod ledger;
mod log;
mod tray;

use std::future::pending;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use protocol::part::Condition;
use sqlx::sqlite::SqlitePool;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::fare::Fare;
use crate::open::Look;
use crate::reads::Reads;
use condition::WriteError;
use file::{commit, prune};
use log::{Copying, copied, copy};

pub(crate) use ledger::Ledger;
pub(crate) use tray::{Desk, Tray};

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
        // What has to be written before the end needs all the time there is.
        let must_prune = self.prune_at <= Instant::now() && !self.stop.is_cancelled();
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
}

async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// A pause in which what waits is written.
const BETWEEN_SLICES: Duration = Duration::from_millis(20);
