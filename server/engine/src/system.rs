//! How the server's own parts fare, for the stream `system`.

use std::collections::BTreeMap;

use protocol::frame::{StateChanged, Update};
use protocol::part::{Condition, Part, PartState};
use protocol::time::Timestamp;

/// Every part that ever said how it fares.
#[derive(Debug, Default)]
pub struct System {
    parts: BTreeMap<Part, Condition>,
}

impl System {
    /// Takes in how a part fares; the answer is what to tell, and the event where it turned.
    pub fn set(
        &mut self,
        part: Part,
        condition: Condition,
        at: Timestamp,
    ) -> Option<(Update, Option<StateChanged>)> {
        let old = self.parts.insert(part, condition.clone());
        if old.as_ref() == Some(&condition) {
            return None;
        }
        // A part that was never heard of is taken to have worked.
        let old = old.map_or(PartState::Working, |old| old.state);
        let event = (old != condition.state).then(|| StateChanged {
            at,
            new: condition.state.to_string(),
            old: old.to_string(),
            what: format!("part/{part}"),
        });
        Some((Update { parts: [(part, condition)].into(), ..Update::default() }, event))
    }

    /// Whether a part works, as far as is known.
    pub fn works(&self, part: Part) -> bool {
        self.parts.get(&part).is_none_or(|condition| condition.state == PartState::Working)
    }

    pub fn table(&self) -> Update {
        Update { parts: self.parts.clone(), ..Update::default() }
    }
}
