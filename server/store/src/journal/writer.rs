//! Brings the journal to the disk in groups, while nobody waits for it.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::part::Condition;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::file::{File, JOURNAL_FILE, Pruning};
use super::{JournalInbox, JournalPolicy};
use crate::disk::{is_passing, words};
use crate::fare::Fare;
use crate::open::{OpenError, now};

/// Why something is not on the disk.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Closed(#[from] OpenError),
    #[error("cannot write to {JOURNAL_FILE}: {}", words(.0))]
    Failed(#[from] sqlx::Error),
    #[error("what is to be written has no form: {0}")]
    Shapeless(#[from] serde_json::Error),
    #[error("the disk has not answered for {0:?}")]
    TooSlow(Duration),
    #[error("{0} entries found no room and are lost")]
    NoRoom(u64),
}

/// Writes what comes in to the journal of `directory`, until nobody can hand in more or `stop`.
///
/// What waits then is still written, if the disk takes it at once. A disk that fails is tried again
/// and again; `conditions` tells of it.
pub async fn write_journal(
    directory: PathBuf,
    inbox: JournalInbox,
    policy: JournalPolicy,
    stop: CancellationToken,
    conditions: watch::Sender<Condition>,
) {
    let mut desk = inbox.desk.lock().await;
    let (fare, refused, start) = (Fare(conditions), inbox.refused, Instant::now());
    let times = Times { policy, rest_until: start, beat_at: start, prune_at: start };
    let mut writer = Writer { directory, stop, fare, refused, times, file: None, lost: 0 };
    desk.take_back();
    loop {
        let is_last = writer.gather(&mut desk).await;
        let outcome = writer.write(&mut desk).await;
        writer.tell(outcome, &mut desk);
        if is_last {
            return writer.end(&desk).await;
        }
    }
}

struct Writer {
    directory: PathBuf,
    stop: CancellationToken,
    fare: Fare,
    /// How many entries did not even get in.
    refused: Arc<AtomicU64>,
    times: Times,
    /// `None` while it is not open.
    file: Option<File>,
    /// How many entries were lost since the disk began to fail.
    lost: u64,
}

/// When what is due.
struct Times {
    policy: JournalPolicy,
    rest_until: Instant,
    beat_at: Instant,
    prune_at: Instant,
}

impl Writer {
    /// Takes in what comes, until it is to be written. Whether it is the last.
    async fn gather(&self, desk: &mut Desk) -> bool {
        loop {
            let due = self.times.due(desk.waits_since());
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    desk.take_rest();
                    return true;
                }
                () = sleep_until(due) => return false,
                is_open = desk.take_in() => if !is_open { return true },
            }
        }
    }

    /// Writes all that waits, and that the run is alive.
    async fn write(&mut self, desk: &mut Desk) -> Result<(), WriteError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.open(desk).await?,
        };
        let pruning = self.pruning(desk);
        let batch = desk.batch(now())?;
        let written = self.meanwhile(desk, file.commit(&batch, pruning)).await?;
        match written {
            Ok(is_more) => {
                self.file = Some(file);
                self.times.written(pruning.is_some() && !is_more);
                desk.done();
                Ok(())
            }
            Err(error) => {
                // What is wrong with the file shows when it is opened anew.
                match is_passing(&error) {
                    true => self.file = Some(file),
                    false => self.meanwhile(desk, file.close()).await?,
                }
                Err(error.into())
            }
        }
    }

    async fn open(&self, desk: &mut Desk) -> Result<File, WriteError> {
        let (file, set_aside) = self.meanwhile(desk, File::open(&self.directory)).await??;
        if let Some(set_aside) = set_aside {
            self.fare.fails(set_aside);
        }
        desk.tell_all();
        Ok(file)
    }

    fn pruning(&self, desk: &mut Desk) -> Option<Pruning> {
        let (now, keep) = (now(), self.times.policy.keep);
        let is_due = self.times.prune_at <= Instant::now();
        is_due.then(|| {
            desk.forget(now, keep);
            Pruning { now, keep, is_settled: desk.is_settled(keep) }
        })
    }

    /// Takes in what comes while the disk works. Once the server stops, it is given little time.
    async fn meanwhile<T>(
        &self,
        desk: &mut Desk,
        work: impl Future<Output = T>,
    ) -> Result<T, WriteError> {
        let patience = self.times.policy.patience;
        let (mut work, mut is_open, mut is_slow) = (pin!(work), true, false);
        let mut slow = pin!(sleep(patience));
        let mut too_late = pin!(async {
            self.stop.cancelled().await;
            sleep(patience).await;
        });
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = &mut too_late => return Err(WriteError::TooSlow(patience)),
                () = &mut slow, if !is_slow => {
                    is_slow = true;
                    self.complain(&WriteError::TooSlow(patience));
                }
                open = desk.take_in(), if is_open => is_open = open,
            }
        }
    }

    /// Sees to it that what was not written is tried again, and tells how the disk fares.
    fn tell(&mut self, outcome: Result<(), WriteError>, desk: &mut Desk) {
        let lost = desk.take_lost() + self.refused.swap(0, Ordering::Relaxed);
        self.lost += lost;
        if lost > 0 {
            tracing::error!("{lost} entries found no room in the journal and are lost");
        }
        match outcome {
            Err(error) => {
                desk.take_back();
                desk.forget(now(), self.times.policy.keep);
                self.times.failed();
                self.complain(&error);
            }
            Ok(()) if lost > 0 => {
                self.fare.fails(WriteError::NoRoom(lost));
            }
            Ok(()) => {
                self.lost = 0;
                if self.fare.works() {
                    tracing::info!("the journal is written again");
                }
            }
        }
    }

    fn complain(&self, error: &WriteError) {
        let lost = match self.lost {
            0 => String::new(),
            lost => format!("; {lost} entries are lost so far"),
        };
        if self.fare.fails(format!("{error}{lost}")) {
            let rest = self.times.policy.rest;
            tracing::error!("the journal cannot be written, next try in {rest:?}: {error}");
        }
    }

    async fn end(self, desk: &Desk) {
        if desk.len() > 0 {
            tracing::error!("the journal ends, {} entries were not written", desk.len());
        }
        if let Some(file) = self.file {
            let closed = timeout(self.times.policy.patience, file.close()).await;
            if closed.is_err() {
                tracing::warn!("the journal could not be closed: the disk does not answer");
            }
        }
    }
}

impl Times {
    fn due(&self, waits_since: Option<Instant>) -> Instant {
        let due = waits_since.map_or(self.beat_at, |since| since + self.policy.gather);
        due.max(self.rest_until)
    }

    fn written(&mut self, is_pruned: bool) {
        let next = Instant::now() + self.policy.beat;
        self.beat_at = next;
        if is_pruned {
            self.prune_at = next;
        }
    }

    fn failed(&mut self) {
        self.rest_until = Instant::now() + self.policy.rest;
    }
}
