//! One device as its poller knows it: what is due, and how it answered the last time.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::command::Failure;
use protocol::id::DeviceId;
use protocol::job::{Execution, NotDone, Task};
use protocol::reading::{Reason, Value};
use protocol::report::{Reach, Report};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::decode::{Cells, decode};
use crate::errand::{Errand, Shown};
use crate::line::Line;
use crate::map::{Mapping, Target};
use crate::modbus::ReadError;
use crate::plan::{Block, Holes, plan};
use crate::work::Assignment;

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

    pub(crate) fn id(&self) -> &DeviceId {
        &self.target.device
    }

    pub(crate) fn unit(&self) -> u8 {
        self.target.unit
    }

    /// Plans the reads of what is due at `tick`; `None` where nothing is.
    pub(crate) fn begin(&self, tick: Instant) -> Option<Visit> {
        let due = self.due(tick);
        if self.left_alone(tick).is_some() {
            return Some(Visit::default());
        }
        let blocks = VecDeque::from(plan(&self.target.mappings, &due, self.holes));
        (!blocks.is_empty()).then(|| Visit { blocks, ..Visit::default() })
    }

    /// Why the board is not spoken to at `now`, if it is not.
    fn left_alone(&self, now: Instant) -> Option<ReadError> {
        self.trouble.filter(|_| self.backoff.holds(now))
    }

    /// Takes in what one read brought; after one without an answer to trust, no other follows.
    pub(crate) fn take(
        &mut self,
        visit: &mut Visit,
        block: Block,
        answer: Result<Cells, ReadError>,
    ) {
        if answer == Err(NO_SUCH_ADDRESS) && block.has_holes {
            self.holes = Holes::Avoid;
            visit.blocks.extend(plan(&self.target.mappings, &block.points, self.holes));
            return;
        }
        visit.take(&self.target.mappings, &block, answer);
        if let Some(trouble) = visit.trouble {
            for block in std::mem::take(&mut visit.blocks) {
                visit.take(&self.target.mappings, &block, Err(trouble));
            }
        }
    }

    /// Tells what a visit brought home.
    pub(crate) fn end(&mut self, visit: Visit, tick: Instant) -> Report {
        if visit.has_asked {
            self.note(visit.trouble.filter(|_| !visit.answered), tick);
        }
        match self.trouble {
            Some(trouble) => self.report_trouble(trouble),
            None => self.report(visit, tick),
        }
    }

    /// Carries out an order; a board that is left alone just now is not asked.
    pub(crate) async fn execute(
        &self,
        line: &mut Line,
        assignment: &Assignment,
        limit: Duration,
    ) -> (Execution, Option<Shown>) {
        match self.left_alone(Instant::now()) {
            None => Errand::new(line, &self.target, assignment, limit).run().await,
            Some(trouble) => {
                let detail = Some(trouble.to_string());
                let not_done = NotDone { detail, ..Failure::DeviceOffline.into() };
                (Execution { result: Err(not_done), written_after: None }, None)
            }
        }
    }

    /// Has the points read again that an order may have changed since they were read.
    pub(crate) fn read_again(&self, visit: &mut Visit, task: &Task) {
        let Task::Write { point, verify, .. } = task else { return };
        let mappings = &self.target.mappings;
        let written = [point, verify].into_iter().filter_map(|at| mappings.get(*at));
        let changed: Vec<_> = written.chain(self.target.feedback.get(point)).collect();
        let is_old = |(point, _): &(usize, _)| {
            let mapping = mappings.get(*point);
            mapping.is_some_and(|mapping| changed.iter().any(|other| mapping.overlaps(other)))
        };
        let (old, kept): (Vec<_>, _) = visit.results.drain(..).partition(is_old);
        visit.results = kept;
        let points: Vec<_> = old.into_iter().map(|(point, _)| point).collect();
        visit.blocks.extend(plan(mappings, &points, self.holes));
    }

    fn due(&self, tick: Instant) -> Vec<usize> {
        let is_due = |at: &Option<Instant>| at.is_none_or(|at| at <= tick);
        let due = self.due_at.iter().enumerate().filter(|(_, at)| is_due(at));
        due.map(|(point, _)| point).collect()
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

/// One poll of one device: what is still to be read, and what was found.
#[derive(Default)]
pub(crate) struct Visit {
    blocks: VecDeque<Block>,
    /// Whether anything was asked; a board that is left alone is not.
    has_asked: bool,
    answered: bool,
    trouble: Option<ReadError>,
    results: Vec<(usize, Result<Value, Reason>)>,
}

impl Visit {
    /// What is to be read next.
    pub(crate) fn next(&mut self) -> Option<Block> {
        let block = self.blocks.pop_front();
        self.has_asked |= block.is_some();
        block
    }

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
