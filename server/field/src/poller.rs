//! Polls the boards of one channel on time and reports what they said.

use std::pin::pin;
use std::time::Duration;

use protocol::command::{Failure, OrderKey};
use protocol::job::{Execution, Job};
use protocol::report::{Reach, Report};
use tokio::sync::{OwnedMutexGuard, mpsc, watch};
use tokio::time::{self, Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::device::{PolledDevice, Visit};
use crate::errand::Shown;
use crate::line::{Line, Patience};
use crate::map::{ChannelConfig, LONGEST_POLL, SHORTEST_POLL};
use crate::work::{Assignment, Desk, JobInbox};

/// What a poller tells.
#[derive(Clone, Debug)]
pub enum News {
    Polled(Polled),
    /// The effect of an order was read back, beside the polls.
    ReadBack {
        report: Report,
        at: Instant,
    },
    /// What came of a job; what was read back is told before.
    Executed {
        key: OrderKey,
        execution: Execution,
    },
}

/// What a poll brought home, and how it came about.
#[derive(Clone, Debug)]
pub struct Polled {
    pub report: Report,
    /// When the answer was complete, or given up.
    pub at: Instant,
    pub took: Duration,
}

/// Polls until `stop`, at the interval that `pace` says; ends also when nobody hears its news.
///
/// A job goes before the next read, and has an outcome by the end of its time. A full `outbox`
/// holds everything up: readings come later then, but none are lost.
pub async fn run(
    config: ChannelConfig,
    pace: watch::Receiver<Duration>,
    jobs: JobInbox,
    outbox: mpsc::Sender<News>,
    stop: CancellationToken,
) {
    let poll = async {
        // Ends once nobody hears its news.
        let _ = Poller::new(config, jobs.take().await, outbox).poll_on_time(pace).await;
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = poll => {}
    }
}

struct Poller {
    line: Line,
    devices: Vec<PolledDevice>,
    config: ChannelConfig,
    desk: OwnedMutexGuard<Desk>,
    outbox: mpsc::Sender<News>,
}

/// Nobody hears the poller's news.
type Unheard = mpsc::error::SendError<News>;

impl Poller {
    fn new(
        mut config: ChannelConfig,
        desk: OwnedMutexGuard<Desk>,
        outbox: mpsc::Sender<News>,
    ) -> Self {
        let line = Line::new(config.transport.clone());
        let targets = std::mem::take(&mut config.targets);
        let devices = targets.into_iter().map(PolledDevice::new).collect();
        Self { line, devices, config, desk, outbox }
    }

    async fn poll_on_time(mut self, mut pace: watch::Receiver<Duration>) -> Result<(), Unheard> {
        let mut last = Instant::now();
        let mut interval = within_range(*pace.borrow_and_update());
        let mut ticks = ticks(last, interval);
        loop {
            let limit = self.config.timeout_at(interval);
            tokio::select! {
                assignment = self.desk.next() => {
                    self.execute(assignment, limit).await?;
                }
                tick = ticks.tick() => {
                    last = tick;
                    self.poll_all(tick, limit).await?;
                }
                changed = next_pace(&mut pace) => {
                    interval = changed;
                    ticks = self::ticks(last + interval, interval);
                }
            }
        }
    }

    /// Each report leaves as soon as its device is read, not when the slowest is.
    async fn poll_all(&mut self, tick: Instant, limit: Duration) -> Result<(), Unheard> {
        self.line.begin_round();
        for place in 0..self.devices.len() {
            let began = Instant::now();
            if let Some(report) = self.poll(place, tick, limit).await? {
                let at = Instant::now();
                let polled = Polled { report, at, took: at - began };
                self.outbox.send(News::Polled(polled)).await?;
            }
        }
        Ok(())
    }

    async fn poll(
        &mut self,
        place: usize,
        tick: Instant,
        limit: Duration,
    ) -> Result<Option<Report>, Unheard> {
        let visit = self.devices.get(place).and_then(|device| device.begin(tick));
        let Some(mut visit) = visit else { return Ok(None) };
        loop {
            self.execute_waiting(place, &mut visit, limit).await?;
            let Some(device) = self.devices.get_mut(place) else { return Ok(None) };
            let Some(block) = visit.next() else { return Ok(Some(device.end(visit, tick))) };
            let reading = self.line.read(device.unit(), &block, Patience { limit, until: None });
            let answer = meanwhile(&mut self.desk, &self.outbox, reading).await?;
            device.take(&mut visit, block, answer);
        }
    }

    /// Carries out the jobs that wait just now, in the middle of a visit to the device at `place`.
    async fn execute_waiting(
        &mut self,
        place: usize,
        visit: &mut Visit,
        limit: Duration,
    ) -> Result<(), Unheard> {
        // No more than those, or an endless row of jobs would leave the plant unread.
        for _ in 0..self.desk.len() {
            let Some(assignment) = self.desk.pop() else { return Ok(()) };
            let task = assignment.job.task.clone();
            if self.execute(assignment, limit).await? == Some(place)
                && let Some(device) = self.devices.get(place)
            {
                device.read_again(visit, &task);
            }
        }
        Ok(())
    }

    /// Carries out one job, unless its time has passed; tells at which device.
    async fn execute(
        &mut self,
        assignment: Assignment,
        limit: Duration,
    ) -> Result<Option<usize>, Unheard> {
        let is_asked = |device: &PolledDevice| *device.id() == assignment.job.device;
        let place = self.devices.iter().position(is_asked);
        let device = place.and_then(|place| self.devices.get(place));
        let is_late = assignment.until <= Instant::now();
        let (execution, shown) = match device {
            _ if is_late => (not_begun(Failure::Expired), None),
            None => (not_begun(Failure::NotSupported), None),
            Some(device) => {
                let work = device.execute(&mut self.line, &assignment, limit);
                meanwhile(&mut self.desk, &self.outbox, work).await?
            }
        };
        let Assignment { job: Job { key, device, .. }, .. } = assignment;
        if let Some(Shown { point, value, at }) = shown {
            let results = vec![(point, Ok(value))];
            let report = Report { device, reach: Reach::Answered, results };
            self.outbox.send(News::ReadBack { report, at }).await?;
        }
        self.outbox.send(News::Executed { key, execution }).await?;
        Ok(place)
    }
}

/// Does some work, while jobs whose time passes as they wait for it are told to be too late.
async fn meanwhile<T>(
    desk: &mut Desk,
    outbox: &mpsc::Sender<News>,
    work: impl Future<Output = T>,
) -> Result<T, Unheard> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            expired = desk.next_expired() => {
                let (key, execution) = (expired.job.key, not_begun(Failure::Expired));
                outbox.send(News::Executed { key, execution }).await?;
            }
        }
    }
}

fn not_begun(failure: Failure) -> Execution {
    Execution { result: Err(failure.into()), written_after: None }
}

/// Ticks that do not drift; those that come too late are left out.
fn ticks(first: Instant, interval: Duration) -> Interval {
    let mut ticks = time::interval_at(first, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

async fn next_pace(pace: &mut watch::Receiver<Duration>) -> Duration {
    match pace.changed().await {
        Ok(()) => within_range(*pace.borrow_and_update()),
        // Nobody can change it any more.
        Err(_) => std::future::pending().await,
    }
}

fn within_range(interval: Duration) -> Duration {
    interval.clamp(SHORTEST_POLL, LONGEST_POLL)
}
