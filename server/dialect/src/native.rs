//! S0's dialect at `/ws/device`: numbered, sealed frames, and their repair.

mod coming_back;
mod cursor;
mod requests;
mod voice;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use engine::throttle::Throttle;
use engine::{Notice, PushStrategy};
use protocol::command::Reply;
use protocol::digest::Seal;
use protocol::frame::Offset;
use protocol::id::{ConnectionId, DeviceId, Epoch};
use protocol::journal::Base;
use protocol::small::SmallMap;
use protocol::stream::StreamName;
use protocol::time::Instant;
use protocol::wire::CloseCode;
use protocol::wire::native::{ConnectSuccess, ConnectionLost, ServerMessage};

use crate::{Action, Dialect, Heard, Incident, Request, Standing, View};
use coming_back::Stood;
use cursor::{Cursor, Telling, TooSlow};
use voice::Voice;
pub use voice::refusal;

/// What is the same for all connections.
#[derive(Clone, Debug)]
pub struct Settings {
    pub seal: Seal,
    /// That of the key before: clients that do not know the new one yet are understood.
    pub former_seal: Option<Seal>,
    /// How often a client gives a sign of life (S0-37); three silences end a connection (S0-39).
    pub heartbeat_interval: Duration,
    pub push: PushStrategy,
    pub server_version: String,
    /// Frames of streams tell when they were made: for those who measure.
    pub timed: bool,
}

/// Who is at the other end.
#[derive(Clone, Debug)]
pub struct Guest {
    pub device: DeviceId,
    pub connection: ConnectionId,
    /// Where the numbers of a former stay began; `None` for a newcomer.
    pub resumed: Option<SmallMap<StreamName, Base>>,
    pub user: String,
    pub role: String,
    pub rights: Rights,
}

/// What somebody may do on a connection.
#[derive(Clone, Debug)]
pub struct Rights {
    pub may_command: bool,
    /// `None`: every stream there is.
    pub streams: Option<Arc<BTreeSet<StreamName>>>,
}

impl Rights {
    fn may_follow(&self, stream: &StreamName) -> bool {
        self.streams.as_ref().is_none_or(|streams| streams.contains(stream))
    }
}

/// Everything.
impl Default for Rights {
    fn default() -> Self {
        Self { may_command: true, streams: None }
    }
}

/// One connection of the native wire.
#[derive(Debug)]
pub struct Native {
    settings: Arc<Settings>,
    guest: Guest,
    voice: Voice,
    /// The stream of the connection's device.
    own: StreamName,
    cursors: SmallMap<StreamName, Cursor>,
    /// The run of the server that this connection knows of.
    run: Option<Epoch>,
    /// Until when a returning client may say where it was.
    resume_until: Option<Instant>,
    throttle: Throttle,
    heard_at: Instant,
    is_closed: bool,
    /// Repairs that were answered a moment ago.
    repaired: VecDeque<requests::Answered>,
}

impl Native {
    pub fn new(settings: Arc<Settings>, guest: Guest, now: Instant) -> Self {
        Self {
            voice: Voice::new(Arc::clone(&settings), guest.device.clone()),
            own: StreamName::Device(guest.device.clone()),
            cursors: SmallMap::default(),
            run: None,
            resume_until: guest.resumed.is_some().then(|| now + RESUME_WAIT),
            throttle: Throttle::new(BURST, STEADY, now),
            heard_at: now,
            is_closed: false,
            repaired: VecDeque::new(),
            settings,
            guest,
        }
    }

    fn silent_at(&self) -> Instant {
        self.heard_at + self.settings.heartbeat_interval * MISSED_BEATS
    }

    fn close(&mut self, code: CloseCode) -> Action {
        self.is_closed = true;
        Action::Close(code)
    }

    /// Starts the own stream as soon as it is known where.
    fn start(&mut self, view: &dyn View, now: Instant, actions: &mut Vec<Action>) {
        let waits = self.resume_until.is_some_and(|until| now < until);
        if waits || self.cursors.contains_key(&self.own) {
            return;
        }
        self.resume_until = None;
        let own = self.own.clone();
        let known = self.guest.resumed.take().and_then(|mut bases| bases.remove(&own));
        if let Some(window) = view.window(&own)
            && let Some(old) = known.filter(|base| base.epoch != *window.epoch())
        {
            self.tell_restart(&old.epoch, &window, now, actions);
        }
        self.join(&own, view, now, actions);
    }

    /// Follows a stream from a snapshot of it; `false` as long as there is nothing to follow.
    fn join(
        &mut self,
        stream: &StreamName,
        view: &dyn View,
        now: Instant,
        actions: &mut Vec<Action>,
    ) -> bool {
        let Some(window) = view.window(stream).filter(|window| window.top() > Offset(0)) else {
            return false;
        };
        let cursor = Cursor::join(&window, now);
        let (base, name) = (cursor.base(), foreign(stream, &self.own));
        actions.push(Action::Ask(Request::Follow { stream: stream.clone(), base }));
        actions.push(Action::Say(self.voice.snapshot(&cursor, name, &window, None)));
        self.run = Some(window.epoch().clone());
        self.cursors.insert(stream.clone(), cursor);
        true
    }

    /// Tells what is new of one stream.
    fn tell_of(
        &mut self,
        stream: &StreamName,
        view: &dyn View,
        now: Instant,
        actions: &mut Vec<Action>,
    ) -> Result<(), TooSlow> {
        let Some(window) = view.window(stream) else { return Ok(()) };
        let Some(cursor) = self.cursors.get_mut(stream) else { return Ok(()) };
        if cursor.epoch() != window.epoch() {
            let stood = Stood::at(cursor);
            drop(window);
            self.restart(stream, &stood, view, now, actions);
            return Ok(());
        }
        for notice in cursor.notices(&window) {
            actions.extend(told(&self.voice, &self.guest.connection, notice, now));
        }
        let name = foreign(stream, &self.own);
        cursor.catch_up(Telling { window: &window, voice: &self.voice, stream: name, now }, actions)
    }

    /// The client's position is kept; on a fresh socket it gets what is true by then.
    fn part_with_the_slow(&mut self) -> Vec<Action> {
        vec![Action::Ask(Request::Record(Incident::Slow)), self.close(CloseCode::Slow)]
    }
}

/// The name to put into frames of `stream`: none for the connection's own.
fn foreign<'a>(stream: &'a StreamName, own: &StreamName) -> Option<&'a StreamName> {
    (stream != own).then_some(stream)
}

impl Dialect for Native {
    fn open(&mut self, view: &dyn View, now: Instant) -> Vec<Action> {
        self.voice.set_clock(view.clock());
        let Some(epoch) = view.window(&self.own).map(|window| window.epoch().clone()) else {
            return vec![self.close(CloseCode::UnknownDevice)];
        };
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let welcome = ServerMessage::ConnectSuccess(ConnectSuccess {
            connection_id: self.guest.connection.clone(),
            epoch,
            full_snapshot_interval_ms: millis(self.settings.push.full_snapshot_interval),
            heartbeat_interval_ms: millis(self.settings.heartbeat_interval),
            resumed: self.guest.resumed.is_some(),
            role: self.guest.role.clone(),
            server_version: self.settings.server_version.clone(),
            user: self.guest.user.clone(),
        });
        vec![Action::Say(self.voice.say(&welcome, now))]
    }

    fn hear(&mut self, heard: Heard<'_>, view: &dyn View, now: Instant) -> Vec<Action> {
        if self.is_closed {
            return Vec::new();
        }
        self.heard_at = now;
        self.voice.set_clock(view.clock());
        requests::answer(self, heard, view, now)
    }

    fn answer(&mut self, id: &str, reply: Reply, view: &dyn View, now: Instant) -> Vec<Action> {
        if self.is_closed {
            return Vec::new();
        }
        self.voice.set_clock(view.clock());
        self.reply(id, reply, now)
    }

    fn tell(&mut self, view: &dyn View, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.is_closed {
            return actions;
        }
        self.voice.set_clock(view.clock());
        self.start(view, now, &mut actions);
        let streams: Vec<StreamName> = self.cursors.keys().cloned().collect();
        for stream in streams {
            if let Err(TooSlow) = self.tell_of(&stream, view, now, &mut actions) {
                actions.extend(self.part_with_the_slow());
                break;
            }
        }
        actions
    }

    fn tick(&mut self, view: &dyn View, now: Instant) -> Vec<Action> {
        if self.is_closed || now < self.silent_at() {
            return Vec::new();
        }
        self.voice.set_clock(view.clock());
        let silent = now.since(self.heard_at);
        let lost = ServerMessage::ConnectionLost(ConnectionLost {
            at: self.voice.time(now),
            connection_id: self.guest.connection.clone(),
            silent_ms: u64::try_from(silent.as_millis()).unwrap_or(u64::MAX),
        });
        vec![
            Action::Say(self.voice.say(&lost, now)),
            Action::Ask(Request::Lost(silent)),
            self.close(CloseCode::Silent),
        ]
    }

    fn wake_at(&self) -> Option<Instant> {
        if self.is_closed {
            return None;
        }
        let silent_at = self.silent_at();
        Some(self.resume_until.map_or(silent_at, |until| until.min(silent_at)))
    }

    fn standing(&self, view: &dyn View) -> Vec<Standing> {
        let standing = |(stream, cursor): (&StreamName, &Cursor)| {
            // A run that has just ended is told of first.
            let window = view.window(stream).filter(|window| window.epoch() == cursor.epoch())?;
            Some(Standing { stream: stream.clone(), seq: cursor.said(), lag: cursor.lag(&window) })
        };
        self.cursors.iter().filter_map(standing).collect()
    }
}

/// A notice in our words, but for what we know ourselves.
fn told(voice: &Voice, own: &ConnectionId, notice: Notice, now: Instant) -> Option<Action> {
    match notice {
        Notice::ConnectionLost(lost) if lost.connection_id == *own => None,
        Notice::ConnectionLost(lost) => {
            Some(Action::Say(voice.say(&ServerMessage::ConnectionLost(lost), now)))
        }
    }
}

/// S0-39: as many heartbeats may be missed.
const MISSED_BEATS: u32 = 3;

/// How long a returning client has to say where it was.
const RESUME_WAIT: Duration = Duration::from_secs(2);

/// Twenty frames a second, forty at once (`native-wire` 9).
const BURST: u32 = 40;
const STEADY: Duration = Duration::from_millis(50);
