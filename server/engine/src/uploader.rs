//! The edge's half of an upload: which rows go up when, and what became of them.
//!
//! Rows go up in the order in which the backlog tells them, a hundred together (S0-47, S0-48). What
//! was not acknowledged goes up again on the next connection; the center knows what it has. A
//! refused batch stops the upload until then (S0-50).

mod run;

use std::time::Duration;

use protocol::id::Incarnation;
use protocol::status::StatusBatch;
use protocol::time::Instant;
use protocol::wire::uplink::Downward;

use self::run::{Retry, Run};

/// What goes up on one connection after another.
#[derive(Debug, Default)]
pub struct Uploader {
    /// `None` while there is no connection, or nothing more goes up on it.
    run: Option<Run>,
    marks: Marks,
    /// How many rows are not uploaded.
    pending: u64,
    /// Rows have come since the backlog was last read to its end.
    has_grown: bool,
    /// They have come since it was last read from its start.
    is_unsearched: bool,
    /// The number of the last read, and whether it begins with the oldest row.
    reads: u64,
    reads_oldest: bool,
    /// Why the backlog could not be read, the last time.
    trouble: Option<String>,
}

/// What is to be put on record about rows that went up: one write at a time.
#[derive(Debug, Default)]
struct Marks {
    is_writing: bool,
    waiting: Vec<Mark>,
}

/// What became of rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mark {
    pub incarnation: Incarnation,
    pub ids: Vec<u64>,
    /// Why the center did not take them; `None` where it did.
    pub failure: Option<String>,
}

/// What is to be done for the upload, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Read as many batches of rows that are not uploaded: from the oldest on, or from where the
    /// last read ended. [`Uploader::read`] is to follow.
    Read { number: u64, from_oldest: bool, most: usize },
    /// Send these as the batch of this number; [`Uploader::taken`] is to follow.
    Upload { batch: u64, rows: StatusBatch },
    /// Put this on record; [`Uploader::marked`] is to follow.
    Mark(Mark),
    /// Close the connection, so that another comes.
    HangUp(Why),
    /// The backlog cannot be read, for another reason than before; `None`: it can be again.
    Trouble(Option<String>),
}

/// Why an uploader wants another connection.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Why {
    #[error("the center refused batch {batch}: {reason}")]
    Refused { batch: u64, reason: String },
    #[error("the center answered no batch for {0:?}")]
    Silent(Duration),
}

impl Uploader {
    /// A connection stands: the upload begins with the oldest row that is not uploaded.
    pub fn connected(&mut self) -> Vec<Step> {
        self.run = Some(Run::default());
        self.has_grown = true;
        self.go_on(Vec::new())
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.run = None;
    }

    /// The backlog is another than before: so many rows of it are not uploaded.
    pub fn holds(&mut self, pending: u64, has_grown: bool) -> Vec<Step> {
        self.pending = pending;
        self.has_grown |= has_grown;
        self.is_unsearched |= has_grown;
        self.go_on(Vec::new())
    }

    /// What was read, in batches; not heeded where that was asked for an earlier connection.
    pub fn read(
        &mut self,
        number: u64,
        batches: Result<Vec<StatusBatch>, String>,
        now: Instant,
    ) -> Vec<Step> {
        let is_awaited = number == self.reads;
        let Some(run) = self.run.as_mut().filter(|run| is_awaited && run.is_reading) else {
            return Vec::new();
        };
        run.is_reading = false;
        let batches = match batches {
            Ok(batches) => batches,
            Err(reason) => {
                let from_oldest = self.reads_oldest;
                run.retry = Some(Retry { at: now + READ_AGAIN, from_oldest });
                return self.trouble(Some(reason)).into_iter().collect();
            }
        };
        run.is_at_end = batches.is_empty();
        // Where some came, there may be more.
        self.has_grown |= !batches.is_empty();
        let mut steps: Vec<Step> = batches.into_iter().map(|rows| run.send(rows)).collect();
        steps.extend(self.trouble(None));
        self.go_on(steps)
    }

    /// The line has taken a batch: from now on its answer is waited for.
    pub fn taken(&mut self, batch: u64, now: Instant) {
        if let Some(run) = &mut self.run {
            run.taken(batch, now);
        }
    }

    /// What was to be put on record is on the disk.
    pub fn marked(&mut self) -> Vec<Step> {
        self.marks.is_writing = false;
        self.go_on(Vec::new())
    }

    /// The center said something.
    pub fn hear(&mut self, word: &Downward, now: Instant) -> Vec<Step> {
        match word {
            Downward::Command(_) => Vec::new(),
            Downward::Uploaded(uploaded) => self.uploaded(uploaded.batch, now),
            Downward::UploadFailed(failed) => self.failed(failed.batch, &failed.reason),
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) -> Vec<Step> {
        match self.answer_due_at() {
            Some(due) if due <= now => self.stop(Why::Silent(PATIENCE), Vec::new()),
            _ => self.retry(now).into_iter().collect(),
        }
    }

    /// When a tick will next matter.
    pub fn due_at(&self) -> Option<Instant> {
        let answer = self.answer_due_at();
        let retry = self.run.as_ref().and_then(|run| run.retry).map(|retry| retry.at);
        answer.into_iter().chain(retry).min()
    }

    fn answer_due_at(&self) -> Option<Instant> {
        Some(self.run.as_ref()?.waits_since()? + PATIENCE)
    }

    /// Reads again where that failed: as before, so that no row is passed over or goes up twice.
    fn retry(&mut self, now: Instant) -> Option<Step> {
        let run = self.run.as_mut()?;
        let retry = run.retry.filter(|retry| retry.at <= now)?;
        run.retry = None;
        self.begin_reading(retry.from_oldest)
    }

    fn trouble(&mut self, why: Option<String>) -> Option<Step> {
        let is_news = self.trouble != why;
        self.trouble.clone_from(&why);
        is_news.then_some(Step::Trouble(why))
    }

    fn uploaded(&mut self, batch: u64, now: Instant) -> Vec<Step> {
        let Some(run) = &mut self.run else { return Vec::new() };
        self.marks.waiting.extend(run.acknowledged(batch, now));
        self.go_on(Vec::new())
    }

    fn failed(&mut self, batch: u64, reason: &str) -> Vec<Step> {
        let Some(run) = &mut self.run else { return Vec::new() };
        let Some(mark) = run.refused(batch, reason) else { return Vec::new() };
        self.marks.waiting.push(mark);
        let why = Why::Refused { batch, reason: reason.into() };
        let steps = self.marks.next().into_iter().collect();
        self.stop(why, steps)
    }

    fn stop(&mut self, why: Why, mut steps: Vec<Step>) -> Vec<Step> {
        self.run = None;
        steps.push(Step::HangUp(why));
        steps
    }

    fn go_on(&mut self, mut steps: Vec<Step>) -> Vec<Step> {
        steps.extend(self.marks.next());
        steps.extend(self.read_on());
        steps
    }

    /// Reads more, if there may be more and it may go up.
    ///
    /// The oldest rows are looked for only while nothing is on its way and all that went up is
    /// marked: none shall go up twice without need. They are looked for at each connection, and
    /// where rows are left that came with an earlier time than those before them.
    fn read_on(&mut self) -> Option<Step> {
        let run = self.run.as_mut().filter(|run| !run.is_reading && run.retry.is_none())?;
        let is_passed = self.is_unsearched && run.is_at_end && self.pending > 0;
        let from_oldest = !run.has_begun || !self.has_grown && is_passed;
        let is_due = match from_oldest {
            true => self.marks.is_at_rest() && run.is_at_rest(),
            false => self.has_grown && run.has_room(),
        };
        if !is_due {
            return None;
        }
        self.is_unsearched &= !from_oldest;
        self.has_grown = false;
        self.begin_reading(from_oldest)
    }

    fn begin_reading(&mut self, from_oldest: bool) -> Option<Step> {
        let most = self.run.as_mut()?.begin_reading();
        self.reads = self.reads.wrapping_add(1);
        self.reads_oldest = from_oldest;
        Some(Step::Read { number: self.reads, from_oldest, most })
    }
}

impl Marks {
    /// What to write next: all that waits and is alike.
    fn next(&mut self) -> Option<Step> {
        if self.is_writing || self.waiting.is_empty() {
            return None;
        }
        let mut first = self.waiting.remove(0);
        let alike = |mark: &Mark| {
            first.failure.is_none()
                && mark.failure.is_none()
                && mark.incarnation == first.incarnation
        };
        let count = self.waiting.iter().take_while(|mark| alike(mark)).count();
        first.ids.extend(self.waiting.drain(..count).flat_map(|mark| mark.ids));
        self.is_writing = true;
        Some(Step::Mark(first))
    }

    fn is_at_rest(&self) -> bool {
        !self.is_writing && self.waiting.is_empty()
    }
}

/// A batch that the line took is on the center's disk within seconds, and on a slow line others are
/// answered meanwhile; where nothing is for longer, something is lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// A disk that does not answer may do so soon; nothing is gained by asking it at once.
const READ_AGAIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
