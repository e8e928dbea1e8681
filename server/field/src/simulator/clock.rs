//! The clock of a simulated board: it runs on from what it was set to.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

use crate::clock::{self, WIDTH};

/// A clock, by what it would have shown when the board was switched on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(DateTime);

impl Default for Clock {
    /// As clocks are whose battery was empty.
    fn default() -> Self {
        Self(date(2000, 1, 1).at(0, 0, 0, 0))
    }
}

impl Clock {
    /// What it shows so long after the board was switched on.
    pub(super) fn registers(&self, elapsed: Duration) -> [u16; WIDTH] {
        clock::show(self.0.saturating_add(signed(elapsed)))
    }

    /// Sets it; what is no time is ignored.
    pub(super) fn set(&mut self, registers: [u16; WIDTH], elapsed: Duration) {
        if let Some(time) = clock::read(registers) {
            self.0 = time.saturating_sub(signed(elapsed));
        }
    }
}

fn signed(elapsed: Duration) -> SignedDuration {
    SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX)
}
