//! Judges, when everything is calm, whether all clients know the truth and missed nothing.

mod chain;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use link::Session;
use protocol::frame::{EventId, Update};
use protocol::id::{DeviceId, Epoch};
use protocol::stream::StreamName;
use protocol::time::Timestamp;

use crate::diary::{Diary, Entry};
use crate::truth::Truth;

/// What one client knows.
#[derive(Clone, Debug)]
pub struct Seen {
    pub device: DeviceId,
    pub epoch: Option<Epoch>,
    pub is_live: bool,
    pub lost: u64,
    pub repaired: u64,
    pub reconnects: u32,
    pub table: Update,
    pub diary: Diary,
}

/// What there is to judge.
#[derive(Debug)]
pub struct Case<'a> {
    pub truth: &'a Truth,
    pub clients: &'a [Seen],
    /// One client for each device that came when all was over.
    pub fresh: &'a [Seen],
    /// When the server was killed.
    pub kills: &'a [Timestamp],
}

impl Seen {
    pub fn of(session: &Session, diary: &mut Diary) -> Self {
        let status = session.status();
        let stream = StreamName::Device(status.device.clone());
        Self {
            is_live: status.is_live(),
            epoch: status.epoch,
            lost: status.lost,
            repaired: status.repaired,
            reconnects: status.reconnects,
            table: session.table(&stream).cloned().unwrap_or_default(),
            device: status.device,
            diary: diary.clone(),
        }
    }

    /// It was told that something may be missing.
    fn was_told(&self) -> bool {
        self.diary.holes.len() > 1 || self.diary.restarts > 0
    }
}

impl Case<'_> {
    /// Everything that is wrong.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for fresh in self.fresh {
            let wrong = self.truth.differs(&fresh.device, &fresh.table);
            complaints
                .extend(wrong.map(|wrong| format!("a newcomer at {}: {wrong}", fresh.device)));
        }
        for (index, client) in self.clients.iter().enumerate() {
            let wrong = self.of_table(client).or_else(|| self.of_counts(client));
            let wrong = wrong.or_else(|| self.of_events(client));
            complaints.extend(wrong.map(|w| format!("client {index} at {}: {w}", client.device)));
        }
        for device in self.truth.shape.devices() {
            complaints.extend(self.of_chains(&device));
        }
        complaints
    }

    fn of_table(&self, client: &Seen) -> Option<String> {
        if !client.is_live {
            return Some("not connected".into());
        }
        let fresh = self.fresh.iter().find(|fresh| fresh.device == client.device)?;
        let differs = || "its table is not a newcomer's".into();
        let wrong = self.truth.differs(&client.device, &client.table);
        wrong.or_else(|| (client.table != fresh.table).then(differs))
    }

    fn of_counts(&self, client: &Seen) -> Option<String> {
        let (lost, repaired) = (client.lost, client.repaired);
        let is_short = lost > repaired && !client.was_told();
        is_short.then(|| format!("{lost} frames lost, {repaired} of them repaired"))
    }

    /// S0-57: each key event exactly once, but for those in a hole that it was told of.
    fn of_events(&self, client: &Seen) -> Option<String> {
        let mut seen = BTreeSet::new();
        let twice = client.diary.events.iter().find(|event| !seen.insert(&event.id));
        if let Some(event) = twice {
            return Some(format!("event {} counted twice", event.id));
        }
        let all = self.events(&client.device);
        let missed = all.values().find(|event| {
            let excuse = client.diary.holes.iter().any(|hole| hole.excuses(event.at));
            !seen.contains(&event.id) && !excuse && !self.is_doubtful(event)
        });
        missed.map(|event| format!("never saw {event:?}; it was told of {:?}", client.diary.holes))
    }

    /// The facts of a device change one step after the other, up to what is true.
    fn of_chains(&self, device: &DeviceId) -> Vec<String> {
        let events: Vec<Entry> = self.events(device).into_values().cloned().collect();
        let mut chains: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for event in &events {
            chains.entry(&event.what).or_default().push(event);
        }
        let judge = chain::Judge {
            is_doubtful: &|event| self.is_doubtful(event),
            epoch: self.fresh.iter().find_map(|fresh| fresh.epoch.as_ref()),
            has_journal: self.clients.iter().any(|client| client.diary.restarts > 0),
        };
        let wrong = chains.into_iter().filter_map(|(what, chain)| {
            judge.complaint(&chain, self.truth.state(device, what).as_deref())
        });
        wrong.map(|wrong| format!("{device}: {wrong}")).collect()
    }

    /// All that any client saw of a device, in the order in which it happened.
    fn events(&self, device: &DeviceId) -> BTreeMap<EventId, &Entry> {
        let clients = self.clients.iter().filter(|client| client.device == *device);
        let events = clients.flat_map(|client| &client.diary.events);
        events.map(|event| (event.id.clone(), event)).collect()
    }

    /// So short before a kill an event may not have reached the disk: it may come again under
    /// another name, or not at all where the board has changed back meanwhile.
    fn is_doubtful(&self, event: &Entry) -> bool {
        self.kills.iter().any(|kill| event.at <= *kill && kill.since(event.at) <= NOT_YET_ON_DISK)
    }
}

/// The promise is 100 ms; the kill is noted a little before it takes effect.
const NOT_YET_ON_DISK: Duration = Duration::from_millis(130);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diary::Hole;
    use crate::plant::Shape;

    fn truth() -> Truth {
        Truth::new(Shape {
            numbers: 1,
            switches: 1,
            key_switches: 1,
            ..Shape::plain(1, Duration::from_secs(1))
        })
    }

    fn event(offset: u64, old: &str, new: &str) -> Entry {
        Entry {
            id: format!("e1/{offset}").parse().unwrap(),
            what: "point/s0".into(),
            old: old.into(),
            new: new.into(),
            at: Timestamp::from_millis(offset * 1_000),
        }
    }

    fn seen(events: Vec<Entry>) -> Seen {
        let table = serde_json::json!({
            "fault_codes": [],
            "points": {
                "n0": { "q": "good", "t": 1, "v": 100.0 },
                "s0": { "q": "good", "t": 1, "v": "OFF" },
            },
        });
        let holes = vec![Hole { from: None, to: Timestamp::from_millis(0) }];
        Seen {
            device: "d0".parse().unwrap(),
            epoch: Some("e1".parse().unwrap()),
            is_live: true,
            lost: 0,
            repaired: 0,
            reconnects: 0,
            table: serde_json::from_value(table).unwrap(),
            diary: Diary { events, holes, restarts: 0 },
        }
    }

    fn complaints(clients: &[Seen], kills: &[u64]) -> Vec<String> {
        let kills: Vec<_> = kills.iter().map(|at| Timestamp::from_millis(*at)).collect();
        let (truth, fresh) = (truth(), [seen(vec![])]);
        Case { truth: &truth, clients, fresh: &fresh, kills: &kills }.complaints()
    }

    fn both() -> Vec<Entry> {
        vec![event(1, "OFF", "ON"), event(2, "ON", "OFF")]
    }

    #[test]
    fn clients_that_know_everything_are_not_complained_of() {
        assert_eq!(complaints(&[seen(both()), seen(both())], &[]), [""; 0]);
    }

    #[test]
    fn a_missed_event_is_found_unless_the_client_was_told() {
        let (all, mut some) = (seen(both()), seen(vec![event(2, "ON", "OFF")]));
        assert!(complaints(&[all.clone(), some.clone()], &[])[0].contains("never saw"));
        let (from, to) = (Some(Timestamp::from_millis(900)), Timestamp::from_millis(1_000));
        some.diary.holes.push(Hole { from, to });
        assert_eq!(complaints(&[all, some], &[]), [""; 0]);
    }

    #[test]
    fn an_event_that_counts_twice_is_found() {
        let twice = [both(), vec![event(2, "ON", "OFF")]].concat();
        assert!(complaints(&[seen(twice)], &[])[0].contains("counted twice"));
    }

    #[test]
    fn a_step_that_nobody_saw_is_found() {
        let hole = vec![event(1, "OFF", "ON"), event(3, "OFF", "ON"), event(4, "ON", "OFF")];
        assert!(complaints(&[seen(hole.clone())], &[])[0].contains("point/s0"));
        assert_eq!(complaints(&[seen(hole)], &[1_050]), [""; 0], "a kill may have hidden it");
    }

    #[test]
    fn a_last_step_that_is_not_true_is_found() {
        assert!(complaints(&[seen(vec![event(1, "OFF", "ON")])], &[])[0].contains("OFF"));
    }

    #[test]
    fn a_table_that_is_not_true_is_found() {
        let mut client = seen(both());
        client.table.points.clear();
        assert!(complaints(&[client], &[])[0].contains("on the board"));
    }

    #[test]
    fn losses_that_were_not_repaired_are_found() {
        let client = Seen { lost: 2, repaired: 1, ..seen(both()) };
        assert!(complaints(&[client], &[])[0].contains("2 frames lost"));
    }
}
