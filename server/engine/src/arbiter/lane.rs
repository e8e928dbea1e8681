//! The queue before one channel: one order at a time, the highest origin first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use protocol::command::{OrderKey, Origin};
use protocol::time::Instant;

/// The orders of a channel whose intent is on record.
#[derive(Debug, Default)]
pub(super) struct Lane {
    executing: Option<Executing>,
    waiting: BTreeMap<Place, OrderKey>,
    arrivals: u64,
}

/// Higher origins come first, and among equals whoever came first (S0-28).
type Place = (Reverse<Origin>, u64);

#[derive(Debug)]
struct Executing {
    key: OrderKey,
    /// By then the field has told what came of it, or never will.
    until: Instant,
}

impl Lane {
    pub(super) fn wait(&mut self, key: OrderKey) {
        self.arrivals += 1;
        self.waiting.insert((Reverse(key.origin), self.arrivals), key);
    }

    /// The order whose turn it is; it no longer waits.
    pub(super) fn next(&mut self) -> Option<OrderKey> {
        if self.executing.is_some() {
            return None;
        }
        self.waiting.pop_first().map(|(_, key)| key)
    }

    pub(super) fn start(&mut self, key: OrderKey, until: Instant) {
        self.executing = Some(Executing { key, until });
    }

    /// The field is done with an order; whether the channel is free by it.
    pub(super) fn finish(&mut self, key: &OrderKey) -> bool {
        let is_it = self.executing.as_ref().is_some_and(|executing| executing.key == *key);
        if is_it {
            self.executing = None;
        }
        is_it
    }

    /// An order does not wait any more.
    pub(super) fn leave(&mut self, key: &OrderKey) {
        self.waiting.retain(|_, waiting| waiting != key);
    }

    pub(super) fn given_up_at(&self) -> Option<Instant> {
        self.executing.as_ref().map(|executing| executing.until)
    }

    /// Goes on without an order of which the field says nothing; whether there was one.
    pub(super) fn give_up(&mut self, now: Instant) -> bool {
        let is_late = self.given_up_at().is_some_and(|until| until <= now);
        if is_late {
            self.executing = None;
        }
        is_late
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(origin: usize, id: usize) -> OrderKey {
        OrderKey {
            origin: Origin::ALL[origin],
            user: "li".into(),
            device: "board-1".parse().unwrap(),
            id: id.to_string(),
        }
    }

    proptest! {
        /// S0-28: arbitration is a total order, whatever comes in whatever order.
        #[test]
        fn higher_origins_go_first_and_equals_as_they_came(
            origins in prop::collection::vec(0..3usize, 0..40),
        ) {
            let mut lane = Lane::default();
            for (id, origin) in origins.iter().enumerate() {
                lane.wait(key(*origin, id));
            }
            let mut sorted: Vec<_> = origins.iter().copied().enumerate().collect();
            sorted.sort_by_key(|(id, origin)| (Reverse(*origin), *id));
            for (id, origin) in sorted {
                prop_assert_eq!(lane.next(), Some(key(origin, id)));
            }
            prop_assert_eq!(lane.next(), None);
        }
    }

    #[test]
    fn one_order_at_a_time_and_none_for_ever() {
        let mut lane = Lane::default();
        lane.wait(key(0, 1));
        lane.wait(key(0, 2));
        let first = lane.next().unwrap();
        lane.start(first.clone(), Instant::from_millis(500));
        assert_eq!(lane.next(), None);
        assert!(!lane.finish(&key(0, 2)) && lane.finish(&first));
        let second = lane.next().unwrap();
        lane.start(second, Instant::from_millis(900));
        assert!(
            !lane.give_up(Instant::from_millis(899)) && lane.give_up(Instant::from_millis(900))
        );
    }
}
