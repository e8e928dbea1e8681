//! What a client asks, and the answer to each.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::command::{Failure, Order, OrderKey, Origin, Outcome, Reply};
use protocol::digest::Seal;
use protocol::frame::Offset;
use protocol::id::Epoch;
use protocol::stream::StreamName;
use protocol::time::{Instant, Timestamp};
use protocol::wire::CloseCode;
use protocol::wire::cut::{CutError, cut};
use protocol::wire::native::{
    ClientFrame, ClientMessage, Command, CommandResult, ConflictHighPriority, DataRecovered,
    HeartbeatAck, Invalid, InvalidCode, Range, Refused, ServerMessage, StreamState, Subscribed,
    SubscribedStream, Tampered,
};

use super::cursor::{Telling, TooSlow};
use super::{Native, foreign};
use crate::{Action, Dialect as _, Fact, Heard, Incident, Path, Remedy, Request, Standing, View};

/// A repair that was answered.
#[derive(Debug)]
pub(super) struct Answered {
    stream: StreamName,
    range: Range,
    at: Instant,
}

pub(super) fn answer(
    native: &mut Native,
    heard: Heard<'_>,
    view: &dyn View,
    now: Instant,
) -> Vec<Action> {
    if let Heard::Sign = heard {
        return Vec::new();
    }
    if !native.throttle.admit(now) {
        let invalid = Invalid::new(InvalidCode::TooFast, "more than 20 frames a second");
        let mut actions = native.reject(invalid, now);
        actions.push(Action::Ask(Request::Record(Incident::Flooded)));
        actions.push(native.close(CloseCode::TooFast));
        return actions;
    }
    match heard {
        Heard::Sign => Vec::new(),
        Heard::Text(text) => native.read(text, view, now),
        Heard::Bytes => {
            native.reject(Invalid::new(InvalidCode::NotText, "a frame is text, not bytes"), now)
        }
        Heard::TooBig => {
            let invalid = Invalid::new(InvalidCode::TooBig, "a frame is larger than 64 KiB");
            let mut actions = native.reject(invalid, now);
            actions.push(native.close(CloseCode::TooBig));
            actions
        }
    }
}

impl Native {
    fn read(&mut self, text: &str, view: &dyn View, now: Instant) -> Vec<Action> {
        let frame = match self.verified(text) {
            Ok(frame) => frame,
            Err(Unverified::Invalid(invalid)) => return self.reject(invalid, now),
            Err(Unverified::Tampered(command_id)) => return self.tampered(command_id, now),
        };
        let result = match frame.message {
            ClientMessage::Command(command) => Ok(self.order(command, frame.device_id, now)),
            ClientMessage::DataLost { stream, epoch, ranges } => {
                self.data_lost(stream, epoch, &ranges, view, now)
            }
            ClientMessage::Heartbeat => Ok(self.heartbeat(frame.timestamp, view, now)),
            ClientMessage::Resume(positions) => self.resume(&positions, view, now),
            ClientMessage::Subscribe(names) => Ok(self.subscribe(&names, view, now)),
            ClientMessage::Unsubscribe(names) => self.unsubscribe(&names),
        };
        result.unwrap_or_else(|invalid| self.reject(invalid, now))
    }

    /// Reads a frame and checks that it is whole and meant for us (S0-93).
    fn verified(&self, text: &str) -> Result<ClientFrame, Unverified> {
        let frame = ClientFrame::read(text).map_err(Unverified::Invalid)?;
        let cut = cut(text).map_err(|error| {
            let code = match error {
                CutError::Missing => return Unverified::Invalid(Invalid::missing("checksum")),
                CutError::NotAnObject => InvalidCode::NotAnObject,
                CutError::NotText | CutError::Twice => InvalidCode::WrongType,
            };
            Unverified::Invalid(Invalid::field(code, "checksum", error.to_string()))
        })?;
        let seals = [Some(&self.settings.seal), self.settings.former_seal.as_ref()];
        let fits = |seal: &Seal| seal.matches(&cut.pieces, cut.checksum);
        if !seals.into_iter().flatten().any(fits) {
            let id = match frame.message {
                ClientMessage::Command(command) => Some(command.id),
                _ => None,
            };
            return Err(Unverified::Tampered(id));
        }
        match &frame.device_id {
            Some(device) if !self.is_for(device, &frame.message) => {
                let detail = format!("this connection is for {}", self.guest.device);
                let code = InvalidCode::UnknownDevice;
                Err(Unverified::Invalid(Invalid::field(code, "device_id", detail)))
            }
            _ => Ok(frame),
        }
    }

    /// A connection speaks for its own device, and gives orders to each whose stream it follows.
    fn is_for(&self, device: &str, message: &ClientMessage) -> bool {
        let is_followed = |device| self.cursors.contains_key(&StreamName::Device(device));
        device == self.guest.device.as_str()
            || matches!(message, ClientMessage::Command(_)) && device.parse().is_ok_and(is_followed)
    }

    /// Says what is wrong with a frame; the connection stays (S0-62).
    pub(super) fn reject(&self, invalid: Invalid, now: Instant) -> Vec<Action> {
        let incident = Incident::Malformed(invalid.detail.clone());
        let text = self.voice.say(&ServerMessage::InvalidCommandFormat(invalid), now);
        vec![Action::Say(text), Action::Ask(Request::Record(incident))]
    }

    fn tampered(&self, command_id: Option<String>, now: Instant) -> Vec<Action> {
        let detail = "the check code does not fit the text".into();
        let message = ServerMessage::DataTampered(Tampered { command_id, detail });
        let text = self.voice.say(&message, now);
        vec![Action::Say(text), Action::Ask(Request::Record(Incident::Tampered))]
    }

    /// A well-formed command is an order, whatever becomes of it (S0-16).
    fn order(&self, command: Command, device: Option<String>, now: Instant) -> Vec<Action> {
        if !self.guest.rights.may_command {
            return self.not_permitted(&command, now);
        }
        let Command { id, name, param, valid_until } = command;
        let user = self.guest.user.clone();
        let device = device.and_then(|device| device.parse().ok());
        let device = device.unwrap_or_else(|| self.guest.device.clone());
        let key = OrderKey { origin: Origin::Local, user, device, id };
        let order = Order { key, command: name, param, valid_until, via: String::new() };
        vec![Action::Ask(Request::Order(order))]
    }

    /// Whoever may not command is told so, and it is put on record.
    fn not_permitted(&self, command: &Command, now: Instant) -> Vec<Action> {
        let outcome = Outcome {
            at: self.voice.time(now),
            failure: Some(Failure::Unauthorized),
            detail: Some(format!("the role {} gives no commands", self.guest.role)),
            verified: None,
            old: None,
            new: None,
            ms: 0,
        };
        let result = CommandResult::new(command.id.clone(), outcome);
        let text = self.voice.say(&ServerMessage::CommandResult(result), now);
        let incident = Incident::NotPermitted(command.name.clone());
        vec![Action::Say(text), Action::Ask(Request::Record(incident))]
    }

    /// S0-22 to S0-27, S0-30: each command gets exactly one answer.
    pub(super) fn reply(&self, id: &str, reply: Reply, now: Instant) -> Vec<Action> {
        let message = match reply {
            Reply::Done(outcome) => {
                ServerMessage::CommandResult(CommandResult::new(id.into(), outcome))
            }
            Reply::Conflict(hold) => {
                ServerMessage::ConflictHighPriority(ConflictHighPriority::new(id.into(), hold))
            }
            Reply::MissingParam => return self.reject_order(id, Invalid::missing("param"), now),
            Reply::IdReused => {
                let detail = "the id was used for another command within ten minutes";
                let invalid = Invalid::field(InvalidCode::IdReused, "command_id", detail);
                return self.reject_order(id, invalid, now);
            }
        };
        vec![Action::Say(self.voice.say(&message, now))]
    }

    fn reject_order(&self, id: &str, invalid: Invalid, now: Instant) -> Vec<Action> {
        self.reject(Invalid { command_id: Some(id.into()), ..invalid }, now)
    }

    fn heartbeat(&self, echo: Timestamp, view: &dyn View, now: Instant) -> Vec<Action> {
        let state = |standing: Standing| {
            let Standing { stream, seq, lag } = standing;
            let epoch = self.cursors.get(&stream)?.epoch().clone();
            Some(StreamState { epoch, lag, seq, stream })
        };
        let streams = self.standing(view).into_iter().filter_map(state).collect();
        let summary = view.window(&self.own).and_then(|window| self.voice.summary(&window));
        let server_time = self.voice.time(now);
        let ack = HeartbeatAck { echo, server_time, streams, summary };
        vec![Action::Say(self.voice.say(&ServerMessage::HeartbeatAck(ack), now))]
    }

    /// S0-58: what is held is sent again, what is not is settled by a snapshot.
    fn data_lost(
        &mut self,
        stream: Option<StreamName>,
        epoch: Option<Epoch>,
        ranges: &[Range],
        view: &dyn View,
        now: Instant,
    ) -> Result<Vec<Action>, Invalid> {
        let stream = stream.unwrap_or_else(|| self.own.clone());
        let unknown = || {
            let detail = format!("'{stream}' is not followed here");
            Invalid::field(InvalidCode::UnknownStream, "stream", detail)
        };
        let window = view.window(&stream).ok_or_else(unknown)?;
        let cursor = self.cursors.get_mut(&stream).ok_or_else(unknown)?;
        let name = foreign(&stream, &self.own);
        let epoch = epoch.unwrap_or_else(|| cursor.epoch().clone());
        if epoch != *window.epoch() || epoch != *cursor.epoch() {
            let gone = ranges.iter().map(|(from, to)| (*from, Some(*to))).collect();
            let answer = DataRecovered { epoch, gone, ranges: Vec::new() };
            let gaps = ranges.len() as u64;
            let fact = Fact::Recovered { path: Path::DataLost, gaps, remedy: Remedy::Gone };
            let said = self.voice.say_of(name, &answer.into(), now);
            return Ok(vec![Action::Say(said), Action::Ask(Request::Count(fact))]);
        }
        let top = cursor.number(window.top());
        if ranges.iter().any(|(_, to)| *to > top) {
            let detail = format!("the last number is {top}");
            return Err(Invalid::field(InvalidCode::OutOfRange, "ranges", detail));
        }
        let ranges = fresh(&mut self.repaired, &stream, ranges, now);
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let mut actions = vec![Action::Ask(Request::Record(Incident::DataLost(written(&ranges))))];
        let telling = Telling { window: &window, voice: &self.voice, stream: name, now };
        let outcome = cursor.repair(ranges, telling, &mut actions);
        drop(window);
        if let Err(TooSlow) = outcome {
            actions.extend(self.part_with_the_slow());
        }
        Ok(actions)
    }

    fn subscribe(&mut self, names: &[String], view: &dyn View, now: Instant) -> Vec<Action> {
        let mut answer = Subscribed { refused: Vec::new(), streams: Vec::new() };
        let mut joins = Vec::new();
        for name in names.iter().take(MOST_NAMES) {
            match self.admitted(name, joins.len(), view) {
                Ok((stream, epoch)) => {
                    if !self.cursors.contains_key(&stream) && !joins.contains(&stream) {
                        joins.push(stream.clone());
                    }
                    answer.streams.push(SubscribedStream { epoch, stream });
                }
                Err(reason) => {
                    answer.refused.push(Refused { reason: reason.into(), stream: name.clone() });
                }
            }
        }
        let text = self.voice.say(&ServerMessage::Subscribed(answer), now);
        let mut actions = vec![Action::Say(text)];
        for stream in joins {
            self.join(&stream, view, now, &mut actions);
        }
        actions
    }

    fn admitted(
        &self,
        name: &str,
        joining: usize,
        view: &dyn View,
    ) -> Result<(StreamName, Epoch), &'static str> {
        let stream: StreamName = name.parse().map_err(|_| NO_SUCH_STREAM)?;
        let window = view.window(&stream).ok_or(NO_SUCH_STREAM)?;
        if !self.guest.rights.may_follow(&stream) {
            return Err("NOT_PERMITTED");
        }
        if window.top() == Offset(0) {
            return Err("NOT_READY");
        }
        let is_followed = self.cursors.contains_key(&stream);
        if !is_followed && self.cursors.len() + joining >= MOST_STREAMS {
            return Err("TOO_MANY");
        }
        Ok((stream, window.epoch().clone()))
    }

    /// Leaves all of them, or none where one cannot be left.
    fn unsubscribe(&mut self, names: &[String]) -> Result<Vec<Action>, Invalid> {
        let names = names.iter().take(MOST_NAMES);
        let streams: BTreeSet<_> =
            names.map(|name| self.leavable(name)).collect::<Result<_, _>>()?;
        let leave = |stream: StreamName| {
            self.cursors.remove(&stream);
            Action::Ask(Request::Leave(stream))
        };
        Ok(streams.into_iter().map(leave).collect())
    }

    /// The stream of that name, if it can be left.
    fn leavable(&self, name: &str) -> Result<StreamName, Invalid> {
        let refused = |detail| Invalid::field(InvalidCode::UnknownStream, "streams", detail);
        let stream = name.parse().ok().filter(|stream| self.cursors.contains_key(stream));
        let stream = stream.ok_or_else(|| refused(format!("'{name}' is not followed here")))?;
        if stream == self.own {
            return Err(refused("a connection always carries the stream of its device".into()));
        }
        Ok(stream)
    }
}

/// Why a frame is not carried out.
enum Unverified {
    Invalid(Invalid),
    Tampered(Option<String>),
}

/// The ranges that were not answered a moment ago already.
fn fresh(
    answered: &mut std::collections::VecDeque<Answered>,
    stream: &StreamName,
    ranges: &[Range],
    now: Instant,
) -> Vec<Range> {
    answered.retain(|answer| now.since(answer.at) < MERGED);
    let is_fresh = |range: &&Range| {
        let same = |answer: &Answered| answer.stream == *stream && answer.range == **range;
        !answered.iter().any(same)
    };
    let fresh: Vec<Range> = ranges.iter().filter(is_fresh).copied().collect();
    let note = |range: &Range| Answered { stream: stream.clone(), range: *range, at: now };
    answered.extend(fresh.iter().map(note));
    fresh
}

/// Ranges as a log line shows them.
fn written(ranges: &[Range]) -> String {
    let one = |(from, to): &Range| format!("{from}-{to}");
    ranges.iter().take(LOGGED).map(one).collect::<Vec<_>>().join(",")
}

/// Requests for the same numbers within a second are one (`native-wire` 4).
const MERGED: Duration = Duration::from_secs(1);

/// What one connection may follow.
pub(super) const MOST_STREAMS: usize = 64;

/// What one request may name.
const MOST_NAMES: usize = 256;

const LOGGED: usize = 8;

const NO_SUCH_STREAM: &str = "NO_SUCH_STREAM";
