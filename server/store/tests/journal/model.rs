//! Whatever is handed in, in whatever order: what is found is what a simple table would hold.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::Config;
use protocol::id::{ConnectionId, DeviceId, Epoch};
use protocol::journal::{Entry, Facts, Happened, Stay};
use tokio::runtime::Runtime;

use crate::desk::{Desk, ago, epoch, facts, happened_at, known, now, past, stay};

/// What a journal is to know, held in memory.
#[derive(Default)]
struct Model {
    runs: Vec<Epoch>,
    events: Vec<Happened>,
    known: BTreeMap<DeviceId, Facts>,
    stays: BTreeMap<ConnectionId, Stay>,
}

/// One step of a server's life.
#[derive(Clone, Debug)]
enum Step {
    Begin,
    Happen {
        age: i64,
    },
    Know {
        device: u8,
        text: String,
    },
    Stay {
        connection: u8,
        offset: u64,
        left: Option<i64>,
    },
    Flush,
    /// The server ends, and another takes up its folder.
    Restart,
    /// The server falls, and another takes up its folder.
    Fall,
}

fn step() -> impl Strategy<Value = Step> {
    let age = || prop_oneof![0..250i64, 320..9_000i64, -90_000..0i64];
    prop_oneof![
        1 => Just(Step::Begin),
        8 => age().prop_map(|age| Step::Happen { age }),
        4 => (0..3u8, any::<String>()).prop_map(|(device, text)| Step::Know { device, text }),
        4 => (0..4u8, 0..1u64 << 40, prop::option::of(age()))
            .prop_map(|(connection, offset, left)| Step::Stay { connection, offset, left }),
        1 => Just(Step::Flush),
        1 => Just(Step::Restart),
        1 => Just(Step::Fall),
    ]
}

impl Model {
    /// The entry of a step, which the model takes in too.
    fn take(&mut self, step: &Step) -> Option<Entry> {
        let entry = match step {
            Step::Begin => {
                let epoch = epoch(&format!("e{}", self.runs.len()));
                // A run that is old enough hands nothing on.
                let at = if self.runs.is_empty() { ago(100_000) } else { now() };
                Entry::Began { at, epoch }
            }
            Step::Happen { age } => {
                let run = format!("e{}", self.runs.len());
                let offset = self.events.len() as u64;
                Entry::Happened(happened_at(&run, offset, ago(*age)))
            }
            Step::Know { device, text } => known(&format!("board-{device}"), text),
            Step::Stay { connection, offset, left } => {
                Entry::Stayed(stay(&format!("c{connection}"), *offset, left.map(ago)))
            }
            Step::Flush | Step::Restart | Step::Fall => return None,
        };
        match entry.clone() {
            Entry::Began { epoch, .. } => self.runs.push(epoch),
            Entry::Happened(happened) => self.events.push(happened),
            Entry::Known { device, facts } => drop(self.known.insert(device, facts)),
            Entry::Stayed(stay) => drop(self.stays.insert(stay.connection.clone(), stay)),
        }
        Some(entry)
    }

    /// What of it is not older than five minutes.
    fn forget(&mut self) {
        let oldest = ago(300);
        self.events.retain(|event| event.at >= oldest);
        self.stays.retain(|_, stay| stay.left.is_none_or(|left| left >= oldest));
    }
}

async fn play(steps: &[Step]) {
    let folder = tempfile::tempdir().unwrap();
    let (mut model, mut desk) = (Model::default(), Desk::open(folder.path()));
    desk.keep(model.take(&Step::Begin));
    desk.flush().await;
    for step in steps {
        desk.keep(model.take(step));
        match step {
            Step::Flush => desk.flush().await,
            Step::Restart => {
                desk.close().await;
                desk = Desk::open(folder.path());
            }
            Step::Fall => {
                desk.flush().await;
                desk.fall().await;
                desk = Desk::open(folder.path());
            }
            _ => {}
        }
    }
    desk.close().await;
    model.forget();

    let found = past(folder.path()).await;
    assert_eq!(found.events, model.events);
    assert_eq!(found.known, model.known);
    assert_eq!(found.runs.into_iter().map(|run| run.epoch).collect::<Vec<_>>(), model.runs);
    let stays = found.stays.into_iter().map(|stay| (stay.connection.clone(), stay));
    assert_eq!(stays.collect::<BTreeMap<_, _>>(), model.stays);
}

proptest! {
    #![proptest_config(Config { cases: 60, failure_persistence: None, ..Config::default() })]

    #[test]
    fn what_is_found_is_what_was_handed_in(steps in prop::collection::vec(step(), 0..60)) {
        // S0-65, S0-67
        Runtime::new().unwrap().block_on(play(&steps));
    }
}

#[test]
fn facts_of_any_text_come_back() {
    let texts = ["", "\u{0}", "\"]},[{", "板 🏭 \u{2028}\r\n"];
    let steps = texts.map(|text| Step::Know { device: 0, text: text.into() });
    for text in steps {
        Runtime::new().unwrap().block_on(play(&[text]));
    }
    assert_eq!(facts("x").len(), 2);
}
