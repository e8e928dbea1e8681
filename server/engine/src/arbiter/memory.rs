//! The orders that have come to their end, and what was answered: for ten minutes (S0-60).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use protocol::command::{Order, OrderKey, Origin, Reply};
use protocol::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Memory {
    known: BTreeMap<OrderKey, (Order, Reply)>,
    /// In the order of their ends.
    ages: VecDeque<(Instant, OrderKey)>,
    of_user: BTreeMap<(Origin, String), usize>,
}

impl Memory {
    /// Remembers an order that was accepted at `since`.
    pub(super) fn note(&mut self, order: Order, reply: Reply, since: Instant) {
        let key = order.key.clone();
        let giver = (key.origin, key.user.clone());
        if self.known.insert(key.clone(), (order, reply)).is_none() {
            *self.of_user.entry(giver).or_default() += 1;
            self.ages.push_back((since, key));
        }
    }

    pub(super) fn recall(&self, key: &OrderKey) -> Option<&(Order, Reply)> {
        self.known.get(key)
    }

    /// Whether this giver has given as many orders as are remembered of one.
    pub(super) fn is_full(&self, key: &OrderKey) -> bool {
        let giver = (key.origin, key.user.clone());
        self.of_user.get(&giver).is_some_and(|count| *count >= MOST_OF_ONE)
    }

    /// Lets go of what is too old to be repeated.
    pub(super) fn forget(&mut self, now: Instant) {
        while let Some((since, key)) = self.ages.front()
            && now.since(*since) > KEPT_FOR
        {
            self.known.remove(key);
            let giver = (key.origin, key.user.clone());
            if let Some(count) = self.of_user.get_mut(&giver) {
                *count -= 1;
                if *count == 0 {
                    self.of_user.remove(&giver);
                }
            }
            self.ages.pop_front();
        }
    }
}

/// `native-wire` 8: as long as this the same id is the same order.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// Eight orders a second, for ten minutes.
const MOST_OF_ONE: usize = 5_000;
