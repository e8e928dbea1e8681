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
    of_user: BTreeMap<Giver, usize>,
    /// Orders that were never accepted, or are not repeated: they take no room from the others.
    brief: BTreeMap<Giver, VecDeque<(Instant, Order, Reply)>>,
}

type Giver = (Origin, String);

impl Memory {
    /// Remembers an order that was accepted at `since`. Each of PSCADA has an id of its own: of those
    /// only the latest are remembered, and there may be any number.
    pub(super) fn note(&mut self, order: Order, reply: Reply, since: Instant) {
        if order.key.origin == Origin::Pscada {
            self.note_briefly(order, reply, since);
            return;
        }
        let key = order.key.clone();
        let giver = giver(&key);
        if self.known.insert(key.clone(), (order, reply)).is_none() {
            *self.of_user.entry(giver).or_default() += 1;
            self.ages.push_back((since, key));
        }
    }

    /// Remembers an order that was refused at `since`, or is not repeated, in place of the giver's oldest where there is
    /// no room; whether there was room.
    pub(super) fn note_briefly(&mut self, order: Order, reply: Reply, since: Instant) -> bool {
        let refused = self.brief.entry(giver(&order.key)).or_default();
        let has_room = refused.len() < MOST_BRIEF;
        if !has_room {
            refused.pop_front();
        }
        refused.push_back((since, order, reply));
        has_room
    }

    pub(super) fn recall(&self, key: &OrderKey) -> Option<(&Order, &Reply)> {
        if let Some((order, reply)) = self.known.get(key) {
            return Some((order, reply));
        }
        let mut refused = self.brief.get(&giver(key))?.iter();
        let found = refused.find(|(_, order, _)| order.key == *key);
        found.map(|(_, order, reply)| (order, reply))
    }

    /// Whether as many orders of this giver were accepted as are remembered of one.
    pub(super) fn is_full(&self, key: &OrderKey) -> bool {
        self.of_user.get(&giver(key)).is_some_and(|count| *count >= MOST_OF_ONE)
    }

    /// Lets go of what is too old to be repeated.
    pub(super) fn forget(&mut self, now: Instant) {
        while let Some((since, key)) = self.ages.front()
            && now.since(*since) > KEPT_FOR
        {
            self.known.remove(key);
            let giver = giver(key);
            if let Some(count) = self.of_user.get_mut(&giver) {
                *count -= 1;
                if *count == 0 {
                    self.of_user.remove(&giver);
                }
            }
            self.ages.pop_front();
        }
        self.brief.retain(|_, refused| {
            let young = refused.iter().position(|(since, ..)| now.since(*since) <= KEPT_FOR);
            refused.drain(..young.unwrap_or(refused.len()));
            !refused.is_empty()
        });
    }
}

fn giver(key: &OrderKey) -> Giver {
    (key.origin, key.user.clone())
}

/// `native-wire` 8: as long as this the same id is the same order.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// Eight orders a second, for ten minutes.
const MOST_OF_ONE: usize = 5_000;

/// Orders of one giver that are remembered beside those that count.
const MOST_BRIEF: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn order(origin: Origin, id: usize) -> Order {
        let device = "board-1".parse().unwrap();
        let key = OrderKey { origin, user: "li".into(), device, id: id.to_string() };
        Order { key, command: "STOP".into(), param: None, valid_until: None, via: String::new() }
    }

    #[test]
    fn refused_orders_take_no_room_from_others() {
        let mut memory = Memory::default();
        let first = order(Origin::Local, MOST_OF_ONE);
        memory.note(first.clone(), Reply::IdReused, Instant::from_millis(0));
        for id in 0..MOST_OF_ONE {
            let refused = order(Origin::Local, id);
            let has_room = memory.note_briefly(refused, Reply::IdReused, Instant::from_millis(0));
            assert_eq!(has_room, id < MOST_BRIEF);
        }
        assert!(!memory.is_full(&first.key));
        let is_known = |id| memory.recall(&order(Origin::Local, id).key).is_some();
        assert!(!is_known(0) && is_known(MOST_OF_ONE - 1) && is_known(MOST_OF_ONE));
        memory.forget(Instant::from_millis(600_001));
        assert!(memory.brief.is_empty() && memory.known.is_empty());
    }

    #[test]
    fn accepted_orders_have_their_limit_and_those_of_pscada_need_none() {
        for (origin, expected) in [(Origin::Local, true), (Origin::Pscada, false)] {
            let mut memory = Memory::default();
            for id in 0..MOST_OF_ONE {
                assert!(!memory.is_full(&order(origin, id).key));
                memory.note(order(origin, id), Reply::IdReused, Instant::from_millis(0));
            }
            assert_eq!(memory.is_full(&order(origin, 0).key), expected, "{origin}");
        }
    }
}
