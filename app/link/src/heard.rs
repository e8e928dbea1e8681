//! Which key events were applied already: each counts once, however often it comes.

use std::collections::{BTreeSet, VecDeque};

use protocol::frame::EventId;

/// The events of one stream that were heard lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    known: BTreeSet<EventId>,
    order: VecDeque<EventId>,
}

impl Heard {
    /// Takes note of an event; `false` if it was heard before.
    pub(crate) fn is_first(&mut self, id: &EventId) -> bool {
        if !self.known.insert(id.clone()) {
            return false;
        }
        self.order.push_back(id.clone());
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

/// More than any plant has in the five minutes for which a server repeats them.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_heard_once_and_memory_is_bounded() {
        let mut heard = Heard::default();
        for number in 0..10_000 {
            let id = format!("e/{number}").parse().unwrap();
            assert!(heard.is_first(&id));
            assert!(!heard.is_first(&id));
        }
        assert_eq!((heard.known.len(), heard.order.len()), (MOST, MOST));
    }
}
