//! The boards of the plant, as far as orders go: they take their time, or never answer.

use std::time::Duration;

use protocol::command::{Failure, OrderKey};
use protocol::job::{Done, Execution, Job, NotDone, Task};
use protocol::reading::Value;
use protocol::time::Instant;

#[derive(Default)]
pub(crate) struct Field {
    /// How long a board takes for an order. One that takes longer than it may is never heard of.
    pub(crate) delay: Duration,
    under_way: Vec<UnderWay>,
    /// Every order that was carried out, each as often as it was.
    pub(crate) written: Vec<OrderKey>,
}

struct UnderWay {
    key: OrderKey,
    write_at: Instant,
    is_written: bool,
    tell_at: Instant,
    execution: Execution,
}

impl Field {
    pub(crate) fn new(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    pub(crate) fn start(&mut self, job: Job, now: Instant) {
        let new = match job.task {
            Task::Write { expected, .. } => Some(expected),
            Task::Pace(interval) => Some(Value::Number(interval.as_secs_f64())),
            Task::SetClock { .. } | Task::Forward { .. } => None,
        };
        let in_time = self.delay < job.within;
        let result = match in_time {
            true => Ok(Done { old: None, new }),
            false => Err(NotDone::from(Failure::DeviceTimeout)),
        };
        let written_after = in_time.then_some(self.delay / 2);
        self.under_way.push(UnderWay {
            key: job.key,
            write_at: now + self.delay / 2,
            is_written: false,
            tell_at: now + self.delay.min(job.within),
            execution: Execution { result, written_after },
        });
    }

    pub(crate) fn wake_at(&self) -> Option<Instant> {
        let next = |job: &UnderWay| match job.is_written {
            true => job.tell_at,
            false => job.write_at.min(job.tell_at),
        };
        self.under_way.iter().map(next).min()
    }

    /// Writes what is due; the answer: what the poller has to tell.
    pub(crate) fn work(&mut self, now: Instant) -> Vec<(OrderKey, Execution)> {
        for job in self.under_way.iter_mut().filter(|job| job.write_at <= now) {
            if !std::mem::replace(&mut job.is_written, true) {
                self.written.push(job.key.clone());
            }
        }
        let done = self.under_way.extract_if(.., |job| job.tell_at <= now);
        done.map(|job| (job.key, job.execution)).collect()
    }

    /// The process is no more: what was not written by now never is.
    pub(crate) fn crash(&mut self) {
        self.under_way.clear();
    }
}
