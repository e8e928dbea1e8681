//! Says anything to either end of an uplink: a center answers what is its due and keeps each batch in
//! its turn, and an edge takes nobody's word but its center's.
//!
//! An input is a conversation: `> …` is said to the center and `< …` to the edge, sealed, `>! …` and
//! `<! …` as it stands; `kept` and `lost` are what becomes of rows that are being written, `+` lets
//! time pass; all else is passed over.

#![no_main]

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Duration;

use dialect::Heard;
use dialect::uplink::{Action, Guest, Uplink};
use libfuzzer_sys::fuzz_target;
use protocol::digest::Seal;
use protocol::id::DeviceId;
use protocol::reading::Value;
use protocol::status::StatusBatch;
use protocol::time::{Clock, Instant, Timestamp};
use protocol::wire::cut::cut;
use protocol::wire::native::{ServerFrame, ServerMessage, seal_text};
use protocol::wire::uplink::{
    Downward, EdgeFrame, EdgeMessage, MOST_IN_FLIGHT, MOST_ROWS, Said, Unread, Upload,
    UploadFailed, Uploaded, seal,
};

fuzz_target!(|text: &str| {
    let mut talk = Talk::open();
    for line in text.lines().take(LONGEST_TALK) {
        match line.split_once(' ').unwrap_or((line, "")) {
            (">", said) => talk.hear(&seal_text(&SEAL, said)),
            (">!", said) => talk.hear(said),
            ("<", said) => an_edge_hears(&seal_text(&SEAL, said)),
            ("<!", said) => an_edge_hears(said),
            ("kept", _) => talk.stored(Ok(())),
            ("lost", _) => talk.stored(Err(REASON.into())),
            ("+", _) => talk.pass(Duration::from_secs(5)),
            _ => {}
        }
    }
});

/// A center's half of an uplink, and what is known of it from outside.
struct Talk {
    uplink: Uplink,
    now: Instant,
    /// The number of the next batch.
    expected: u64,
    /// Batches that were taken and have no answer yet; the first of them are being written.
    taken: VecDeque<Upload>,
    writing: usize,
    is_closed: bool,
}

/// What a center says.
#[derive(Debug, PartialEq)]
enum Word {
    Down(Downward),
    Native(Box<ServerMessage>),
}

impl Talk {
    fn open() -> Self {
        let guest = Guest {
            edge: EDGE.parse().expect("an identifier"),
            connection: "c-1".parse().expect("an identifier"),
            seal: SEAL.clone(),
            epoch: "e-1".parse().expect("an identifier"),
            heartbeat_interval: Duration::from_secs(10),
            server_version: "1".into(),
        };
        let now = Instant::from_millis(0);
        let mut uplink = Uplink::new(guest, now);
        let actions = uplink.open(&CLOCK, now);
        let taken = VecDeque::new();
        let mut talk = Self { uplink, now, expected: 1, taken, writing: 0, is_closed: false };
        let greeting = talk.take(actions);
        assert!(is_native(&greeting, "CONNECT_SUCCESS"), "{greeting:?}");
        talk
    }

    fn hear(&mut self, text: &str) {
        let was_closed = self.is_closed;
        let actions = self.uplink.hear(Heard::Text(text), &CLOCK, self.now);
        if was_closed {
            return assert_eq!(actions, [], "whoever has hung up is silent");
        }
        if let Ok(frame) = EdgeFrame::read(text) {
            comes_back(&frame);
        }
        let executed = actions.iter().find_map(|action| match action {
            Action::Executed { device, id, .. } => Some((device.to_string(), id.clone())),
            _ => None,
        });
        assert_eq!(executed, answered(text), "{text}");
        let is_written = actions.iter().any(|action| matches!(action, Action::Store(_)));
        let was_writing = self.writing > 0;
        self.is_due(text, &actions);
        assert!(!(was_writing && is_written), "one write at a time");
    }

    /// Whether `actions` are what the frame `text` is owed.
    fn is_due(&mut self, text: &str, actions: &[Action]) {
        let invalid = |said: &[Word]| is_native(said, "INVALID_COMMAND_FORMAT");
        let frame = match sealed(text) {
            Some(true) => EdgeFrame::read(text),
            Some(false) => {
                let said = self.take(actions.to_vec());
                return assert!(is_native(&said, "DATA_TAMPERED"), "{said:?}");
            }
            None => {
                let said = self.take(actions.to_vec());
                return assert!(invalid(&said), "{said:?}");
            }
        };
        if let Ok(EdgeFrame { message: EdgeMessage::Upload(upload), .. }) = &frame {
            return self.is_taken_in_its_turn(upload, actions);
        }
        let said = self.take(actions.to_vec());
        match frame {
            Err(Unread::Other(told)) => {
                let told = ServerMessage::InvalidCommandFormat(told);
                assert_eq!(said, [Word::Native(Box::new(told))]);
            }
            Err(Unread::Upload { batch, reason }) => {
                let failed = UploadFailed { batch, reason };
                assert_eq!(said, [Word::Down(Downward::UploadFailed(failed))]);
            }
            Ok(EdgeFrame { message: EdgeMessage::Heartbeat, timestamp, .. }) => {
                let [Word::Native(ack)] = said.as_slice() else { panic!("{said:?}") };
                let ServerMessage::HeartbeatAck(ack) = &**ack else { panic!("{ack:?}") };
                assert_eq!((ack.echo, ack.server_time), (timestamp, CLOCK.at(self.now)));
            }
            Ok(_) => assert_eq!(said, [], "{text}"),
        }
    }

    fn is_taken_in_its_turn(&mut self, upload: &Upload, actions: &[Action]) {
        assert!((1..=MOST_ROWS).contains(&upload.rows.len()));
        let is_taken = upload.batch == self.expected && self.taken.len() < MOST_IN_FLIGHT;
        if is_taken {
            self.expected = self.expected.saturating_add(1);
            self.taken.push_back(upload.clone());
        }
        let said = self.take(actions.to_vec());
        match said.as_slice() {
            [] => assert!(is_taken && self.writing > 0, "{upload:?}"),
            [Word::Down(Downward::UploadFailed(failed))] => {
                assert!(!is_taken && failed.batch == upload.batch, "{failed:?}");
            }
            _ => panic!("{upload:?} was answered with {said:?}"),
        }
    }

    /// Every batch that was taken has one answer in its order, and what was not kept is due again.
    fn stored(&mut self, outcome: Result<(), String>) {
        if self.writing == 0 {
            return;
        }
        let is_kept = outcome.is_ok();
        let count = if is_kept { self.writing } else { self.taken.len() };
        let answered: Vec<_> = self.taken.drain(..count).map(|upload| upload.batch).collect();
        self.writing = 0;
        let actions = self.uplink.stored(outcome, &CLOCK, self.now);
        if self.is_closed {
            return assert_eq!(actions, []);
        }
        let answer = |batch| match is_kept {
            true => Downward::Uploaded(Uploaded { batch }),
            false => Downward::UploadFailed(UploadFailed { batch, reason: REASON.into() }),
        };
        let due: Vec<_> = answered.iter().map(|batch| Word::Down(answer(*batch))).collect();
        assert_eq!(self.take(actions), due);
        if !is_kept {
            self.expected = answered[0];
        }
        assert_eq!(self.writing == 0, self.taken.is_empty(), "whatever waits is written next");
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        let actions = self.uplink.tick(&CLOCK, self.now);
        let said = self.take(actions);
        assert!(said.is_empty() || is_native(&said, "CONNECTION_LOST"), "{said:?}");
        assert_eq!(self.uplink.wake_at().is_none(), self.is_closed);
    }

    /// What was said, each frame of it whole, sealed and readable.
    fn take(&mut self, actions: Vec<Action>) -> Vec<Word> {
        let mut said = Vec::new();
        for action in actions {
            assert!(!self.is_closed, "{action:?} behind the end");
            match action {
                Action::Say(text) => said.push(read(&text)),
                Action::Store(batch) => self.is_what_was_taken(&batch),
                Action::Close(_) => self.is_closed = true,
                Action::Executed { .. } | Action::Lost(_) | Action::Record(_) | Action::Tell(_) => {
                }
            }
        }
        said
    }

    /// The rows of the first batches that were taken, none left out and none twice.
    fn is_what_was_taken(&mut self, batch: &StatusBatch) {
        assert_eq!(self.writing, 0, "one write at a time");
        let mut rows = batch.rows.as_slice();
        for upload in &self.taken {
            if rows.is_empty() {
                break;
            }
            assert_eq!(upload.incarnation, batch.incarnation);
            rows = rows.strip_prefix(upload.rows.as_slice()).expect("in their order");
            self.writing += 1;
        }
        assert!(rows.is_empty() && self.writing > 0, "{batch:?}");
    }
}

fn read(text: &str) -> Word {
    assert_eq!(sealed(text), Some(true), "{text}");
    an_edge_hears(text);
    match Downward::read(text, &SEAL) {
        Said::Word(word, _) => Word::Down(word),
        Said::Tampered => panic!("it was sealed: {text}"),
        Said::Other => {
            let frame = ServerFrame::read(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_ne!(frame.message, ServerMessage::Unknown, "{text}");
            Word::Native(Box::new(frame.message))
        }
    }
}

fn is_native(said: &[Word], kind: &str) -> bool {
    matches!(said, [Word::Native(message)] if message.kind() == kind)
}

/// Whether the check code is right; `None` where there is none.
fn sealed(text: &str) -> Option<bool> {
    let cut = cut(text).ok()?;
    Some(SEAL.matches(&cut.pieces, cut.checksum))
}

/// The device and the order that a frame answers, if it is the edge's word.
fn answered(text: &str) -> Option<(String, String)> {
    let frame = (sealed(text) == Some(true)).then(|| EdgeFrame::read(text).ok())??;
    let device = frame.device_id.filter(|device| device.parse::<DeviceId>().is_ok())?;
    let id = match frame.message {
        EdgeMessage::CommandResult(result) => result.command_id,
        EdgeMessage::ConflictHighPriority(conflict) => conflict.command_id,
        EdgeMessage::InvalidCommandFormat(invalid) => invalid.command_id?,
        EdgeMessage::Heartbeat | EdgeMessage::Standing(_) | EdgeMessage::Upload(_) => return None,
    };
    Some((device, id))
}

/// What is believed was sealed by the center, and is the same when it is said again.
fn an_edge_hears(text: &str) {
    match Downward::read(text, &SEAL) {
        Said::Word(word, at) => {
            assert_eq!(sealed(text), Some(true), "{text}");
            assert_eq!(Downward::read(text, &STRANGER), Said::Tampered);
            let again = word.write(&SEAL, EDGE, at);
            assert_eq!(Downward::read(&again, &SEAL), Said::Word(word, at), "{text}");
        }
        Said::Tampered => assert_ne!(sealed(text), Some(true), "{text}"),
        Said::Other => assert_eq!(Downward::read(text, &STRANGER), Said::Other, "{text}"),
    }
}

/// What was understood is understood again when we write it.
fn comes_back(frame: &EdgeFrame) {
    let about = frame.device_id.as_deref().unwrap_or(EDGE);
    let text = frame.message.write(about, frame.timestamp);
    let again = match EdgeFrame::read(&text) {
        Ok(again) => again,
        Err(error) => {
            // What is as large as numbers can be is rounded to what is larger.
            return assert!(values(&frame.message).any(|value| value.abs() > 1e300), "{error:?}");
        }
    };
    assert_eq!(again.device_id.as_deref(), Some(about));
    assert_eq!(again.timestamp, frame.timestamp);
    for (value, again) in values(&frame.message).zip(values(&again.message)) {
        let most = (value.abs() * 1e-15).max(f64::MIN_POSITIVE);
        assert!((value - again).abs() <= most, "{value} came back as {again}");
    }
    assert_eq!(without_values(again.message), without_values(frame.message.clone()), "{text}");
}

fn values(message: &EdgeMessage) -> impl Iterator<Item = f64> {
    let pair = match message {
        EdgeMessage::CommandResult(result) => [result.old, result.new],
        _ => [None, None],
    };
    pair.into_iter().flatten().filter_map(Value::number)
}

/// Numbers are read to the last digit but one.
fn without_values(mut message: EdgeMessage) -> EdgeMessage {
    if let EdgeMessage::CommandResult(result) = &mut message {
        for value in [&mut result.old, &mut result.new] {
            *value = value.map(|value| value.number().map_or(value, |_| Value::Number(0.0)));
        }
    }
    message
}

static SEAL: LazyLock<Seal> = LazyLock::new(|| seal("a token for tests"));
static STRANGER: LazyLock<Seal> = LazyLock::new(|| seal("another token here"));

const CLOCK: Clock = Clock::new(Instant::from_millis(0), Timestamp::from_millis(1_000_000));

const EDGE: &str = "north";

const REASON: &str = "the disk is full";

/// Longer ones are slow, and find nothing more.
const LONGEST_TALK: usize = 64;
