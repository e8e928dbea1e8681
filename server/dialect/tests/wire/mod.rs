//! A wire in virtual time that delays, loses, repeats and is cut, and the client at its end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use dialect::native::{Guest, Native, Rights, Settings};
use dialect::{Action, Dialect as _, Heard, Request, Said};
use engine::{Admission, Arrival, Asker, Event};
use link::{Config, News, Policy, Progress, Resumption, Session};
use protocol::digest::Seal;
use protocol::frame::EventId;
use protocol::id::{ConnectionId, DeviceId};
use protocol::journal::Base;
use protocol::small::SmallMap;
use protocol::stream::StreamName;
use protocol::time::Instant;
use protocol::wire::CloseCode;
use protocol::wire::native::ServerFrame;

use crate::world::{self, World};

/// A small generator, so that a printed seed is all it takes to see a run again.
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn hits(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// What the wire does to what crosses it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Of a hundred frames of streams and of repairs.
    pub(crate) lost: u64,
    pub(crate) repeated: u64,
    pub(crate) longest_delay: u64,
    /// Cuts, of a thousand deliveries.
    pub(crate) cut: u64,
    /// Dialling fails, of a hundred tries.
    pub(crate) refused: u64,
    /// Of a hundred clients, how many read no more than some hundred bytes a second.
    pub(crate) slow: u64,
}

pub(crate) struct Client {
    pub(crate) session: Session,
    /// How often each key event was applied, in the life of the present page.
    pub(crate) happened: BTreeMap<Key, u32>,
    /// The key events that any page of this client applied.
    pub(crate) seen: BTreeSet<Key>,
    /// Key events whose frame the wire lost.
    pub(crate) vanished: BTreeSet<Key>,
    /// Times of which the client was told that key events may be missing.
    pub(crate) blind: Vec<Blind>,
    /// Since when each stream is known.
    pub(crate) first_table: BTreeMap<StreamName, Instant>,
    pub(crate) joins: u32,
    pub(crate) pages: u32,
    /// Restarts of the server that it was told of.
    pub(crate) restarts: u32,
    /// Snapshots that stood for other frames, but for those of repairs.
    pub(crate) conflated: u32,
    /// What became of each order, word for word.
    pub(crate) orders: BTreeMap<String, Vec<Progress>>,
    /// When each stream was last known to be whole.
    sure: BTreeMap<StreamName, Instant>,
    wants: BTreeSet<StreamName>,
    kept: Option<Resumption>,
    /// Bytes a second; `None` for a client that reads all at once.
    rate: Option<u64>,
    pub(crate) name: u64,
    device: DeviceId,
    seal: Seal,
    socket: Option<Socket>,
    sockets: u64,
    closed_at: Option<(Instant, CloseCode)>,
    opened_at: Option<Instant>,
}

/// A time of which a client was told that key events may be missing.
#[derive(Debug)]
pub(crate) struct Blind {
    pub(crate) stream: StreamName,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
}

/// A key event in its stream.
pub(crate) type Key = (StreamName, EventId);

struct Socket {
    native: Native,
    connection: ConnectionId,
    to_server: VecDeque<(Instant, String)>,
    to_client: VecDeque<(Instant, String)>,
    closing: Option<CloseCode>,
}

impl Client {
    /// A page of `device` that also shows the streams it `wants`.
    pub(crate) fn new(
        name: u64,
        device: &str,
        wants: &[&str],
        seal: Seal,
        seed: u64,
        now: Instant,
    ) -> Self {
        let device: DeviceId = device.parse().unwrap();
        let session = Session::new(config(&device, &seal, seed, None), now);
        let mut client = Self {
            session,
            happened: BTreeMap::new(),
            seen: BTreeSet::new(),
            vanished: BTreeSet::new(),
            blind: Vec::new(),
            first_table: BTreeMap::new(),
            joins: 0,
            pages: 1,
            restarts: 0,
            conflated: 0,
            orders: BTreeMap::new(),
            sure: BTreeMap::new(),
            wants: wants.iter().map(|name| name.parse().unwrap()).collect(),
            kept: None,
            rate: None,
            name,
            device,
            seal,
            socket: None,
            sockets: 0,
            closed_at: None,
            opened_at: None,
        };
        client.session.handle(link::Event::Want(client.wants.clone()), now);
        client
    }

    /// Every stream that it follows.
    pub(crate) fn follows(&self) -> impl Iterator<Item = StreamName> {
        self.wants.iter().cloned().chain([self.own()])
    }

    /// From now on it reads so many bytes a second.
    pub(crate) fn read_slowly(&mut self, rate: Option<u64>) {
        self.rate = rate;
    }

    /// The page goes, and another takes its place a moment later.
    pub(crate) fn reload(&mut self, world: &mut World, weather: Weather, dice: &mut Dice) {
        self.event(link::Event::Leave, world, weather, dice);
        self.hang_up(world);
        (self.opened_at, self.closed_at) = (None, None);
        self.happened.clear();
        self.pages += 1;
        let kept = self.kept.take();
        let seed = dice.roll(u64::MAX);
        self.session = Session::new(config(&self.device, &self.seal, seed, kept), world.now);
        self.event(link::Event::Want(self.wants.clone()), world, weather, dice);
    }

    /// Gives an order, connected or not.
    pub(crate) fn order(&mut self, world: &mut World, weather: Weather, dice: &mut Dice) {
        let (name, param) = match dice.roll(5) {
            0 => ("START", None),
            1 => ("STOP", None),
            2 => ("RESET_ERROR", Some("E001".into())),
            3 => ("SET_POLL_INTERVAL", Some("2".into())),
            _ => ("SET_TEMP_THRESHOLD", Some(dice.roll(50).to_string())),
        };
        let id = format!("{}/{}", self.name, self.orders.len());
        self.orders.insert(id.clone(), Vec::new());
        note(self.name, world.now, "orders", &id);
        let event =
            link::Event::Command { device: self.device.clone(), id, name: name.into(), param };
        self.event(event, world, weather, dice);
    }

    /// The server closes its end, and keeps the client's place.
    pub(crate) fn depart(&mut self, world: &mut World) {
        if let Some(socket) = &self.socket {
            world.event(Event::Departed(socket.connection.clone()));
        }
    }

    /// The server's process is gone, or goes.
    pub(crate) fn lose_server(&mut self, code: CloseCode, now: Instant) {
        if self.socket.take().is_some() || self.opened_at.take().is_some() {
            self.opened_at = None;
            self.closed_at = Some((now, code));
        }
    }

    pub(crate) fn own(&self) -> StreamName {
        StreamName::Device(self.device.clone())
    }

    /// Whether it holds everything that the server has: nothing is on its way, nothing missing.
    pub(crate) fn is_even(&self, world: &World) -> bool {
        let Some(socket) = self.socket.as_ref().filter(|_| world.is_up) else { return false };
        let (own, status) = (self.own(), self.session.status());
        let standing = socket.native.standing(&world.windows);
        let is_told = standing.iter().any(|standing| {
            standing.stream == own && standing.lag == 0 && Some(standing.seq) == status.seq
        });
        let is_quiet = socket.to_client.is_empty() && socket.to_server.is_empty();
        status.is_live() && is_told && is_quiet && status.lost == status.repaired
    }

    /// When something will next happen at this client or on its wire.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        let socket = self.socket.iter().flat_map(|socket| {
            let heads = [socket.to_server.front(), socket.to_client.front()];
            heads.into_iter().flatten().map(|(at, _)| *at).chain(socket.native.wake_at())
        });
        let own = [self.session.wake_at(), self.opened_at, self.closed_at.map(|(at, _)| at)];
        socket.chain(own.into_iter().flatten()).min()
    }

    /// Does all that is due now.
    pub(crate) fn run(&mut self, world: &mut World, weather: Weather, dice: &mut Dice) {
        let now = world.now;
        if self.opened_at.is_some_and(|at| at <= now) {
            self.opened_at = None;
            self.event(link::Event::Opened, world, weather, dice);
        }
        if let Some((at, code)) = self.closed_at
            && at <= now
        {
            self.closed_at = None;
            self.event(link::Event::Closed(code), world, weather, dice);
        }
        self.deliver_to_server(world, weather, dice);
        self.deliver_to_client(world, weather, dice);
        self.serve(world, weather, dice);
        if self.session.wake_at().is_some_and(|at| at <= now) {
            self.event(link::Event::Tick, world, weather, dice);
        }
    }

    pub(crate) fn event(
        &mut self,
        event: link::Event,
        world: &mut World,
        weather: Weather,
        dice: &mut Dice,
    ) {
        for action in self.session.handle(event, world.now) {
            match action {
                link::Action::Dial { .. } | link::Action::HangUp(_) => {
                    note(self.name, world.now, "wants", &format!("{action:?}"));
                }
                _ => {}
            }
            match action {
                link::Action::Dial { connection } => self.dial(connection, world, weather, dice),
                link::Action::Send(text) => {
                    let Some(socket) = &mut self.socket else { continue };
                    let at = delayed(socket.to_server.back(), world.now, weather, dice);
                    socket.to_server.push_back((at, text));
                }
                link::Action::HangUp(_) => self.hang_up(world),
                link::Action::Apply(news) => self.apply(news, world.now),
                link::Action::Remember(resumption) => {
                    let text = serde_json::to_string(&resumption).unwrap();
                    self.kept = serde_json::from_str(&text).unwrap();
                }
                link::Action::Announce(_) => {}
            }
        }
    }

    /// Cuts the wire: both ends notice.
    pub(crate) fn cut(&mut self, world: &mut World) {
        if self.socket.is_some() || self.opened_at.is_some() {
            self.hang_up(world);
            self.opened_at = None;
            self.closed_at = Some((world.now, CloseCode::Other(1006)));
        }
    }

    fn apply(&mut self, news: News, now: Instant) {
        match news {
            News::Happened { stream, id, .. } => {
                self.seen.insert((stream.clone(), id.clone()));
                *self.happened.entry((stream, id)).or_default() += 1;
            }
            News::Told { stream, snapshot: true, .. } => {
                self.first_table.entry(stream).or_insert(now);
            }
            News::Confirmed { stream, .. } => drop(self.sure.insert(stream, now)),
            News::Missed { stream, events: false, .. } => {
                // What was confirmed had been on its way for a while.
                let sure = self.sure.get(&stream).copied().unwrap_or_default();
                let way = if self.rate.is_some() { LONGEST_WAY * 20 } else { LONGEST_WAY };
                self.blind.push(Blind { stream, from: sure - way, to: now });
            }
            News::Command { id, progress } => self.orders.entry(id).or_default().push(progress),
            News::Notice(link::Notice::Restarted(_)) => self.restarts += 1,
            _ => {}
        }
    }

    fn dial(
        &mut self,
        known: Option<ConnectionId>,
        world: &mut World,
        weather: Weather,
        dice: &mut Dice,
    ) {
        self.hang_up(world);
        if !world.is_up || dice.hits(weather.refused) {
            self.closed_at = Some((world.now, CloseCode::Other(1006)));
            return;
        }
        self.sockets += 1;
        let fresh = format!("{}-{}", self.name, self.sockets).parse().unwrap();
        let arrival = Arrival { fresh, known, device: self.device.clone(), user: None };
        world.event(Event::Arrived(arrival));
        let admitted = world.answers.iter().find_map(|action| match action {
            engine::Action::Answer(Admission::Admitted { connection, resumed, .. }) => {
                Some((connection.clone(), resumed.clone()))
            }
            _ => None,
        });
        let (connection, resumed) = admitted.expect("the house is not full");
        self.joins += u32::from(resumed.is_none());
        let native = self.greeted(connection.clone(), resumed, world, weather, dice);
        self.socket = Some(native);
        self.opened_at = Some(world.now);
    }

    fn greeted(
        &self,
        connection: ConnectionId,
        resumed: Option<SmallMap<StreamName, Base>>,
        world: &World,
        weather: Weather,
        dice: &mut Dice,
    ) -> Socket {
        let settings = Settings {
            seal: self.seal.clone(),
            former_seal: None,
            heartbeat_interval: Duration::from_secs(10),
            push: engine::PushStrategy::default(),
            server_version: "1".into(),
            timed: false,
        };
        let guest = Guest {
            device: self.device.clone(),
            connection: connection.clone(),
            resumed,
            user: "anonymous".into(),
            role: "operator".into(),
            rights: Rights::default(),
        };
        let mut native = Native::new(Arc::new(settings), guest, world.now);
        let greeting = native.open(&world.windows, world.now);
        let mut socket = Socket {
            native,
            connection,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            closing: None,
        };
        for action in greeting {
            if let Action::Say(Said { text, .. }) = action {
                let at = delayed(None, world.now, weather, dice);
                socket.to_client.push_back((at, text));
            }
        }
        assert!(socket.closing.is_none());
        socket
    }

    fn hang_up(&mut self, world: &mut World) {
        if let Some(socket) = self.socket.take() {
            world.event(Event::Departed(socket.connection));
        }
    }

    fn deliver_to_server(&mut self, world: &mut World, weather: Weather, dice: &mut Dice) {
        while let Some(socket) = &mut self.socket
            && let Some((_, text)) = socket.to_server.pop_front_if(|(at, _)| *at <= world.now)
        {
            note(self.name, world.now, "says", &text);
            let actions = socket.native.hear(Heard::Text(&text), &world.windows, world.now);
            self.carry_out(actions, world, weather, dice);
            if dice.roll(1000) < weather.cut {
                self.cut(world);
            }
        }
    }

    fn deliver_to_client(&mut self, world: &mut World, weather: Weather, dice: &mut Dice) {
        while let Some(socket) = &mut self.socket
            && let Some((_, text)) = socket.to_client.pop_front_if(|(at, _)| *at <= world.now)
        {
            if text.starts_with("close") {
                let code = socket.closing.unwrap_or(CloseCode::Normal);
                self.hang_up(world);
                self.closed_at = Some((world.now, code));
                return;
            }
            note(self.name, world.now, "hears", &text);
            self.event(link::Event::Heard(text), world, weather, dice);
            if dice.roll(1000) < weather.cut {
                self.cut(world);
            }
        }
    }

    /// Lets the server's half tick and tell.
    fn serve(&mut self, world: &mut World, weather: Weather, dice: &mut Dice) {
        let Some(socket) = &mut self.socket else { return };
        let connection = socket.connection.clone();
        let actions = socket.native.tick(&world.windows, world.now);
        self.carry_out(actions, world, weather, dice);
        for (id, reply) in world.take_replies(&connection) {
            let Some(socket) = &mut self.socket else { return };
            let actions = socket.native.answer(&id, reply, &world.windows, world.now);
            self.carry_out(actions, world, weather, dice);
        }
        while let Some(socket) = self.socket.as_mut().filter(|socket| !socket.is_blocked()) {
            let told = socket.native.tell(&world.windows, world.now);
            if told.is_empty() {
                break;
            }
            self.carry_out(told, world, weather, dice);
        }
    }

    fn carry_out(
        &mut self,
        actions: Vec<Action>,
        world: &mut World,
        weather: Weather,
        dice: &mut Dice,
    ) {
        for action in actions {
            let Some(socket) = &mut self.socket else { return };
            match action {
                Action::Say(Said { text, .. }) => {
                    let may_vanish = may_vanish(&text);
                    if may_vanish && dice.hits(weather.lost) {
                        note(self.name, world.now, "misses", &text);
                        self.vanished.extend(event_of(&text, &self.device));
                        continue;
                    }
                    self.conflated += u32::from(text.contains("\"settles\""));
                    let copies = if may_vanish && dice.hits(weather.repeated) { 2 } else { 1 };
                    for _ in 0..copies {
                        let before = socket.to_client.back();
                        let mut at = delayed(before, world.now, weather, dice);
                        if let Some(rate) = self.rate {
                            at = at + Duration::from_millis(text.len() as u64 * 1000 / rate);
                        }
                        socket.to_client.push_back((at, text.clone()));
                    }
                }
                Action::Close(code) => {
                    let at = delayed(socket.to_client.back(), world.now, weather, dice);
                    socket.closing = Some(code);
                    socket.to_client.push_back((at, "close".into()));
                }
                Action::Ask(Request::Follow { stream, base }) => {
                    let connection = socket.connection.clone();
                    world.event(Event::Joined { connection, stream, base });
                }
                Action::Ask(Request::Leave(stream)) => {
                    let connection = socket.connection.clone();
                    world.event(Event::Parted { connection, stream });
                }
                Action::Ask(Request::Order(order)) => {
                    let asker = Asker::Connection(socket.connection.clone());
                    world.event(Event::Ordered { order, asker });
                }
                Action::Ask(Request::Lost(silent)) => world.event(Event::Lost {
                    device: self.device.clone(),
                    connection: socket.connection.clone(),
                    silent,
                }),
                Action::Ask(Request::Record(_) | Request::Count(_)) => {}
            }
        }
    }
}

/// Whoever runs one seed wants to see what happens in it.
#[expect(clippy::print_stderr, reason = "it is what the run is for")]
fn note(client: u64, now: Instant, verb: &str, what: &str) {
    static IS_WANTED: LazyLock<bool> = LazyLock::new(|| std::env::var("GAPLESS_SEED").is_ok());
    if *IS_WANTED {
        eprintln!("{:>7} client {client} {verb} {what}", now.as_millis());
    }
}

/// In order, like TCP: nothing overtakes what was sent before.
fn delayed(
    before: Option<&(Instant, String)>,
    now: Instant,
    weather: Weather,
    dice: &mut Dice,
) -> Instant {
    let delay = Duration::from_millis(dice.roll(weather.longest_delay + 1));
    (now + delay).max(before.map_or(now, |(at, _)| *at))
}

/// What the wire may lose or repeat: everything with a number, and the end of a repair. Key events
/// that are told in the place of a settled range have none that anyone could miss.
fn may_vanish(text: &str) -> bool {
    let is_kept = text.contains("\"recovered\":true") && text.contains("\"event\"");
    !is_kept && VANISHING.iter().any(|kind| text.contains(kind))
}

fn event_of(text: &str, device: &DeviceId) -> Option<Key> {
    let frame = ServerFrame::read(text).unwrap();
    let own = || StreamName::Device(device.clone());
    Some((frame.stream.unwrap_or_else(own), frame.event?))
}

fn config(device: &DeviceId, seal: &Seal, seed: u64, resume: Option<Resumption>) -> Config {
    Config {
        device: device.clone(),
        seal: seal.clone(),
        policy: Policy::native(),
        seed,
        clock: world::clock(),
        resume,
    }
}

impl Socket {
    /// As much is on its way as the system's buffers hold.
    fn is_blocked(&self) -> bool {
        self.to_client.iter().map(|(_, text)| text.len()).sum::<usize>() > BUFFER
    }
}

const LONGEST_WAY: Duration = Duration::from_secs(2);

const BUFFER: usize = 8 * 1024;

const VANISHING: [&str; 5] = [
    "\"type\":\"COMMAND_EXECUTED\"",
    "\"type\":\"DATA_UPDATE\"",
    "\"type\":\"FULL_SNAPSHOT\"",
    "\"type\":\"STATE_CHANGED\"",
    "\"type\":\"DATA_RECOVERED\"",
];
