//! A token bucket: so many at once, so many a second.

use std::time::Duration;

use protocol::time::Instant;

/// Counts what is let through.
#[derive(Clone, Debug)]
pub struct Throttle {
    burst: u32,
    every: Duration,
    tokens: u32,
    /// When the oldest missing token is due.
    refilled: Instant,
}

impl Throttle {
    /// Lets `burst` through at once and one more `every` so often.
    pub fn new(burst: u32, every: Duration, now: Instant) -> Self {
        Self { burst, every, tokens: burst, refilled: now }
    }

    /// Whether one more may pass now.
    pub fn admit(&mut self, now: Instant) -> bool {
        self.refill(now);
        let admitted = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        admitted
    }

    fn refill(&mut self, now: Instant) {
        let every = self.every.as_millis().max(1);
        let due = now.since(self.refilled).as_millis() / every;
        let due = u32::try_from(due).unwrap_or(u32::MAX);
        self.tokens = self.tokens.saturating_add(due).min(self.burst);
        self.refilled =
            if self.tokens == self.burst { now } else { self.refilled + self.every * due };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_steady_rate() {
        let at = Instant::from_millis;
        let mut throttle = Throttle::new(3, Duration::from_millis(50), at(0));
        let table = [
            (0, true),
            (0, true),
            (0, true),
            (0, false),
            (49, false),
            (50, true),
            (51, false),
            (150, true),
            (150, true),
            (150, false),
        ];
        for (millis, expected) in table {
            assert_eq!(throttle.admit(at(millis)), expected, "at {millis} ms");
        }
    }

    #[test]
    fn a_long_rest_gives_no_more_than_a_burst() {
        let mut throttle = Throttle::new(2, Duration::from_millis(50), Instant::from_millis(0));
        let late = Instant::from_millis(3_600_000);
        let passed = (0..10).filter(|_| throttle.admit(late)).count();
        assert_eq!(passed, 2);
    }
}
