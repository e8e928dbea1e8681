//! A plant's server on a wire that loses, repeats, delays, damages and cuts: at rest all is known.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use protocol::frame::Sequence;
use protocol::wire::native::{ClientMessage, DataRecovered, ServerMessage};

use crate::stage::{self, EPOCH, Frame, Page, ack, own, success};

/// Numbers frames and answers requests; what it holds is limited.
struct Server {
    frames: BTreeMap<u64, Frame>,
    table: BTreeMap<&'static str, f64>,
    events: BTreeSet<String>,
    top: u64,
    /// The last number written to the socket.
    said: u64,
    held: u64,
}

/// What the plant and the wire do next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Change(usize, u8),
    Happen,
    PeriodicSnapshot,
    /// Delivers what waits, with this fate for each frame in turn.
    Deliver([Fate; 4]),
    Cut,
    Wait(u64),
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives,
    IsLost,
    ComesTwice,
    IsDamaged,
    ComesLate,
}

const POINTS: [&str; 4] = ["a", "b", "c", "d"];

impl Server {
    fn new(held: u64) -> Self {
        let table = POINTS.iter().map(|key| (*key, 0.0)).collect();
        let mut server =
            Self { frames: BTreeMap::new(), table, events: BTreeSet::new(), top: 0, said: 0, held };
        server.push(|server, number| Frame::snapshot(number, &server.points()));
        server
    }

    fn points(&self) -> Vec<(&'static str, f64)> {
        self.table.iter().map(|(key, value)| (*key, *value)).collect()
    }

    fn push(&mut self, frame: impl FnOnce(&Self, u64) -> Frame) {
        self.top += 1;
        let frame = frame(self, self.top);
        self.frames.insert(self.top, frame);
        let oldest = self.top.saturating_sub(self.held);
        let is_event = |frame: &Frame| frame.event.is_some();
        self.frames.retain(|number, frame| *number > oldest || is_event(frame));
    }

    fn change(&mut self, point: usize, value: u8) {
        let (key, value) = (POINTS[point % POINTS.len()], f64::from(value));
        self.table.insert(key, value);
        self.push(|_, number| Frame::delta(number, &[(key, value)]));
    }

    fn happen(&mut self) {
        let id = format!("{EPOCH}/{}", self.top + 1);
        self.events.insert(id.clone());
        self.push(|_, number| Frame::event(number, &id));
    }

    /// What has not been written yet, or what makes up for it.
    fn news(&mut self) -> Vec<Frame> {
        let from = std::mem::replace(&mut self.said, self.top) + 1;
        self.range(from, self.top, false).unwrap_or_else(|mut events| {
            events.push(self.settling(from, self.top));
            events
        })
    }

    /// The frames of a range; only the events if some are no longer held.
    fn range(&self, from: u64, to: u64, recovered: bool) -> Result<Vec<Frame>, Vec<Frame>> {
        let frames = || self.frames.range(from..=to.max(from)).map(|(_, frame)| frame.clone());
        if from > to {
            return Ok(Vec::new());
        }
        match frames().count() as u64 == to - from + 1 {
            true if recovered => Ok(frames().map(Frame::recovered).collect()),
            true => Ok(frames().collect()),
            false => {
                Err(frames().filter(|frame| frame.event.is_some()).map(Frame::recovered).collect())
            }
        }
    }

    fn settling(&self, from: u64, to: u64) -> Frame {
        Frame::settling(self.said, &self.points(), stage::range(from, to))
    }

    fn answer(&mut self, message: &ClientMessage) -> Vec<Frame> {
        match message {
            ClientMessage::DataLost { ranges, .. } => {
                let mut answers = self.news();
                for (from, to) in ranges {
                    answers.extend(self.repair(from.0, to.0));
                }
                answers
            }
            ClientMessage::Resume(positions) => {
                self.said = positions[0].seq.0;
                let from = self.said + 1;
                let missed = self.range(from, self.top, true);
                self.said = self.top;
                missed.unwrap_or_else(|mut events| {
                    events.push(self.settling(from, self.top));
                    events
                })
            }
            _ => Vec::new(),
        }
    }

    fn repair(&self, from: u64, to: u64) -> Vec<Frame> {
        assert!(1 <= from && from <= to && to <= self.top, "asked for {from}..={to}");
        let held = self.frames.range(from..=to).map(|(_, frame)| frame.clone().recovered());
        let mut answers: Vec<_> = held.collect();
        let gone: Vec<_> = (from..=to).filter(|number| !self.frames.contains_key(number)).collect();
        let recovered = DataRecovered {
            epoch: EPOCH.parse().unwrap(),
            gone: gone.iter().map(|number| (Sequence(*number), Some(Sequence(*number)))).collect(),
            ranges: vec![stage::range(from, to)],
        };
        answers.push(Frame::new(ServerMessage::DataRecovered(recovered)));
        if let (Some(first), Some(last)) = (gone.first(), gone.last()) {
            answers.push(self.settling(*first, *last));
        }
        answers
    }
}

/// The wire from the server to the page.
#[derive(Default)]
struct Wire {
    late: Vec<Frame>,
}

impl Wire {
    fn carry(&mut self, page: &mut Page, frame: Frame, fate: Fate) {
        // TCP loses nothing; a recovered event before a snapshot could not be found missing.
        let is_last_word = frame.recovered && frame.event.is_some();
        match fate {
            Fate::IsLost | Fate::ComesLate if is_last_word => page.hear(frame),
            Fate::Arrives => page.hear(frame),
            Fate::IsLost => {}
            Fate::ComesTwice => {
                page.hear(frame.clone());
                page.hear(frame);
            }
            Fate::IsDamaged => {
                let text = frame.text(&stage::seal()).replace("timestamp\":1", "timestamp\":2");
                page.tell(link::Event::Heard(text));
            }
            Fate::ComesLate => self.late.push(frame),
        }
    }
}

struct Play {
    page: Page,
    server: Server,
    wire: Wire,
    heard: usize,
}

impl Play {
    fn new(seed: u64, held: u64) -> Self {
        let mut play = Self {
            page: Page::new(seed),
            server: Server::new(held),
            wire: Wire::default(),
            heard: 0,
        };
        play.connect(false);
        play.server.said = 0;
        let first = play.server.news();
        first.into_iter().for_each(|frame| play.page.hear(frame));
        play
    }

    fn connect(&mut self, resumed: bool) {
        self.page.greeted(success("c-1", EPOCH, resumed));
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Change(point, value) => self.server.change(point, value),
            Step::Happen => self.server.happen(),
            Step::PeriodicSnapshot => {
                self.server.push(|server, number| Frame::snapshot(number, &server.points()));
            }
            Step::Deliver(fates) => self.deliver(&fates),
            Step::Cut => self.cut(),
            Step::Wait(millis) => self.page.pass(millis),
        }
    }

    fn deliver(&mut self, fates: &[Fate]) {
        let mut frames = self.server.news();
        let said: Vec<_> = self.page.said().split_off(self.heard);
        self.heard += said.len();
        frames.extend(said.iter().flat_map(|message| self.server.answer(message)));
        let late = std::mem::take(&mut self.wire.late);
        for (frame, fate) in frames.into_iter().zip(fates.iter().cycle()) {
            self.wire.carry(&mut self.page, frame, *fate);
        }
        late.into_iter().for_each(|frame| self.page.hear(frame));
    }

    /// The socket breaks: what was on its way is lost, and the page comes back.
    fn cut(&mut self) {
        self.wire.late.clear();
        self.page.closed(1006);
        let dials = self.page.dials.len();
        while self.page.dials.len() == dials {
            self.page.pass(500);
        }
        let resumed = self.page.dials.last().is_some_and(|(_, id)| id.is_some());
        self.connect(resumed);
    }

    /// A few heartbeats on a wire that has become good.
    fn rest(&mut self) {
        for _ in 0..6 {
            self.deliver(&[Fate::Arrives]);
            let (own, said) = (own(), self.server.said);
            let beat = self.page.sent.last().map(|frame| frame.timestamp).unwrap_or_default();
            self.page.hear(ack(beat, &[(&own, said, 0)]));
            self.page.pass(1_000);
        }
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Arrives),
        1 => Just(Fate::IsLost),
        1 => Just(Fate::ComesTwice),
        1 => Just(Fate::IsDamaged),
        1 => Just(Fate::ComesLate),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<usize>(), any::<u8>()).prop_map(|(point, value)| Step::Change(point, value)),
        2 => Just(Step::Happen),
        1 => Just(Step::PeriodicSnapshot),
        5 => [fate(), fate(), fate(), fate()].prop_map(Step::Deliver),
        1 => Just(Step::Cut),
        2 => (0..2_000u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn at_rest_the_page_knows_what_the_server_knows(
        seed: u64,
        held in 3..40u64,
        steps in prop::collection::vec(step(), 0..80),
    ) {
        // S0-41, S0-44, S0-55, S0-56, S0-57, S0-58, S0-95
        let mut play = Play::new(seed, held);
        steps.into_iter().for_each(|step| play.step(step));
        play.rest();
        for (key, value) in &play.server.table {
            prop_assert_eq!(play.page.value(key), Some(*value), "point {}", key);
        }
        let mut happened = play.page.happened();
        let count = happened.len();
        happened.sort();
        happened.dedup();
        prop_assert_eq!(happened.len(), count, "an event was applied twice");
        let happened: BTreeSet<_> = happened.into_iter().collect();
        prop_assert_eq!(happened, play.server.events);
        prop_assert_eq!(play.page.session.status().seq, Some(Sequence(play.server.said)));
        let asked = play.page.asked().len();
        play.page.pass(3_000);
        prop_assert_eq!(play.page.asked().len(), asked, "nothing is left to ask for");
    }
}
