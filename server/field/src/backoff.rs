//! How long a board that does not answer is left alone.

use std::time::Duration;

use tokio::time::Instant;

/// Counts the polls in a row that brought no answer.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// Whether the board is not to be asked at `now`.
    pub(crate) fn holds(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    pub(crate) fn fail(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + delay(self.failures));
    }

    pub(crate) fn succeed(&mut self) {
        *self = Self::default();
    }
}

fn delay(failures: u32) -> Duration {
    let doubled = failures.checked_sub(PATIENT_POLLS + 1);
    doubled.map_or(Duration::ZERO, |doubled| {
        FIRST_DELAY.saturating_mul(2u32.saturating_pow(doubled)).min(LONGEST_DELAY)
    })
}

/// A board that stumbles is asked again at the very next poll.
const PATIENT_POLLS: u32 = 3;

const FIRST_DELAY: Duration = Duration::from_millis(250);

/// Operators are promised live values within three seconds of a board's return.
const LONGEST_DELAY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_is_asked_less_and_less_but_never_given_up() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        assert!(!backoff.holds(now), "nothing has failed yet");
        for expected in [0, 0, 0, 250, 500, 1000, 2000, 2000] {
            backoff.fail(now);
            let until = now + Duration::from_millis(expected);
            assert!(!backoff.holds(until), "asked again after {expected} ms");
            assert!(expected == 0 || backoff.holds(until - Duration::from_millis(1)));
        }
        (0..100).for_each(|_| backoff.fail(now));
        assert!(!backoff.holds(now + LONGEST_DELAY));
    }

    #[test]
    fn an_answer_ends_the_waiting() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        (0..9).for_each(|_| backoff.fail(now));
        backoff.succeed();
        assert!(!backoff.holds(now));
    }
}
