//! The batches of one connection: each in its turn, one write at a time, and an answer for each.

use std::collections::VecDeque;

use protocol::status::StatusBatch;
use protocol::wire::uplink::{MOST_IN_FLIGHT, Upload};

/// What is on its way to the disk, and what waits.
#[derive(Debug)]
pub(super) struct Rows {
    /// The number of the next batch.
    expected: u64,
    /// Those whose rows are being written.
    writing: Vec<u64>,
    waiting: VecDeque<Upload>,
}

/// Why a batch is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum TurnError {
    #[error("batch {found} came where {expected} was expected")]
    OutOfTurn { found: u64, expected: u64 },
    #[error("more than {MOST_IN_FLIGHT} batches are on their way")]
    TooMany,
}

impl Rows {
    pub(super) fn take(&mut self, upload: Upload) -> Result<(), TurnError> {
        if upload.batch != self.expected {
            let (found, expected) = (upload.batch, self.expected);
            return Err(TurnError::OutOfTurn { found, expected });
        }
        if self.writing.len() + self.waiting.len() >= MOST_IN_FLIGHT {
            return Err(TurnError::TooMany);
        }
        self.expected = self.expected.saturating_add(1);
        self.waiting.push_back(upload);
        Ok(())
    }

    /// The rows to write next, those of all batches that wait; nothing while others are written.
    pub(super) fn next(&mut self) -> Option<StatusBatch> {
        if !self.writing.is_empty() {
            return None;
        }
        let first = self.waiting.pop_front()?;
        self.writing.push(first.batch);
        let mut batch = StatusBatch { incarnation: first.incarnation, rows: first.rows };
        while let Some(next) =
            self.waiting.pop_front_if(|next| next.incarnation == batch.incarnation)
        {
            self.writing.push(next.batch);
            batch.rows.extend(next.rows);
        }
        Some(batch)
    }

    /// What was being written is on the disk: the batches to acknowledge.
    pub(super) fn kept(&mut self) -> impl Iterator<Item = u64> + use<> {
        std::mem::take(&mut self.writing).into_iter()
    }

    /// What was being written is not on the disk, and so nothing after it may be: the batches to
    /// refuse. The first of them is expected again.
    pub(super) fn lost(&mut self) -> impl Iterator<Item = u64> + use<> {
        let writing = std::mem::take(&mut self.writing);
        let waiting = std::mem::take(&mut self.waiting).into_iter().map(|upload| upload.batch);
        self.expected = writing.first().copied().unwrap_or(self.expected);
        writing.into_iter().chain(waiting.collect::<Vec<_>>())
    }
}

impl Default for Rows {
    fn default() -> Self {
        Self { expected: 1, writing: Vec::new(), waiting: VecDeque::new() }
    }
}
