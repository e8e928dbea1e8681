//! Keeps a client in touch with the server: when to dial, when to beat, when to give up.

mod commands;
mod greeting;
mod live;

use protocol::digest::Seal;
use protocol::frame::Update;
use protocol::id::{ConnectionId, DeviceId, Epoch};
use protocol::stream::StreamName;
use protocol::time::{Clock, Instant, Timestamp};
use protocol::wire::CloseCode;
use protocol::wire::cut::cut;
use protocol::wire::native::{
    ClientFrame, ClientMessage, FailReason, ServerFrame, ServerMessage, seal_text,
};

use crate::backoff::{Backoff, Pause};
use crate::event::{Action, Event, News, Notice, Resumption};
use crate::heartbeat::Heartbeat;
use crate::pending::Pending;
use crate::policy::Policy;
use crate::server_time::ServerTime;
use crate::status::{Ending, LinkState, Status};
use crate::streams::Streams;
use crate::vitals::Vitals;

/// What a session needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The device whose stream the connection carries.
    pub device: DeviceId,
    /// How frames are sealed, until [`Event::Granted`] tells otherwise.
    pub seal: Seal,
    pub policy: Policy,
    /// Spreads the tries of many clients; any number.
    pub seed: u64,
    /// Tells the wall-clock time of the frames that are sent.
    pub clock: Clock,
    /// What an earlier page left behind.
    pub resume: Option<Resumption>,
}

/// One client's stay, through all its losses and retries.
#[derive(Debug)]
pub struct Session {
    device: DeviceId,
    seal: Seal,
    policy: Policy,
    clock: Clock,
    state: State,
    backoff: Backoff,
    /// All tries of the series failed.
    failed: bool,
    connection: Option<ConnectionId>,
    epoch: Option<Epoch>,
    /// The last run of the server that said it had been started.
    restarted: Option<Epoch>,
    server_version: Option<String>,
    server_time: ServerTime,
    streams: Streams,
    pending: Pending,
    vitals: Vitals,
    announced: Option<Status>,
}

#[derive(Debug)]
enum State {
    Waiting { until: Instant },
    Dialing { until: Instant },
    Greeting { until: Instant },
    Live { since: Instant, heart: Heartbeat },
    Refused { reason: FailReason, detail: String },
    Ended,
}

impl Session {
    /// A session that dials at its first tick, which is due at once.
    pub fn new(config: Config, now: Instant) -> Self {
        let ours = |resumption: &Resumption| resumption.device == config.device;
        let (connection, kept) = match config.resume.filter(ours) {
            Some(resumption) => (Some(resumption.connection), resumption.streams),
            None => (None, Vec::new()),
        };
        Self {
            streams: Streams::new(config.policy, config.device.clone(), kept, now),
            pending: Pending::new(config.policy.command),
            device: config.device,
            seal: config.seal,
            policy: config.policy,
            clock: config.clock,
            state: State::Waiting { until: now },
            backoff: Backoff::new(config.policy, config.seed),
            failed: false,
            connection,
            epoch: None,
            restarted: None,
            server_version: None,
            server_time: ServerTime::default(),
            vitals: Vitals::default(),
            announced: None,
        }
    }

    /// Takes one event and says what to do about it, in order.
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        let mut actions = match (event, &mut self.state) {
            (_, State::Ended) => return Vec::new(),
            (Event::Leave, _) => self.leave(),
            (Event::Want(names), _) => self.want(names, now),
            (Event::Command { device, id, name, param }, _) => {
                self.command(device, id, name, param, now)
            }
            (Event::Say(text), State::Live { .. }) => {
                vec![Action::Send(seal_text(&self.seal, &text))]
            }
            (Event::Granted(seal), _) => {
                self.seal = seal;
                Vec::new()
            }

            (Event::Tick, State::Waiting { until }) if *until <= now => self.dial(now),
            (Event::Tick, State::Dialing { until } | State::Greeting { until })
                if *until <= now =>
            {
                self.hang_up(Ending::NoAnswer, CloseCode::Normal, now)
            }
            (Event::Tick, State::Live { .. }) => self.pulse(now),

            (Event::Opened, State::Dialing { .. }) => self.greet(now),
            (Event::Heard(text), State::Greeting { .. }) => self.hear_greeting(&text, now),
            (Event::Heard(text), State::Live { .. }) => self.hear(&text, now),
            (
                Event::Closed(code),
                State::Dialing { .. } | State::Greeting { .. } | State::Live { .. },
            ) => self.on_closed(code, now),

            (Event::Online | Event::Visible, State::Live { heart, .. }) => {
                let is_due = heart.nudge(now, self.clock.at(now));
                is_due.then(|| self.say(ClientMessage::Heartbeat, now)).into_iter().collect()
            }
            (
                Event::Online | Event::Visible | Event::Retry,
                State::Dialing { .. } | State::Greeting { .. },
            ) => self.restart(),
            (Event::Online | Event::Visible | Event::Retry, State::Waiting { .. })
            | (Event::Retry, State::Refused { .. }) => {
                self.backoff.restart();
                self.failed = false;
                self.dial(now)
            }
            _ => Vec::new(),
        };
        actions.extend(self.ask(now));
        actions.extend(self.hurry(now));
        actions.extend(self.announce());
        actions
    }

    /// When a tick will next matter; `None` until something else happens.
    pub fn wake_at(&self) -> Option<Instant> {
        let at = match &self.state {
            State::Waiting { until } | State::Dialing { until } | State::Greeting { until } => {
                Some(*until)
            }
            State::Live { heart, .. } => {
                self.streams.ask_at().into_iter().chain([heart.due_at()]).min()
            }
            State::Refused { .. } => None,
            State::Ended => return None,
        };
        at.into_iter().chain(self.pending.due_at()).min()
    }

    /// The connection as an operator sees it.
    pub fn status(&self) -> Status {
        let missed_beats = match &self.state {
            State::Live { heart, .. } => heart.missed(),
            _ => 0,
        };
        Status {
            state: self.link_state(),
            device: self.device.clone(),
            connection: self.connection.clone(),
            epoch: self.epoch.clone(),
            seq: self.streams.own().and_then(|own| own.last()),
            server_version: self.server_version.clone(),
            rtt: self.vitals.rtt,
            missed_beats,
            lost: self.vitals.lost,
            repaired: self.vitals.repaired,
            reconnects: self.vitals.reconnects,
            tampered: self.vitals.tampered,
            data_until: self.vitals.data_until,
            ended: self.vitals.ended,
        }
    }

    /// What a stream tells in sum; `None` if it is not followed.
    pub fn table(&self, stream: &StreamName) -> Option<&Update> {
        self.streams.table(stream)
    }

    /// The server's time at this moment; `None` before the first connection.
    pub fn server_time(&self, now: Instant) -> Option<Timestamp> {
        self.server_time.at(now)
    }

    /// The latest that the server's time can be; `None` until it has answered a beat of this
    /// connection. A recorded answer tells nothing: it echoes no beat that awaits one.
    pub fn latest_server_time(&self, now: Instant) -> Option<Timestamp> {
        self.server_time.at_most(now)
    }

    fn link_state(&self) -> LinkState {
        let tries = self.backoff.tries();
        match &self.state {
            State::Waiting { until } | State::Dialing { until } | State::Greeting { until }
                if self.failed =>
            {
                LinkState::Failed { until: *until }
            }
            State::Waiting { until } if self.vitals.ended.is_some() => {
                LinkState::Waiting { tries, until: *until }
            }
            State::Waiting { .. } | State::Dialing { .. } => LinkState::Dialing { tries },
            State::Greeting { .. } => LinkState::Greeting { tries },
            State::Live { since, .. } => LinkState::Live { since: *since },
            State::Refused { reason, detail } => {
                LinkState::Refused { reason: *reason, detail: detail.clone() }
            }
            // Nobody is left to look.
            State::Ended => LinkState::Dialing { tries },
        }
    }

    /// Goes on with the series, or says that it failed.
    fn retry(&mut self, ending: Ending, now: Instant) {
        self.end(ending, now);
        let until = match self.backoff.pause() {
            Pause::Short(pause) => now + pause,
            Pause::Long(pause) => {
                self.failed = true;
                now + pause
            }
        };
        self.state = State::Waiting { until };
    }

    fn refuse(&mut self, reason: FailReason, detail: String, ending: Ending, now: Instant) {
        self.end(ending, now);
        self.failed = false;
        self.state = State::Refused { reason, detail };
    }

    fn end(&mut self, ending: Ending, now: Instant) {
        let stay = match &self.state {
            State::Live { since, .. } => Some(now.since(*since)),
            _ => None,
        };
        if let Some(stay) = stay {
            self.backoff.on_stay(stay);
        }
        self.vitals.end(ending, stay.is_some(), now);
    }

    fn hang_up(&mut self, ending: Ending, code: CloseCode, now: Instant) -> Vec<Action> {
        self.retry(ending, now);
        vec![Action::HangUp(code)]
    }

    fn on_closed(&mut self, code: CloseCode, now: Instant) -> Vec<Action> {
        let ending = Ending::Closed(code);
        let reason = match code {
            CloseCode::TakenOver => {
                self.connection = None;
                None
            }
            CloseCode::Unauthenticated | CloseCode::Unauthorized => Some(FailReason::Unauthorized),
            CloseCode::Refused => Some(FailReason::UnsupportedVersion),
            CloseCode::UnknownDevice => Some(FailReason::DeviceNotFound),
            _ => None,
        };
        match reason {
            Some(reason) => {
                let detail = format!("the server closed with code {}", code.number());
                self.refuse(reason, detail, ending, now);
            }
            None => self.retry(ending, now),
        }
        Vec::new()
    }

    fn leave(&mut self) -> Vec<Action> {
        let is_open = !matches!(self.state, State::Waiting { .. } | State::Refused { .. });
        self.state = State::Ended;
        let remember = self.connection.clone().map(|connection| {
            let (device, streams) = (self.device.clone(), self.streams.keep());
            Action::Remember(Resumption { connection, device, streams })
        });
        remember.into_iter().chain(is_open.then_some(Action::HangUp(CloseCode::Normal))).collect()
    }

    fn say(&self, message: ClientMessage, now: Instant) -> Action {
        self.say_to(&self.device, message, now)
    }

    fn say_to(&self, device: &DeviceId, message: ClientMessage, now: Instant) -> Action {
        let frame = ClientFrame::new(message, device, self.clock.at(now));
        Action::Send(frame.write(&self.seal))
    }

    fn announce(&mut self) -> Option<Action> {
        let status = self.status();
        if matches!(self.state, State::Ended) || self.announced.as_ref() == Some(&status) {
            return None;
        }
        self.announced = Some(status.clone());
        Some(Action::Announce(status))
    }

    /// Reads a text and checks its code; CONNECT_FAIL alone has none.
    fn read(&self, text: &str) -> Letter {
        let sealed = cut(text).is_ok_and(|cut| self.seal.matches(&cut.pieces, cut.checksum));
        match ServerFrame::read(text) {
            Ok(frame) if sealed || matches!(frame.message, ServerMessage::ConnectFail(_)) => {
                Letter::Sound(Box::new(frame))
            }
            Ok(frame) => Letter::Damaged(Some(Box::new(frame))),
            Err(_) if sealed => Letter::Foreign,
            Err(_) => Letter::Damaged(None),
        }
    }

    fn spoil(&mut self) -> Action {
        self.vitals.tampered = self.vitals.tampered.saturating_add(1);
        Action::Apply(News::Notice(Notice::Tampered))
    }
}

/// A text that came.
enum Letter {
    Sound(Box<ServerFrame>),
    /// The check code is wrong; what the frame claims to be, as far as that can be read.
    Damaged(Option<Box<ServerFrame>>),
    /// Sealed by the server, and not in words that we know.
    Foreign,
}
