//! Chance that can be had again: the same seed rolls the same numbers.

use std::time::Duration;

/// `splitmix64`.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another series that this seed and `number` decide.
    #[must_use]
    pub fn child(&self, number: u64) -> Self {
        let mut child = Self(self.0 ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
        child.roll();
        child
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where nothing is below it.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll().checked_rem(end).unwrap_or(0)
    }

    /// Whether something of this likelihood happens.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A time from `shortest` to `longest`, in milliseconds.
    pub fn pause(&mut self, shortest: u64, longest: u64) -> Duration {
        let width = longest.saturating_sub(shortest).saturating_add(1);
        Duration::from_millis(shortest.saturating_add(self.below(width)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_rolls_the_same_numbers() {
        let rolls = |seed| {
            let mut chance = Chance::new(seed);
            (0..20).map(|_| chance.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(rolls(7), rolls(7));
        assert_ne!(rolls(7), rolls(8));
        assert_ne!(Chance::new(7).child(1).roll(), Chance::new(7).child(2).roll());
    }

    #[test]
    fn nothing_is_below_nothing() {
        assert_eq!(Chance::new(1).below(0), 0);
        let mut chance = Chance::new(1);
        assert!((0..100).all(|_| chance.below(3) < 3 && !chance.happens(0) && chance.happens(100)));
    }
}
