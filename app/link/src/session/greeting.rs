//! From the first ring until the server has said who we are.

use std::time::Duration;

use protocol::time::Instant;
use protocol::wire::CloseCode;
use protocol::wire::native::{ConnectFail, ConnectSuccess, FailReason, ServerMessage};

use super::{Letter, Session, State};
use crate::event::{Action, Resumption};
use crate::heartbeat::Heartbeat;
use crate::server_time::ServerTime;
use crate::status::Ending;

impl Session {
    pub(super) fn dial(&mut self, now: Instant) -> Vec<Action> {
        // The very first is no try of a series: nothing has been lost yet.
        if self.vitals.ended.is_some() {
            self.backoff.on_try();
        }
        self.state = State::Dialing { until: now + self.policy.dial_limit };
        let connection = self.connection.clone().filter(|_| self.streams.can_resume());
        vec![Action::Dial { connection }]
    }

    /// A new series begins with the try that is under way.
    pub(super) fn restart(&mut self) -> Vec<Action> {
        self.failed = false;
        self.backoff.restart();
        if self.vitals.ended.is_some() {
            self.backoff.on_try();
        }
        Vec::new()
    }

    pub(super) fn greet(&mut self, now: Instant) -> Vec<Action> {
        self.state = State::Greeting { until: now + self.policy.greet_limit };
        Vec::new()
    }

    pub(super) fn hear_greeting(&mut self, text: &str, now: Instant) -> Vec<Action> {
        match self.read(text) {
            Letter::Sound(frame) => match frame.message {
                ServerMessage::ConnectSuccess(success) => {
                    self.server_time = ServerTime::default();
                    self.server_time.note(frame.timestamp, now);
                    self.on_success(success, now)
                }
                ServerMessage::ConnectFail(fail) => self.on_fail(fail, now),
                _ => Vec::new(),
            },
            Letter::Damaged(_) => vec![self.spoil()],
            Letter::Foreign => Vec::new(),
        }
    }

    fn on_success(&mut self, success: ConnectSuccess, now: Instant) -> Vec<Action> {
        let every = Duration::from_millis(success.heartbeat_interval_ms);
        let every = if every.is_zero() { self.policy.beat } else { every.clamp(FASTEST, SLOWEST) };
        let heart = Heartbeat::new(every, self.policy.beats_missed, now);
        let (said, news) = self.streams.connect(&success, now, &mut self.vitals);
        self.state = State::Live { since: now, heart };
        self.failed = false;
        self.vitals.stand();
        self.connection = Some(success.connection_id.clone());
        self.epoch = Some(success.epoch);
        self.server_version = Some(success.server_version);

        // From now on the numbers that an earlier page left behind mean nothing.
        let device = self.device.clone();
        let resumption = Resumption { connection: success.connection_id, device, streams: vec![] };
        let mut actions = vec![Action::Remember(resumption)];
        actions.extend(said.into_iter().map(|message| self.say(message, now)));
        actions.extend(news.into_iter().map(Action::Apply));
        actions.extend(self.pulse(now));
        actions
    }

    fn on_fail(&mut self, fail: ConnectFail, now: Instant) -> Vec<Action> {
        if fail.reason == FailReason::Limit {
            return self.hang_up(Ending::Closed(CloseCode::Limit), CloseCode::Normal, now);
        }
        let code = match fail.reason {
            FailReason::DeviceNotFound => CloseCode::UnknownDevice,
            FailReason::UnsupportedVersion => CloseCode::Refused,
            FailReason::Limit | FailReason::Unauthorized => CloseCode::Unauthorized,
        };
        self.refuse(fail.reason, fail.detail, Ending::Closed(code), now);
        vec![Action::HangUp(CloseCode::Normal)]
    }
}

/// Whatever a server asks for, no client beats faster than this, and none slower than the next.
const FASTEST: Duration = Duration::from_secs(1);
const SLOWEST: Duration = Duration::from_secs(60);
