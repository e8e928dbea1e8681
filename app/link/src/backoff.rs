//! How long until the next try.

use std::time::Duration;

use crate::policy::Policy;

/// Counts the tries of a series and spreads them, so that a thousand pages do not return at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: Policy,
    dice: Dice,
    tries: u32,
}

/// When to try again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pause {
    /// The series goes on.
    Short(Duration),
    /// All tries of the series failed.
    Long(Duration),
}

impl Backoff {
    pub(crate) fn new(policy: Policy, seed: u64) -> Self {
        Self { policy, dice: Dice(seed), tries: 0 }
    }

    /// Tries of this series so far.
    pub(crate) fn tries(&self) -> u32 {
        self.tries
    }

    /// Takes note of a try.
    pub(crate) fn on_try(&mut self) {
        self.tries = self.tries.saturating_add(1);
    }

    /// Takes note of a connection that stood this long; a short stay changes nothing.
    pub(crate) fn on_stay(&mut self, stay: Duration) {
        if stay >= self.policy.short_stay {
            self.restart();
        }
    }

    /// Starts a new series.
    pub(crate) fn restart(&mut self) {
        self.tries = 0;
    }

    /// How long to wait before the next try.
    pub(crate) fn pause(&mut self) -> Pause {
        if self.tries >= self.policy.tries {
            return Pause::Long(self.policy.slow_retry);
        }
        let (shortest, longest) = match self.tries {
            0 => self.policy.first_retry,
            _ => self.spread(),
        };
        Pause::Short(self.dice.between(shortest, longest))
    }

    fn spread(&self) -> (Duration, Duration) {
        let margin = self.policy.retry * self.policy.spread.min(100) / 100;
        (self.policy.retry - margin, self.policy.retry + margin)
    }
}

/// `splitmix64`: numbers that differ from client to client are all that is asked of it.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let width = longest.saturating_sub(shortest).as_millis();
        let width = u64::try_from(width).unwrap_or(u64::MAX).saturating_add(1);
        shortest + Duration::from_millis(self.roll() % width)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(tries: u32, seed: u64) -> Pause {
        let mut backoff = Backoff::new(Policy::native(), seed);
        (0..tries).for_each(|_| backoff.on_try());
        backoff.pause()
    }

    #[test]
    fn a_series_has_ten_tries() {
        // S0-43
        for tries in 0..10 {
            assert!(matches!(after(tries, 1), Pause::Short(_)), "after {tries} tries");
        }
        for tries in [10, 11, 500] {
            assert_eq!(after(tries, 1), Pause::Long(60 * SECOND), "after {tries} tries");
        }
    }

    #[test]
    fn a_short_stay_is_no_success() {
        for (stay, tries) in [(4 * SECOND, 1), (5 * SECOND, 0)] {
            let mut backoff = Backoff::new(Policy::native(), 1);
            backoff.on_try();
            backoff.on_stay(stay);
            assert_eq!(backoff.tries(), tries, "after a stay of {stay:?}");
        }
    }

    proptest! {
        #[test]
        fn the_first_try_follows_within_a_second(seed: u64) {
            let Pause::Short(pause) = after(0, seed) else { panic!("ten tries are left") };
            prop_assert!((SECOND / 5..=SECOND).contains(&pause), "{pause:?}");
        }

        #[test]
        fn further_tries_follow_every_five_seconds_give_or_take_one(seed: u64, tries in 1..10u32) {
            // S0-42
            let Pause::Short(pause) = after(tries, seed) else { panic!("tries are left") };
            prop_assert!((4 * SECOND..=6 * SECOND).contains(&pause), "{pause:?}");
        }
    }

    #[test]
    fn clients_of_different_seeds_do_not_return_together() {
        let pauses: std::collections::HashSet<_> =
            (0..100).map(|seed| format!("{:?}", after(0, seed))).collect();
        assert!(pauses.len() > 50, "only {} different pauses", pauses.len());
    }
}
