//! Two kinds of time: the caller's monotonic clock, and the wall clock that goes over the wire.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment of the caller's monotonic clock, in milliseconds since a start that the caller chose.
///
/// Order and age rest on this clock alone: the wall clock may jump.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Instant(u64);

impl Instant {
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it is yet to come.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

/// A moment of the wall clock: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it is yet to come.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Tells the wall-clock time of a monotonic moment, from one pair of both.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    instant: Instant,
    wall: Timestamp,
}

impl Clock {
    /// A clock that showed `wall` at `instant`.
    pub const fn new(instant: Instant, wall: Timestamp) -> Self {
        Self { instant, wall }
    }

    /// The wall-clock time of `moment`; moments before the pair count as the pair itself.
    pub fn at(&self, moment: Instant) -> Timestamp {
        self.wall + moment.since(self.instant)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_never_negative() {
        let (early, late) = (Instant::from_millis(5), Instant::from_millis(9));
        assert_eq!(late.since(early), Duration::from_millis(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn the_clock_tells_the_time_of_later_moments() {
        let clock = Clock::new(Instant::from_millis(10), Timestamp::from_millis(1_000));
        assert_eq!(clock.at(Instant::from_millis(35)), Timestamp::from_millis(1_025));
    }

    #[test]
    fn adding_saturates() {
        let end = Instant::from_millis(u64::MAX);
        assert_eq!(end + Duration::MAX, end);
    }
}
