//! A time of which the values are gone for good.

use std::time::Duration;

use protocol::time::Timestamp;

/// The hole that a stream has now, if it has one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hole(Option<Since>);

#[derive(Clone, Copy, Debug)]
struct Since {
    from: Timestamp,
    /// Its key events are told all the same.
    events: bool,
}

impl Hole {
    /// From here on values are missing; one that is open already began earlier.
    pub(crate) fn open(&mut self, from: Timestamp, events: bool) {
        let since = self.0.get_or_insert(Since { from, events });
        since.events &= events;
    }

    /// Nobody knows whether its key events were all told.
    pub(crate) fn doubt_events(&mut self) {
        if let Some(since) = &mut self.0 {
            since.events = false;
        }
    }

    /// Everything is known again: since when it was not, and whether the key events were told.
    pub(crate) fn close(&mut self, to: Timestamp) -> Option<(Timestamp, bool)> {
        let Since { from, events } = self.0.take()?;
        Some((from, events && to.since(from) <= EVENTS_KEPT))
    }
}

/// For as long a server keeps its key events (S0-65): what happened before may be gone.
const EVENTS_KEPT: Duration = Duration::from_secs(300);
