//! What is kept of the last minutes, in memory: where a Station that starts again takes up.
//!
//! The disk keeps the same, a moment later (S0-67). A Station that fails within a living process
//! never waits for it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use protocol::command::{CommandRecord, OrderKey};
use protocol::id::{ConnectionId, DeviceId};
use protocol::journal::{Entry, Facts, Happened, Past, Run, Stay};
use protocol::time::Timestamp;

/// Key events, facts and stays, each as of its last entry.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    commands: BTreeMap<OrderKey, CommandRecord>,
    events: VecDeque<Happened>,
    known: BTreeMap<DeviceId, Facts>,
    runs: Vec<Run>,
    stays: BTreeMap<ConnectionId, Stay>,
    /// Entries since the stays were last looked through.
    unseen: usize,
}

impl Journal {
    /// Goes on from what an earlier process left behind at `at`: all its sockets are closed.
    pub fn after(past: Past, at: Timestamp) -> Self {
        let closed = |stay: Stay| Stay { left: stay.left.or(Some(at)), ..stay };
        let stays = past.stays.into_iter().map(closed);
        let commands = past.commands.into_iter();
        Self {
            commands: commands.map(|record| (record.order.key.clone(), record)).collect(),
            events: past.events.into(),
            known: past.known,
            runs: past.runs,
            stays: stays.map(|stay| (stay.connection.clone(), stay)).collect(),
            unseen: 0,
        }
    }

    pub fn keep(&mut self, entry: Entry) {
        match entry {
            Entry::Began { at, epoch } => {
                self.runs.push(Run { epoch, started_at: at, alive_at: at });
            }
            Entry::Happened(happened) => self.events.push_back(happened),
            Entry::Known { device, facts } => drop(self.known.insert(device, facts)),
            Entry::Stayed(stay) => drop(self.stays.insert(stay.connection.clone(), stay)),
        }
        self.unseen += 1;
    }

    /// An order, as far as it has come.
    pub fn record(&mut self, record: CommandRecord) {
        self.commands.insert(record.order.key.clone(), record);
        self.unseen += 1;
    }

    /// The Station runs, and lets go of what is too old.
    pub fn alive(&mut self, at: Timestamp) {
        if let Some(run) = self.runs.last_mut() {
            run.alive_at = at;
        }
        if self.unseen > LOOK_EVERY {
            self.forget(at);
        }
    }

    /// What a Station that starts now takes up.
    pub fn past(&mut self, now: Timestamp) -> Past {
        self.forget(now);
        Past {
            commands: self.commands.values().cloned().collect(),
            events: self.events.iter().cloned().collect(),
            known: self.known.clone(),
            runs: self.runs.clone(),
            stays: self.stays.values().cloned().collect(),
        }
    }

    fn forget(&mut self, now: Timestamp) {
        self.unseen = 0;
        let is_kept = |at: Timestamp| now.since(at) <= KEPT_FOR;
        while self.events.front().is_some_and(|happened| !is_kept(happened.at)) {
            self.events.pop_front();
        }
        let surplus = self.events.len().saturating_sub(MOST_EVENTS);
        self.events.drain(..surplus);
        self.stays.retain(|_, stay| stay.left.is_none_or(is_kept));
        // An order without outcome gets one, however late.
        self.commands.retain(|_, record| {
            record.outcome.is_none() || now.since(record.accepted_at) <= COMMANDS_KEPT_FOR
        });
        let last = self.runs.last().cloned();
        self.runs.retain(|run| is_kept(run.alive_at) || Some(run) == last.as_ref());
    }
}

/// S0-65
const KEPT_FOR: Duration = Duration::from_secs(300);

/// So long the same id is the same order (`native-wire` 8).
const COMMANDS_KEPT_FOR: Duration = Duration::from_secs(600);

/// A clock that was set back must not let the memory grow.
const MOST_EVENTS: usize = 100_000;

const LOOK_EVERY: usize = 1_024;

#[cfg(test)]
mod tests {
    use protocol::frame::{KeyEvent, Offset, StateChanged};
    use protocol::small::SmallMap;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn happened(seconds: u64) -> Entry {
        let change = StateChanged {
            at: at(seconds),
            new: "fault".into(),
            old: "working".into(),
            what: "device_status".into(),
        };
        Entry::Happened(Happened {
            at: at(seconds),
            epoch: "e1".parse().unwrap(),
            event: KeyEvent::StateChanged(change),
            offset: Offset(seconds),
            stream: "device/board-1".parse().unwrap(),
        })
    }

    fn stay(name: &str, left: Option<u64>) -> Stay {
        Stay {
            bases: SmallMap::default(),
            connection: name.parse().unwrap(),
            device: "board-1".parse().unwrap(),
            left: left.map(at),
            user: None,
        }
    }

    #[test]
    fn five_minutes_are_kept_and_whoever_is_here_for_longer() {
        // S0-65
        let mut journal = Journal::default();
        journal.keep(Entry::Began { at: at(0), epoch: "e1".parse().unwrap() });
        for seconds in [100, 200, 300] {
            journal.keep(happened(seconds));
        }
        journal.keep(Entry::Stayed(stay("here", None)));
        journal.keep(Entry::Stayed(stay("gone", Some(100))));
        journal.keep(Entry::Stayed(stay("away", Some(300))));
        let past = journal.past(at(500));
        let offsets: Vec<_> = past.events.iter().map(|event| event.offset.0).collect();
        let names: Vec<_> = past.stays.iter().map(|stay| stay.connection.as_str()).collect();
        assert_eq!((offsets, names), (vec![200, 300], vec!["away", "here"]));
        assert_eq!(past.runs.len(), 1, "the last run is never forgotten");
    }

    #[test]
    fn whoever_was_here_when_the_process_ended_has_left_with_it() {
        let past = Past { stays: vec![stay("a", None), stay("b", Some(7))], ..Past::default() };
        let past = Journal::after(past, at(9)).past(at(9));
        let left: Vec<_> = past.stays.iter().map(|stay| stay.left).collect();
        assert_eq!(left, [Some(at(9)), Some(at(7))]);
    }

    #[test]
    fn later_facts_replace_the_earlier() {
        let mut journal = Journal::default();
        let known = |value: &str| Entry::Known {
            device: "board-1".parse().unwrap(),
            facts: [("device_status".to_owned(), value.to_owned())].into(),
        };
        journal.keep(known("working"));
        journal.keep(known("fault"));
        let past = journal.past(at(0));
        let device: DeviceId = "board-1".parse().unwrap();
        assert_eq!(past.known[&device]["device_status"], "fault");
    }
}
