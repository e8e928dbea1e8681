//! Says anything to a connection of the native dialect: each frame gets the answer that is its due.
//!
//! An input is a conversation as in `server/dialect/tests/transcripts`: `> …` is said sealed,
//! `>! …` as it stands, `poll` and `+` let the plant move on; all else is passed over.

#![no_main]

#[path = "../../../server/dialect/tests/world/mod.rs"]
#[allow(clippy::unwrap_used)]
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dialect::native::{Guest, Native, Rights, Settings};
use dialect::{Action, Dialect as _, Heard, Request};
use engine::{Asker, Event, PushStrategy};
use libfuzzer_sys::fuzz_target;
use protocol::digest::{Algorithm, Seal};
use protocol::id::ConnectionId;
use protocol::reading::Value;
use protocol::stream::StreamName;
use protocol::time::Timestamp;
use protocol::wire::cut::cut;
use protocol::wire::native::{ClientFrame, ClientMessage, ServerFrame, ServerMessage, seal_text};
use serde_json::json;
use world::World;

fuzz_target!(|text: &str| {
    let mut talk = Talk::open();
    for (index, line) in text.lines().take(LONGEST_TALK).enumerate() {
        match line.split_once(' ').unwrap_or((line, "")) {
            (">", said) => talk.hear(&seal_text(&talk.seal, said)),
            (">!", said) => talk.hear(said),
            ("poll", _) => talk.poll(index),
            ("+", _) => talk.pass(Duration::from_secs(1)),
            _ => {}
        }
    }
});

struct Talk {
    world: World,
    native: Native,
    seal: Seal,
    /// What the connection asked to be woken for.
    followed: BTreeSet<StreamName>,
    /// It gave an order that was not answered yet.
    has_ordered: bool,
    is_closed: bool,
}

impl Talk {
    fn open() -> Self {
        let (mut world, seal) = (World::new(), Seal::new(Algorithm::Md5, "key"));
        world.poll("board-1", vec![(0, Ok(Value::Number(1.0)))]);
        let settings = Settings {
            seal: seal.clone(),
            former_seal: None,
            heartbeat_interval: Duration::from_secs(10),
            push: PushStrategy::default(),
            server_version: "1".into(),
            timed: false,
        };
        let guest = Guest {
            device: DEVICE.parse().expect("an identifier"),
            connection: connection(),
            resumed: None,
            user: "anonymous".into(),
            role: "operator".into(),
            rights: Rights::default(),
        };
        let mut native = Native::new(Arc::new(settings), guest, world.now);
        let actions = native.open(&world.windows, world.now);
        let followed = BTreeSet::new();
        let mut talk = Self { world, native, seal, followed, has_ordered: false, is_closed: false };
        talk.take(actions);
        talk.tell();
        talk
    }

    fn hear(&mut self, text: &str) {
        // Nobody is refused for saying too much.
        self.pass(Duration::from_millis(50));
        let was_closed = self.is_closed;
        let answer = self.say(text);
        if was_closed {
            assert_eq!(answer, [], "whoever has hung up is silent");
            return;
        }
        is_due(text, &self.seal, &self.followed, &answer);
        can_be_said_again(text);
        self.tell();
        self.follows_what_it_says();
    }

    fn say(&mut self, text: &str) -> Vec<ServerMessage> {
        let actions = self.native.hear(Heard::Text(text), &self.world.windows, self.world.now);
        let mut said = self.take(actions);
        if std::mem::take(&mut self.has_ordered) {
            self.world.pass(ANSWER_WITHIN);
            for (id, reply) in self.world.take_replies(&connection()) {
                let now = self.world.now;
                let actions = self.native.answer(&id, reply, &self.world.windows, now);
                said.extend(self.take(actions));
            }
        }
        said
    }

    fn poll(&mut self, index: usize) {
        let results = vec![
            (0, Ok(Value::Number(index as f64))),
            (2, Ok(Value::Switch(index.is_multiple_of(2)))),
        ];
        self.world.poll(DEVICE, results);
        self.tell();
    }

    fn pass(&mut self, time: Duration) {
        self.world.pass(time);
        let actions = self.native.tick(&self.world.windows, self.world.now);
        self.take(actions);
        self.tell();
    }

    fn tell(&mut self) {
        loop {
            let actions = self.native.tell(&self.world.windows, self.world.now);
            if actions.is_empty() {
                return;
            }
            self.take(actions);
        }
    }

    /// What was said, each frame of it whole, sealed and readable.
    fn take(&mut self, actions: Vec<Action>) -> Vec<ServerMessage> {
        let mut said = Vec::new();
        for action in actions {
            assert!(!self.is_closed, "{action:?} behind the end");
            match action {
                Action::Say(frame) => said.push(read(&frame.text, &self.seal)),
                Action::Close(_) => self.is_closed = true,
                Action::Ask(Request::Follow { stream, .. }) => {
                    self.followed.insert(stream);
                }
                Action::Ask(Request::Leave(stream)) => {
                    assert!(self.followed.remove(&stream), "{stream} was not followed");
                }
                Action::Ask(Request::Order(order)) => {
                    self.has_ordered = true;
                    let asker = Asker::Connection(connection());
                    self.world.event(Event::Ordered { order, asker });
                }
                Action::Ask(Request::Lost(_) | Request::Record(_) | Request::Count(_)) => {}
            }
        }
        said
    }

    /// The streams in a heartbeat's answer are those that the connection asked to be woken for.
    fn follows_what_it_says(&mut self) {
        if self.is_closed {
            return;
        }
        self.pass(Duration::from_millis(50));
        let device = DEVICE.parse().expect("an identifier");
        let beat = ClientFrame::new(ClientMessage::Heartbeat, &device, Timestamp::from_millis(0));
        let answer = self.say(&beat.write(&self.seal));
        let [ServerMessage::HeartbeatAck(ack)] = answer.as_slice() else { panic!("{answer:?}") };
        let streams: BTreeSet<_> = ack.streams.iter().map(|state| state.stream.clone()).collect();
        assert_eq!(streams, self.followed);
    }
}

fn connection() -> ConnectionId {
    "c1".parse().expect("an identifier")
}

fn read(text: &str, seal: &Seal) -> ServerMessage {
    let cut = cut(text).expect("whatever is said has a check code");
    assert!(seal.matches(&cut.pieces, cut.checksum), "{text}");
    let frame = ServerFrame::read(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_ne!(frame.message, ServerMessage::Unknown, "{text}");
    frame.message
}

/// Whether `answer` is what the frame `text` is owed.
fn is_due(text: &str, seal: &Seal, followed: &BTreeSet<StreamName>, answer: &[ServerMessage]) {
    let frame = match ClientFrame::read(text) {
        Err(invalid) => return assert_eq!(answer, [ServerMessage::InvalidCommandFormat(invalid)]),
        Ok(frame) => frame,
    };
    comes_back(&frame, seal);
    let is_refused = matches!(answer, [ServerMessage::InvalidCommandFormat(_)]);
    let Ok(cut) = cut(text) else { return assert!(is_refused, "{answer:?}") };
    if !seal.matches(&cut.pieces, cut.checksum) {
        return assert!(matches!(answer, [ServerMessage::DataTampered(_)]), "{answer:?}");
    }
    if frame.device_id.as_ref().is_some_and(|device| !is_for(device, &frame.message, followed)) {
        return assert!(is_refused, "{answer:?}");
    }
    let is_answer = match (&frame.message, answer) {
        (ClientMessage::Command(command), [answer]) => match answer {
            ServerMessage::CommandResult(result) => result.command_id == command.id,
            ServerMessage::ConflictHighPriority(conflict) => conflict.command_id == command.id,
            ServerMessage::InvalidCommandFormat(invalid) => {
                invalid.command_id.as_ref() == Some(&command.id)
            }
            _ => false,
        },
        (ClientMessage::Heartbeat, [ServerMessage::HeartbeatAck(ack)]) => {
            ack.echo == frame.timestamp
        }
        (ClientMessage::Subscribe(names), [ServerMessage::Subscribed(told), joined @ ..]) => {
            let is_snapshot = |said: &ServerMessage| matches!(said, ServerMessage::FullSnapshot(_));
            joined.iter().all(is_snapshot)
                && told.streams.len() + told.refused.len() == names.len().min(MOST_NAMES)
        }
        // What was repaired a moment ago is not repaired again.
        (ClientMessage::DataLost { .. }, []) => true,
        (ClientMessage::DataLost { .. }, [.., last]) => {
            is_refused || matches!(last, ServerMessage::DataRecovered(_))
        }
        (ClientMessage::Unsubscribe(_), []) => true,
        // There is nothing to resume on a first connection.
        (ClientMessage::Resume(_) | ClientMessage::Unsubscribe(_), _) => is_refused,
        _ => false,
    };
    assert!(is_answer, "{frame:?} was answered with {answer:?}");
}

/// A connection speaks for its own device, and gives orders to each that it follows.
fn is_for(device: &str, message: &ClientMessage, followed: &BTreeSet<StreamName>) -> bool {
    let is_followed = |device| followed.contains(&StreamName::Device(device));
    device == DEVICE
        || matches!(message, ClientMessage::Command(_)) && device.parse().is_ok_and(is_followed)
}

/// What a client takes for a frame of the server can be written, and is taken for the same again.
fn can_be_said_again(text: &str) {
    let Ok(ServerFrame { message, timestamp, .. }) = ServerFrame::read(text) else { return };
    let frame = json!({ "data": message, "timestamp": timestamp, "type": message.kind() });
    let again = ServerFrame::read(&frame.to_string());
    let again = again.unwrap_or_else(|error| panic!("{error}: {frame} from {text}"));
    assert_eq!(again.message.kind(), message.kind());
    assert_eq!(again.timestamp, timestamp);
}

/// What was understood is understood again when we write it.
fn comes_back(frame: &ClientFrame, seal: &Seal) {
    let text = frame.write(seal);
    assert_eq!(ClientFrame::read(&text).as_ref(), Ok(frame), "{text}");
}

const DEVICE: &str = "board-1";

/// S0-22; the rest is for the way.
const ANSWER_WITHIN: Duration = Duration::from_millis(450);

/// What one request may name.
const MOST_NAMES: usize = 256;

/// Longer ones are slow, and find nothing more.
const LONGEST_TALK: usize = 32;
