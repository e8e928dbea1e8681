//! The rows that are not on the disk yet, and what is to be noted about those that are.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use protocol::id::Incarnation;
use protocol::status::StatusRow;
use protocol::time::Timestamp;
use sqlx::SqliteConnection;
use tokio::sync::{oneshot, watch};

use super::Extent;
use super::file::{
    self, BACKLOG, Counts, append, counts, extent, fail, incarnation, keep_counts, prune_pending,
    prune_uploaded, upload,
};
use crate::clerk::Ledger;
use crate::detail::tidy;
use crate::open::{Database, ago};

/// What is handed in.
#[derive(Debug)]
pub(crate) enum Letter {
    Append(Box<StatusRow>),
    Failed {
        incarnation: Incarnation,
        ids: Vec<u64>,
        error: String,
        done: oneshot::Sender<()>,
    },
    /// Wants to hear when all before it is on the disk.
    Flush(oneshot::Sender<()>),
    Uploaded {
        incarnation: Incarnation,
        ids: Vec<u64>,
        at: Timestamp,
        done: oneshot::Sender<()>,
    },
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) keep_uploaded: Duration,
    pub(super) most_rows: u64,
}

/// What waits for the disk, and what the disk holds.
#[derive(Debug)]
pub(crate) struct Pending {
    limits: Limits,
    extents: watch::Sender<Extent>,
    incarnation: Option<Incarnation>,
    /// As it will be once the group under way is on the disk.
    next: Extent,
    /// Rows were given up since anything was uploaded.
    is_overfull: bool,
    waiting: Group,
    under_way: Group,
    lost: u64,
}

/// What was handed in between two commits.
#[derive(Debug, Default)]
struct Group {
    rows: VecDeque<StatusRow>,
    notes: Vec<Note>,
    told: Vec<oneshot::Sender<()>>,
}

/// What became of rows that were on their way up.
#[derive(Debug)]
struct Note {
    incarnation: Incarnation,
    ids: Vec<u64>,
    fate: Fate,
}

#[derive(Debug)]
enum Fate {
    Failed(String),
    Uploaded(Timestamp),
}

impl Pending {
    pub(super) fn new(extents: watch::Sender<Extent>) -> Self {
        Self {
            limits: Limits { keep_uploaded: Duration::MAX, most_rows: u64::MAX },
            extents,
            incarnation: None,
            next: Extent::default(),
            is_overfull: false,
            waiting: Group::default(),
            under_way: Group::default(),
            lost: 0,
        }
    }

    pub(super) fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Carries out the notes about rows of this incarnation. How many rows are uploaded now.
    async fn note(&self, connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        let is_here = |note: &&Note| Some(&note.incarnation) == self.incarnation.as_ref();
        let mut uploaded = 0;
        for note in self.under_way.notes.iter().filter(is_here) {
            match &note.fate {
                Fate::Failed(error) => fail(connection, &note.ids, error).await?,
                Fate::Uploaded(at) => uploaded += upload(connection, &note.ids, *at).await?,
            }
        }
        Ok(uploaded)
    }

    /// Removes what is too much, at most so many rows: uploaded ones first, then the oldest.
    async fn make_room(
        &self,
        connection: &mut SqliteConnection,
        counts: &mut Counts,
        most: u64,
    ) -> Result<(), sqlx::Error> {
        let surplus = counts.rows.saturating_sub(self.limits.most_rows).min(most);
        if surplus == 0 {
            return Ok(());
        }
        let uploaded = prune_uploaded(connection, EVER, surplus).await?;
        let given_up = match surplus.saturating_sub(uploaded) {
            0 => 0,
            rest => prune_pending(connection, rest).await?,
        };
        counts.rows = counts.rows.saturating_sub(uploaded + given_up);
        counts.pending = counts.pending.saturating_sub(given_up);
        counts.given_up += given_up;
        Ok(())
    }

    fn publish(&self, extent: Extent) {
        self.extents.send_if_modified(|told| mem::replace(told, extent) != extent);
    }
}

impl Ledger for Pending {
    type Letter = Letter;

    const DATABASE: &'static Database = &BACKLOG;

    const THINGS: &'static str = "rows for the system server";

    fn take(&mut self, letter: Letter) {
        match letter {
            Letter::Append(row) => self.waiting.rows.push_back(*row),
            Letter::Failed { incarnation, ids, error, done } => {
                let fate = Fate::Failed(tidy(&error));
                self.waiting.notes.push(Note { incarnation, ids, fate });
                self.waiting.told.push(done);
            }
            Letter::Flush(done) => self.waiting.told.push(done),
            Letter::Uploaded { incarnation, ids, at, done } => {
                self.waiting.notes.push(Note { incarnation, ids, fate: Fate::Uploaded(at) });
                self.waiting.told.push(done);
            }
        }
        self.lost += self.waiting.shorten();
    }

    fn has_room(&self) -> bool {
        true
    }

    fn waiting(&self) -> usize {
        let Group { rows, notes, told } = &self.waiting;
        rows.len() + notes.len() + told.len()
    }

    async fn begin(
        &mut self,
        connection: &mut SqliteConnection,
        _is_new: bool,
    ) -> Result<(), sqlx::Error> {
        file::begin(connection).await?;
        self.incarnation = Some(incarnation(connection).await?);
        let counts = counts(connection).await?;
        self.publish(extent(connection, counts).await?);
        Ok(())
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        self.under_way = self.waiting.split();
        let (mut counts, mut appended) = (counts(connection).await?, 0);
        if !self.under_way.rows.is_empty() {
            appended = append(connection, self.under_way.rows.iter()).await?;
        }
        counts.rows += appended;
        counts.pending += appended;
        counts.pending = counts.pending.saturating_sub(self.note(connection).await?);
        self.make_room(connection, &mut counts, appended + SLICE).await?;
        keep_counts(connection, counts).await?;
        self.next = extent(connection, counts).await?;
        Ok(())
    }

    fn done(&mut self) {
        let Group { notes, told, .. } = mem::take(&mut self.under_way);
        let is_uploaded = notes.iter().any(|note| matches!(note.fate, Fate::Uploaded(_)));
        let is_given_up = self.next.given_up > self.extents.borrow().given_up;
        self.is_overfull = is_given_up || (self.is_overfull && !is_uploaded);
        self.publish(self.next);
        for done in told {
            // Who no longer waits need not know.
            let _ = done.send(());
        }
    }

    fn take_back(&mut self) {
        let newer = mem::replace(&mut self.waiting, mem::take(&mut self.under_way));
        self.waiting.follow(newer);
        self.lost += self.waiting.shorten();
    }

    async fn prune(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let mut counts = counts(connection).await?;
        let oldest = ago(now, self.limits.keep_uploaded);
        let pruned = prune_uploaded(connection, oldest, SLICE).await?;
        counts.rows = counts.rows.saturating_sub(pruned);
        self.make_room(connection, &mut counts, SLICE).await?;
        keep_counts(connection, counts).await?;
        Ok(pruned >= SLICE || counts.rows > self.limits.most_rows)
    }

    fn take_lost(&mut self) -> u64 {
        mem::take(&mut self.lost)
    }

    fn complaint(&self) -> Option<String> {
        let (most, given_up) = (self.limits.most_rows, self.next.given_up);
        self.is_overfull.then(|| {
            format!("more than {most} rows wait for the system server: {given_up} were given up")
        })
    }
}

impl Group {
    /// Takes out as much as one transaction writes. Who waits to be told waits for all of it.
    fn split(&mut self) -> Self {
        let mut first = mem::take(self);
        if first.rows.len() > LARGEST_GROUP {
            self.rows = first.rows.split_off(LARGEST_GROUP);
            self.told = mem::take(&mut first.told);
        }
        first
    }

    fn follow(&mut self, newer: Self) {
        self.rows.extend(newer.rows);
        self.notes.extend(newer.notes);
        self.told.extend(newer.told);
    }

    /// Gives up the oldest of what is too much, and says how much that was. Notes that are given up
    /// cost no more than a row that is uploaded twice.
    fn shorten(&mut self) -> u64 {
        let surplus = self.rows.len().saturating_sub(MOST_ROWS);
        self.rows.drain(..surplus);
        let old_notes = self.notes.len().saturating_sub(MOST_NOTES);
        self.notes.drain(..old_notes);
        if surplus + old_notes > 0 {
            // Nobody can be told that all is on the disk.
            self.told.clear();
        }
        surplus as u64
    }
}

const EVER: Timestamp = Timestamp::from_millis(u64::MAX);

/// How many rows one transaction writes: some tenths of a second's work.
const LARGEST_GROUP: usize = 10_000;

/// Rows that wait for a disk that fails: some thirty megabytes.
const MOST_ROWS: usize = 100_000;

/// Far more than batches may be on their way up.
const MOST_NOTES: usize = 1_000;

/// How many rows one transaction removes beyond as many as it adds: so few that it holds up no
/// commit.
const SLICE: u64 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: usize) -> Letter {
        let timestamp = Timestamp::from_millis(number as u64);
        Letter::Append(Box::new(StatusRow {
            bit_position: None,
            device_id: "board-1".parse().unwrap(),
            new_value: String::new(),
            old_value: String::new(),
            record_time: timestamp,
            status_name: String::new(),
            status_type: String::new(),
            timestamp,
        }))
    }

    fn pending() -> Pending {
        Pending::new(watch::channel(Extent::default()).0)
    }

    #[test]
    fn what_is_too_much_goes_oldest_first_and_nobody_is_told_that_all_is_there() {
        let (mut pending, (done, mut told)) = (pending(), oneshot::channel());
        pending.take(Letter::Flush(done));
        (0..MOST_ROWS + 300).for_each(|number| pending.take(row(number)));
        assert_eq!((pending.waiting(), pending.take_lost()), (MOST_ROWS, 300));
        assert_eq!(pending.waiting.rows[0].timestamp, Timestamp::from_millis(300));
        assert_eq!(told.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }

    #[test]
    fn whoever_waits_for_more_than_one_transaction_is_told_after_the_last() {
        let (mut pending, (done, mut told)) = (pending(), oneshot::channel());
        (0..LARGEST_GROUP + 1).for_each(|number| pending.take(row(number)));
        pending.take(Letter::Flush(done));
        for expected in [Err(oneshot::error::TryRecvError::Empty), Ok(())] {
            pending.under_way = pending.waiting.split();
            pending.done();
            assert_eq!(told.try_recv(), expected);
        }
        assert_eq!(pending.waiting(), 0);
    }
}
