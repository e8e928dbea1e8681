//! Runs the conversations in `transcripts/`: what is written there is what goes over the wire.
//!
//! `> {…}` the client says it, sealed · `>! …` it says exactly this · `< {…}` the server says at
//! least these members · `< nothing` · `< close 4408` · `+10s` time passes ·
//! `poll board-1 temperature=30.5 k1=ON` a poll, where `=!timeout` failed · `restart` the Station fails
//! and is started again · `kill`, then `start` the same of the whole process · `return` the client dials
//! again, with its connection id · `order pscada STOP` somebody else gives an order · `field 900ms` how
//! long boards take for orders from now on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod world;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dialect::native::{Guest, Native, Rights, Settings};
use dialect::{Action, Dialect as _, Heard, Request, Said};
use engine::{Admission, Arrival, Asker, Event, PushStrategy};
use protocol::command::{Order, OrderKey};
use protocol::digest::{Algorithm, Seal};
use protocol::id::DeviceId;
use protocol::reading::Value;
use protocol::wire::cut::cut;
use protocol::wire::native::seal_text;
use serde_json::Value as Json;
use world::World;

struct Conversation {
    world: World,
    native: Native,
    seal: Seal,
    said: Vec<String>,
    /// The socket went down with its server.
    is_cut: bool,
}

#[test]
fn the_native_dialect_speaks_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/native");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there are conversations to run");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let mut conversation = Conversation::open();
        for (index, line) in text.lines().enumerate() {
            let place = format!("{}:{}", file.display(), index + 1);
            conversation.run(line.trim(), &place);
        }
    }
}

impl Conversation {
    fn open() -> Self {
        let (mut world, seal) = (World::new(), Seal::new(Algorithm::Md5, "key"));
        let native = dial(&mut world, &seal, None);
        let mut conversation = Self { world, native, seal, said: Vec::new(), is_cut: false };
        conversation.greet();
        conversation
    }

    fn greet(&mut self) {
        let actions = self.native.open(&self.world.windows, self.world.now);
        self.take(actions);
        self.tell();
    }

    /// The client comes back on another socket.
    fn dial_again(&mut self) {
        self.world.event(Event::Departed("c1".parse().unwrap()));
        self.native = dial(&mut self.world, &self.seal, Some("c1"));
        self.is_cut = false;
        self.greet();
    }

    fn run(&mut self, line: &str, place: &str) {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("" | "#", _) => {}
            (">", text) => self.hear(&seal_text(&self.seal, text)),
            (">!", text) => self.hear(text),
            ("<", "nothing") => assert!(self.said.is_empty(), "{place}: {:?}", self.said),
            ("<", expected) => self.expect(expected, place),
            ("poll", rest) => self.poll(rest),
            ("order", text) => self.order(text),
            ("field", time) => {
                let millis = time.trim_end_matches("ms").parse().expect(place);
                self.world.field.delay = Duration::from_millis(millis);
            }
            ("restart", _) => {
                self.world.restart();
                self.tell();
            }
            ("kill", _) => {
                self.world.crash();
                self.is_cut = true;
            }
            ("start", _) => self.world.boot(),
            ("return", _) => self.dial_again(),
            (time, _) if time.starts_with('+') => {
                let seconds: f64 = time.trim_matches(['+', 's']).parse().expect(place);
                self.pass(Duration::from_secs_f64(seconds));
            }
            _ => panic!("{place}: cannot run `{line}`"),
        }
    }

    fn hear(&mut self, text: &str) {
        let now = self.world.now;
        let actions = self.native.hear(Heard::Text(text), &self.world.windows, now);
        self.take(actions);
        self.tell();
    }

    fn poll(&mut self, rest: &str) {
        let mut words = rest.split(' ');
        let device = words.next().unwrap();
        let keys = ["temperature", "pressure", "k1", "e001"];
        let result = |word: &str| {
            let (key, value) = word.split_once('=').unwrap();
            let index = keys.iter().position(|known| *known == key).unwrap();
            let value = match (value, value.strip_prefix('!')) {
                (_, Some(reason)) => Err(reason.parse().unwrap()),
                ("ON" | "OFF", _) => Ok(Value::Switch(value == "ON")),
                _ => Ok(Value::Number(value.parse().unwrap())),
            };
            (index, value)
        };
        self.world.poll(device, words.map(result).collect());
        self.tell();
    }

    fn pass(&mut self, duration: Duration) {
        let until = self.world.now + duration;
        while let Some(at) = self.native.wake_at().filter(|_| !self.is_cut)
            && at <= until
        {
            self.world.pass(at.since(self.world.now));
            let actions = self.native.tick(&self.world.windows, self.world.now);
            self.take(actions);
            self.tell();
        }
        self.world.pass(until.since(self.world.now));
        self.tell();
    }

    /// Somebody without a connection gives an order: `order pscada STOP`.
    fn order(&mut self, text: &str) {
        let mut words = text.split(' ');
        let origin = words.next().unwrap().parse().unwrap();
        let command = words.next().unwrap().to_owned();
        let param = words.next().map(str::to_owned);
        let (device, id) = ("board-1".parse().unwrap(), "outside".to_owned());
        let key = OrderKey { origin, user: "outside".into(), device, id };
        let via = String::new();
        self.world.order(Order { key, command, param, valid_until: None, via });
        self.tell();
    }

    fn tell(&mut self) {
        let connection = "c1".parse().unwrap();
        for (id, reply) in self.world.take_replies(&connection) {
            let now = self.world.now;
            let actions = self.native.answer(&id, reply, &self.world.windows, now);
            self.take(actions);
        }
        while !self.is_cut {
            let actions = self.native.tell(&self.world.windows, self.world.now);
            if actions.is_empty() {
                return;
            }
            self.take(actions);
        }
    }

    fn take(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Say(Said { text, .. }) => {
                    let cut = cut(&text).expect("whatever is said has a check code");
                    assert!(self.seal.matches(&cut.pieces, cut.checksum), "{text}");
                    self.said.push(text);
                }
                Action::Close(code) => self.said.push(format!("close {}", code.number())),
                Action::Ask(Request::Lost(silent)) => self.world.event(Event::Lost {
                    device: "board-1".parse().unwrap(),
                    connection: "c1".parse().unwrap(),
                    silent,
                }),
                Action::Ask(Request::Follow { stream, base }) => {
                    let connection = "c1".parse().unwrap();
                    self.world.event(Event::Joined { connection, stream, base });
                }
                Action::Ask(Request::Order(order)) => {
                    let asker = Asker::Connection("c1".parse().unwrap());
                    self.world.event(Event::Ordered { order, asker });
                }
                Action::Ask(_) => {}
            }
        }
    }

    fn expect(&mut self, expected: &str, place: &str) {
        assert!(!self.said.is_empty(), "{place}: nothing was said, expected {expected}");
        let said = self.said.remove(0);
        if expected.starts_with("close") {
            assert_eq!(said, expected, "{place}");
            return;
        }
        let wanted: Json = serde_json::from_str(expected).expect(place);
        let frame: Json = serde_json::from_str(&said).expect(place);
        assert!(holds(&frame, &wanted), "{place}:\n  said     {said}\n  expected {expected}");
    }
}

/// Someone at the door of board-1, who is called `c1` or was.
fn dial(world: &mut World, seal: &Seal, known: Option<&str>) -> Native {
    let settings = Settings {
        seal: seal.clone(),
        former_seal: None,
        heartbeat_interval: Duration::from_secs(10),
        push: PushStrategy::default(),
        server_version: "1".into(),
        timed: false,
    };
    let device: DeviceId = "board-1".parse().unwrap();
    let known = known.map(|id| id.parse().unwrap());
    let fresh = "c1".parse().unwrap();
    world.event(Event::Arrived(Arrival { fresh, known, device: device.clone(), user: None }));
    let resumed = world.answers.iter().find_map(|action| match action {
        engine::Action::Answer(Admission::Admitted { resumed, .. }) => Some(resumed.clone()),
        _ => None,
    });
    let guest = Guest {
        device,
        connection: "c1".parse().unwrap(),
        resumed: resumed.unwrap(),
        user: "anonymous".into(),
        role: "operator".into(),
        rights: Rights::default(),
    };
    Native::new(Arc::new(settings), guest, world.now)
}

/// Whether every member wanted is there; `null` wants a member to be absent.
fn holds(said: &Json, wanted: &Json) -> bool {
    match (said, wanted) {
        (Json::Object(said), Json::Object(wanted)) => {
            wanted.iter().all(|(key, value)| match said.get(key) {
                None => value.is_null(),
                Some(member) => holds(member, value),
            })
        }
        (Json::Array(said), Json::Array(wanted)) => {
            said.len() == wanted.len() && said.iter().zip(wanted).all(|(s, w)| holds(s, w))
        }
        _ => said == wanted,
    }
}
