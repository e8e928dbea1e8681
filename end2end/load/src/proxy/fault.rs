//! What can be wrong with a connection.

use std::time::Duration;

use crate::chance::Chance;

/// One way for a line to fail, in both directions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// Everything passes, late by at least so much.
    Delay(Duration),
    /// So many bytes pass in a second.
    Throttle(usize),
    /// The connection is broken at once, without a goodbye.
    Reset,
    /// Connections stand and are taken, but nothing passes and nothing is said; when it is over,
    /// they are broken.
    BlackHole,
    /// The connection ends in the middle of the next frame.
    Truncate,
}

impl Fault {
    /// Any of them.
    pub fn random(chance: &mut Chance) -> Self {
        match chance.below(5) {
            0 => Self::Delay(chance.pause(20, 1_500)),
            1 => Self::Throttle(usize::try_from(chance.below(20_000)).unwrap_or(0).max(200)),
            2 => Self::Reset,
            3 => Self::BlackHole,
            _ => Self::Truncate,
        }
    }
}
