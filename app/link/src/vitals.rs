//! How the connection has fared since the page was opened.

use std::time::Duration;

use protocol::time::{Instant, Timestamp};

use crate::status::Ending;

/// Counts and times that outlive a single connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vitals {
    pub(crate) rtt: Option<Duration>,
    /// Frames found missing.
    pub(crate) lost: u64,
    /// Of these, how many came after all, or were made up for by a snapshot.
    pub(crate) repaired: u64,
    pub(crate) reconnects: u32,
    pub(crate) tampered: u64,
    pub(crate) data_until: Option<Timestamp>,
    pub(crate) ended: Option<(Ending, Instant)>,
    outage: Option<Outage>,
}

/// The time from a loss until everything is known again.
#[derive(Clone, Copy, Debug)]
struct Outage {
    since: Instant,
    lost: u64,
    repaired: u64,
}

/// What an outage cost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Recovery {
    pub(crate) repaired: u64,
    pub(crate) lost: u64,
    pub(crate) after: Duration,
}

impl Vitals {
    pub(crate) fn lose(&mut self, frames: u64) {
        self.lost = self.lost.saturating_add(frames);
    }

    pub(crate) fn repair(&mut self, frames: u64) {
        self.repaired = self.repaired.saturating_add(frames);
    }

    /// Nobody waits for these frames any more: their numbers are of a time that is over.
    pub(crate) fn forget(&mut self, frames: u64) {
        self.lost = self.lost.saturating_sub(frames);
    }

    /// The data reaches up to this time of the server.
    pub(crate) fn reach(&mut self, at: Timestamp) {
        self.data_until = self.data_until.max(Some(at));
    }

    /// Takes note of a connection's end; one that was live leaves an outage behind.
    ///
    /// Tries that fail meanwhile do not count: the operator wants to know what was lost, and when.
    pub(crate) fn end(&mut self, ending: Ending, was_live: bool, now: Instant) {
        if was_live || self.outage.is_none() {
            self.ended = Some((ending, now));
        }
        self.rtt = None;
        if was_live && self.outage.is_none() {
            let Self { lost, repaired, .. } = *self;
            self.outage = Some(Outage { since: now, lost, repaired });
        }
    }

    /// Takes note of a connection that stands.
    pub(crate) fn stand(&mut self) {
        if self.outage.is_some() {
            self.reconnects = self.reconnects.saturating_add(1);
        }
    }

    /// Ends the outage, if there is one, and says what it cost.
    pub(crate) fn recover(&mut self, now: Instant) -> Option<Recovery> {
        let outage = self.outage.take()?;
        let repaired = self.repaired.saturating_sub(outage.repaired);
        let lost = self.lost.saturating_sub(outage.lost).saturating_sub(repaired);
        Some(Recovery { repaired, lost, after: now.since(outage.since) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_counts_from_the_first_loss_to_the_last_repair() {
        let mut vitals = Vitals::default();
        let at = Instant::from_millis;
        vitals.end(Ending::NoAnswer, false, at(1));
        assert_eq!(vitals.recover(at(2)), None, "nothing was live before");
        vitals.lose(5);
        vitals.repair(5);
        vitals.end(Ending::Silent, true, at(1_000));
        vitals.end(Ending::NoAnswer, false, at(2_000));
        assert_eq!(vitals.ended, Some((Ending::Silent, at(1_000))), "a failed try ends nothing");
        vitals.stand();
        vitals.end(Ending::Silent, true, at(3_000));
        vitals.stand();
        vitals.lose(4);
        vitals.repair(3);
        let cost = Recovery { repaired: 3, lost: 1, after: Duration::from_secs(6) };
        assert_eq!(vitals.recover(at(7_000)), Some(cost));
        assert_eq!((vitals.recover(at(8_000)), vitals.reconnects), (None, 2));
    }
}
