//! Where the machine's clocks become moments of ours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::time::{Clock, Instant, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use tokio::time;

/// Counts milliseconds from its start; everyone in the process shares one.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    start: time::Instant,
    /// What the machine's monotonic clock showed at the start.
    start_micros: u64,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { start: time::Instant::now(), start_micros: monotonic_micros() }
    }

    /// The moment on the machine's monotonic clock, in microseconds, that other programs read too.
    pub fn micros(&self, moment: time::Instant) -> u64 {
        let passed = moment.saturating_duration_since(self.start).as_micros();
        self.start_micros.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    pub(crate) fn micros_at(&self, moment: Instant) -> u64 {
        self.start_micros.saturating_add(moment.as_millis().saturating_mul(1_000))
    }

    pub fn now(&self) -> Instant {
        let millis = self.start.elapsed().as_millis();
        Instant::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// A clock that shows the machine's wall-clock time.
    pub fn clock(&self) -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Clock::new(self.now(), Timestamp::from_millis(u64::try_from(wall).unwrap_or(u64::MAX)))
    }

    /// Sleeps until `moment`; for ever where there is none.
    pub(crate) async fn sleep_until(&self, moment: Option<Instant>) {
        let moment = moment
            .and_then(|moment| self.start.checked_add(Duration::from_millis(moment.as_millis())));
        match moment {
            Some(moment) => time::sleep_until(moment).await,
            None => std::future::pending().await,
        }
    }
}

fn monotonic_micros() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds.saturating_mul(1_000_000) + u64::try_from(time.tv_nsec).unwrap_or_default() / 1_000
}
