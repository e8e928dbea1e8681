//! One device as its poller knows it: what is due, and how it answered the last time.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::reading::{Reason, Value};
use protocol::report::{Reach, Report};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::decode::{Cells, decode};
use crate::line::Line;
use crate::map::{Mapping, Target};
use crate::modbus::ReadError;
use crate::plan::{Block, Holes, plan};

/// A device that is polled.
pub(crate) struct PolledDevice {
    target: Target,
    /// When each point is read next; `None` is at every poll.
    due_at: Vec<Option<Instant>>,
    holes: Holes,
    backoff: Backoff,
    /// What the last try to read it ran into, if nothing of it came.
    trouble: Option<ReadError>,
}

impl PolledDevice {
    pub(crate) fn new(target: Target) -> Self {
        let due_at = vec![None; target.mappings.len()];
        let (holes, backoff) = (Holes::Bridge, Backoff::default());
        Self { target, due_at, holes, backoff, trouble: None }
    }

    /// Reads what is due at `tick`; `None` where nothing is.
    pub(crate) async fn poll(
        &mut self,
        line: &mut Line,
        tick: Instant,
        limit: Duration,
    ) -> Option<Report> {
        if let Some(trouble) = self.trouble.filter(|_| self.backoff.holds(tick)) {
            return Some(self.report_trouble(trouble));
        }
        let due = self.due(tick);
        if due.is_empty() {
            return None;
        }
        let visit = self.visit(line, &due, limit).await;
        self.note(visit.trouble.filter(|_| !visit.answered), tick);
        Some(match self.trouble {
            Some(trouble) => self.report_trouble(trouble),
            None => self.report(visit, tick),
        })
    }

    fn due(&self, tick: Instant) -> Vec<usize> {
        let is_due = |at: &Option<Instant>| at.is_none_or(|at| at <= tick);
        let due = self.due_at.iter().enumerate().filter(|(_, at)| is_due(at));
        due.map(|(point, _)| point).collect()
    }

    /// Reads block after block, until the board leaves one without an answer to trust.
    async fn visit(&mut self, line: &mut Line, due: &[usize], limit: Duration) -> Visit {
        let mut visit = Visit::default();
        let mut blocks = VecDeque::from(plan(&self.target.mappings, due, self.holes));
        while let Some(block) = blocks.pop_front() {
            let answer = match visit.trouble {
                Some(trouble) => Err(trouble),
                None => line.read(self.target.unit, &block, limit).await,
            };
            if answer == Err(NO_SUCH_ADDRESS) && block.has_holes {
                self.holes = Holes::Avoid;
                blocks.extend(plan(&self.target.mappings, &block.points, self.holes));
            } else {
                visit.take(&self.target.mappings, &block, answer);
            }
        }
        visit
    }

    fn note(&mut self, trouble: Option<ReadError>, tick: Instant) {
        match trouble {
            Some(_) => self.backoff.fail(tick),
            None => self.backoff.succeed(),
        }
        if trouble != self.trouble {
            let device = &self.target.device;
            match trouble {
                Some(why) => tracing::warn!(%device, %why, "device {device} is lost: {why}"),
                None => tracing::info!(%device, "device {device} answers again"),
            }
            self.trouble = trouble;
        }
    }

    /// Nothing can be said of any point, due or not.
    fn report_trouble(&mut self, trouble: ReadError) -> Report {
        self.due_at.fill(None);
        let results = (0..self.due_at.len()).map(|point| (point, Err(trouble.reason()))).collect();
        Report { device: self.target.device.clone(), reach: trouble.reach(), results }
    }

    fn report(&mut self, visit: Visit, tick: Instant) -> Report {
        for (point, result) in &visit.results {
            if let (Some(mapping), Some(due_at)) =
                (self.target.mappings.get(*point), self.due_at.get_mut(*point))
            {
                *due_at = mapping.poll.filter(|_| result.is_ok()).map(|poll| tick + poll);
            }
        }
        let device = self.target.device.clone();
        Report { device, reach: Reach::Answered, results: visit.results }
    }
}

/// What one poll found, block by block.
#[derive(Default)]
struct Visit {
    answered: bool,
    trouble: Option<ReadError>,
    results: Vec<(usize, Result<Value, Reason>)>,
}

impl Visit {
    fn take(&mut self, mappings: &[Mapping], block: &Block, answer: Result<Cells, ReadError>) {
        match &answer {
            Err(error) if error.reach() != Reach::Answered => self.trouble = Some(*error),
            _ => self.answered = true,
        }
        for &point in &block.points {
            let Some(mapping) = mappings.get(point) else { continue };
            let at = usize::from(mapping.address.saturating_sub(block.start));
            let result = match &answer {
                Ok(cells) => decode(mapping, cells, at),
                Err(error) => Err(error.reason()),
            };
            self.results.push((point, result));
        }
    }
}

/// Modbus exception 2: the read touches an address that the board does not have.
const NO_SUCH_ADDRESS: ReadError = ReadError::Exception(2);
