//! The upload on one connection: what is on its way, and what may follow.

use std::collections::VecDeque;

use protocol::id::Incarnation;
use protocol::status::StatusBatch;
use protocol::time::Instant;
use protocol::wire::uplink::MOST_IN_FLIGHT;

use super::{Mark, Step};

#[derive(Debug, Default)]
pub(super) struct Run {
    /// The backlog was read for this connection.
    pub(super) has_begun: bool,
    pub(super) is_reading: bool,
    /// The last read found nothing.
    pub(super) is_at_end: bool,
    /// A read that failed, to be tried again.
    pub(super) retry: Option<Retry>,
    /// How many batches went up.
    sent: u64,
    in_flight: VecDeque<InFlight>,
    /// When the center last answered one.
    answered_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    pub(super) at: Instant,
    pub(super) from_oldest: bool,
}

/// A batch without an answer.
#[derive(Debug)]
struct InFlight {
    batch: u64,
    incarnation: Incarnation,
    ids: Vec<u64>,
    /// When the line took it; it is not waited for before.
    since: Option<Instant>,
}

impl Run {
    /// How many batches may be read.
    pub(super) fn begin_reading(&mut self) -> usize {
        self.has_begun = true;
        self.is_reading = true;
        self.is_at_end = false;
        MOST_IN_FLIGHT.saturating_sub(self.in_flight.len())
    }

    pub(super) fn send(&mut self, rows: StatusBatch) -> Step {
        self.sent = self.sent.saturating_add(1);
        let (batch, incarnation) = (self.sent, rows.incarnation.clone());
        let ids = rows.rows.iter().map(|row| row.id).collect();
        self.in_flight.push_back(InFlight { batch, incarnation, ids, since: None });
        Step::Upload { batch, rows }
    }

    /// The line has taken a batch.
    pub(super) fn taken(&mut self, batch: u64, now: Instant) {
        let sent = self.in_flight.iter_mut().filter(|sent| sent.batch == batch);
        sent.for_each(|sent| sent.since = Some(now));
    }

    /// Batches are answered in their order: one stands for those before it.
    pub(super) fn acknowledged(&mut self, batch: u64, now: Instant) -> Vec<Mark> {
        let known = self.in_flight.iter().any(|sent| sent.batch == batch);
        let count =
            if known { self.in_flight.partition_point(|sent| sent.batch <= batch) } else { 0 };
        let mark =
            |sent: InFlight| Mark { incarnation: sent.incarnation, ids: sent.ids, failure: None };
        if known {
            self.answered_at = Some(now);
        }
        self.in_flight.drain(..count).map(mark).collect()
    }

    pub(super) fn refused(&self, batch: u64, reason: &str) -> Option<Mark> {
        let sent = self.in_flight.iter().find(|sent| sent.batch == batch)?;
        let (incarnation, ids) = (sent.incarnation.clone(), sent.ids.clone());
        Some(Mark { incarnation, ids, failure: Some(reason.into()) })
    }

    /// Since when no answer came, while the oldest batch waits for its own.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        let since = self.in_flight.front()?.since?;
        Some(self.answered_at.map_or(since, |answered| answered.max(since)))
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether enough batches are answered for a read to bring many rows.
    pub(super) fn has_room(&self) -> bool {
        self.in_flight.len() <= MOST_IN_FLIGHT / 2
    }
}
