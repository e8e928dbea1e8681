//! The machine's monotonic clock, which the server's stamps count on too, and the link's two times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::time::{Clock, Instant, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// Microseconds of CLOCK_MONOTONIC: one clock for all processes of this machine.
pub fn micros() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, nanos) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
    seconds.saturating_mul(1_000_000).saturating_add(nanos / 1_000)
}

/// The present moment as the link knows it.
pub fn now() -> Instant {
    Instant::from_millis(micros() / 1_000)
}

/// The wall clock, in milliseconds.
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A clock that tells the wall-clock time of the link's moments.
pub fn clock() -> Clock {
    Clock::new(now(), wall())
}

/// How long it is until `at`; zero if it has passed.
pub fn until(at: Instant) -> Duration {
    let due = at.as_millis().saturating_mul(1_000);
    Duration::from_micros(due.saturating_sub(micros()))
}
