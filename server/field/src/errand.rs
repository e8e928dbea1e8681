//! Carries out one order at one board: writes, then reads back what came of it.

use std::time::Duration;

use protocol::command::Failure;
use protocol::job::{Done, Execution, NotDone, Task};
use protocol::reading::Value;
use protocol::report::Reach;
use tokio::time::{Instant, sleep_until};

use crate::decode::{Cells, decode};
use crate::encode::{Bits, Change, Write, encode};
use crate::line::{Line, Patience};
use crate::map::{Area, Mapping, Target};
use crate::modbus::{NO_ANSWER, NO_PATH, ReadError, WriteError};
use crate::plan::Block;
use crate::work::Assignment;

mod time;

/// One order on its way to its board.
pub(crate) struct Errand<'a> {
    line: &'a mut Line,
    target: &'a Target,
    assignment: &'a Assignment,
    patience: Patience,
    written_after: Option<Duration>,
    shown: Option<Shown>,
    /// What the last read-back found.
    found: Option<Value>,
}

/// What a point showed after the write, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shown {
    pub(crate) point: usize,
    pub(crate) value: Value,
    pub(crate) at: Instant,
}

impl Shown {
    fn now(point: usize, value: Value) -> Self {
        Self { point, value, at: Instant::now() }
    }
}

impl<'a> Errand<'a> {
    /// Each answer of the board may take `limit`, and all of them until the assignment ends.
    pub(crate) fn new(
        line: &'a mut Line,
        target: &'a Target,
        assignment: &'a Assignment,
        limit: Duration,
    ) -> Self {
        let patience = Patience { limit, until: Some(assignment.until) };
        let (written_after, shown, found) = (None, None, None);
        Self { line, target, assignment, patience, written_after, shown, found }
    }

    /// Does it; tells what came of it, and what was last read back.
    pub(crate) async fn run(mut self) -> (Execution, Option<Shown>) {
        let result = self.perform().await;
        (Execution { result, written_after: self.written_after }, self.shown)
    }

    async fn perform(&mut self) -> Result<Done, NotDone> {
        match &self.assignment.job.task {
            Task::Write { point, value, verify, expected } => {
                let (mapping, verified) = (self.mapping(*point)?, self.mapping(*verify)?);
                let change = encode(mapping, *value).map_err(invalid)?;
                self.write(mapping.address, change).await?;
                match self.target.feedback.get(verify).filter(|_| verify == point) {
                    None => self.verify(Some(*verify), verified, *expected).await,
                    Some(feedback) => {
                        self.look(*point, mapping).await?;
                        self.verify(None, feedback, *expected).await
                    }
                }
            }
            Task::SetClock { address, zone, ahead_ms } => {
                self.set_clock(*address, zone, *ahead_ms).await
            }
            Task::Forward { .. } | Task::Pace(_) => Err(Failure::NotSupported.into()),
        }
    }

    fn mapping(&self, point: usize) -> Result<&'a Mapping, NotDone> {
        let missing = || not_done(Failure::NotSupported, format!("there is no point {point}"));
        self.target.mappings.get(point).ok_or_else(missing)
    }

    async fn write(&mut self, address: u16, change: Change) -> Result<(), NotDone> {
        self.line.begin_round();
        let cells = match change {
            Change::Whole(cells) => cells,
            Change::Bits(bits) => self.changed(address, bits).await?,
        };
        if self.assignment.until <= Instant::now() {
            return Err(Failure::Expired.into());
        }
        let write = Write { address, cells };
        match self.line.write(self.target.unit, &write, self.patience).await {
            // Taken, and still at it: the read-back will show.
            Ok(()) | Err(WriteError::Exception(ACKNOWLEDGED)) => {
                self.written_after = Some(self.assignment.age());
                Ok(())
            }
            Err(error) => Err(unwritten(error)),
        }
    }

    /// The register as it is, but for these bits. As long as it cannot be read nothing is written.
    async fn changed(&mut self, address: u16, bits: Bits) -> Result<Cells, NotDone> {
        match self.line.read(self.target.unit, &registers(address, 1), self.patience).await {
            Ok(Cells::Registers(words)) => {
                Ok(Cells::Registers(words.into_iter().map(|word| bits.apply(word)).collect()))
            }
            Ok(Cells::Bits(_)) => Err(Failure::NotSupported.into()),
            Err(error) if error.reach() == Reach::Answered => {
                Err(not_done(Failure::DeviceRefused, error))
            }
            Err(error) => Err(not_done(Failure::DeviceOffline, error)),
        }
    }

    /// Reads the point once, so that screens show what is there now, whatever the plant makes of it.
    async fn look(&mut self, point: usize, mapping: &Mapping) -> Result<(), NotDone> {
        match self.read(&block_of(mapping)).await {
            Ok(cells) => {
                let value = decode(mapping, &cells, 0).ok();
                self.shown = value.map(|value| Shown::now(point, value));
            }
            Err(error) if error.reach() != Reach::Answered => return Err(self.unread(error)),
            Err(_) => {}
        }
        Ok(())
    }

    /// Reads the place until it has the value, or time is up; what it has is shown by the point, if one
    /// is given.
    async fn verify(
        &mut self,
        point: Option<usize>,
        mapping: &Mapping,
        expected: Value,
    ) -> Result<Done, NotDone> {
        let expected = expected.rounded(mapping.decimals);
        let block = block_of(mapping);
        loop {
            let asked_at = Instant::now();
            let read = self.read(&block).await;
            let found = read.map(|cells| decode(mapping, &cells, 0));
            if let Ok(Ok(value)) = found {
                self.found = Some(value);
                let shown = point.map(|point| Shown::now(point, value));
                self.shown = shown.or(self.shown);
            }
            match found {
                Ok(Ok(value)) if value == expected => {
                    return Ok(Done { old: None, new: Some(value) });
                }
                Err(error) if error.reach() != Reach::Answered => {
                    return Err(self.unread(error));
                }
                _ if pause(asked_at, self.assignment.until).await => {}
                Ok(Ok(value)) => {
                    return Err(self.unverified(format!("{value} was read, not {expected}")));
                }
                Ok(Err(reason)) => return Err(self.unverified(reason)),
                Err(error) => return Err(self.unread(error)),
            }
        }
    }

    async fn read(&mut self, block: &Block) -> Result<Cells, ReadError> {
        // A board may hang up after each answer.
        self.line.begin_round();
        self.line.read(self.target.unit, block, self.patience).await
    }

    /// Nobody knows what became of a write if nothing at all was read back.
    fn unread(&self, detail: impl ToString) -> NotDone {
        match self.found {
            Some(_) => self.unverified(detail),
            None => not_done(Failure::DeviceTimeout, detail),
        }
    }

    fn unverified(&self, detail: impl ToString) -> NotDone {
        NotDone { found: self.found, ..not_done(Failure::NotVerified, detail) }
    }
}

/// Waits before the board is asked once more; says no where there is no time for that.
async fn pause(asked_at: Instant, until: Instant) -> bool {
    let again_at = Instant::now() + READ_BACK_EVERY;
    let is_time = again_at + asked_at.elapsed() < until;
    if is_time {
        sleep_until(again_at).await;
    }
    is_time
}

/// What an unconfirmed write means: refused, never sent, or unknown.
fn unwritten(error: WriteError) -> NotDone {
    let failure = match error {
        WriteError::Exception(NO_PATH) | WriteError::Away(_) => Failure::DeviceOffline,
        WriteError::Exception(NO_ANSWER) | WriteError::Unconfirmed(_) => Failure::DeviceTimeout,
        WriteError::Exception(_) => Failure::DeviceRefused,
    };
    not_done(failure, error)
}

fn invalid(error: impl ToString) -> NotDone {
    not_done(Failure::InvalidParam, error)
}

fn not_done(failure: Failure, detail: impl ToString) -> NotDone {
    NotDone { failure, detail: Some(detail.to_string()), found: None }
}

fn block_of(mapping: &Mapping) -> Block {
    let (area, start, count) = (mapping.area, mapping.address, mapping.width());
    Block { area, start, count, points: Vec::new(), has_holes: false }
}

fn registers(start: u16, count: u16) -> Block {
    let (area, points) = (Area::HoldingRegister, Vec::new());
    Block { area, start, count, points, has_holes: false }
}

/// A board is given this time to obey between two looks at what it does.
const READ_BACK_EVERY: Duration = Duration::from_millis(25);

/// Modbus exception 5: the board has begun, and needs longer than it may take to answer.
const ACKNOWLEDGED: u8 = 5;
