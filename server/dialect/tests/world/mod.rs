//! A plant, its Station, its windows and its disk in virtual time, for tests of dialects.

#![allow(dead_code, reason = "not every test needs all of the world")]

mod field;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Deref;
use std::time::Duration;

use dialect::View;
use engine::{
    Action, ArbiterPolicy, Asker, Event, Journal, Limits, PushStrategy, Setup, Start, Station,
    Window,
};
use field::Field;
use protocol::command::{
    Check, CommandAction, CommandRecord, CommandSpec, Order, OrderKey, Reply, Risk, Setting,
};
use protocol::frame::{Body, EventId, KeyEvent};
use protocol::id::{ChannelId, ConnectionId, Epoch};
use protocol::journal::Entry;
use protocol::point::{Device, Name, Plant, Point, PointKind, Role, Site};
use protocol::reading::{Reason, Value};
use protocol::report::{Reach, Report};
use protocol::stream::StreamName;
use protocol::time::{Clock, Instant, Timestamp};

pub(crate) struct World {
    pub(crate) station: Station,
    pub(crate) windows: Windows,
    pub(crate) now: Instant,
    /// What the Station answered to the last event.
    pub(crate) answers: Vec<Action>,
    /// Every key event of all runs.
    pub(crate) events: Vec<Published>,
    /// Which run this is, from 1.
    pub(crate) run: u64,
    /// Between a crash and the next start there is no server.
    pub(crate) is_up: bool,
    pub(crate) disk: Disk,
    pub(crate) field: Field,
    /// Answers to orders that nobody has fetched yet.
    pub(crate) replies: Vec<(ConnectionId, String, Reply)>,
    /// Orders that wait for their answer, and since when.
    asked: Vec<(Asker, String, Instant)>,
    /// Intents that have reached the disk, of which the Station does not know yet.
    recorded: Vec<OrderKey>,
    memory: Journal,
}

/// A key event, and when it was published.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) stream: StreamName,
    pub(crate) id: EventId,
    pub(crate) at: Instant,
    pub(crate) event: KeyEvent,
    /// It was on the disk before the process ended, if it ended.
    pub(crate) is_durable: bool,
}

/// A disk that takes its time: what it was given is safe a moment later, in order.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) delay: Duration,
    durable: Journal,
    queue: VecDeque<(Instant, Entry)>,
    commands: VecDeque<(Instant, CommandRecord)>,
}

impl Disk {
    fn keep(&mut self, entry: Entry, now: Instant) {
        self.queue.push_back((now + self.delay, entry));
    }

    fn record(&mut self, record: CommandRecord, now: Instant) {
        self.commands.push_back((now + self.delay, record));
    }

    fn wake_at(&self) -> Option<Instant> {
        self.commands.front().map(|(due, _)| *due)
    }

    /// Writes the orders that are due; the answer: the intents among them.
    fn write_commands(&mut self, now: Instant) -> Vec<OrderKey> {
        let mut intents = Vec::new();
        while let Some((_, record)) = self.commands.pop_front_if(|(due, _)| *due <= now) {
            let is_intent = record.outcome.is_none();
            intents.extend(is_intent.then(|| record.order.key.clone()));
            self.durable.record(record);
        }
        intents
    }

    /// Writes what is due; the answer: the key events among it.
    fn write(&mut self, now: Instant) -> Vec<(StreamName, EventId)> {
        let mut written = Vec::new();
        while let Some((_, entry)) = self.queue.pop_front_if(|(due, _)| *due <= now) {
            if let Entry::Happened(happened) = &entry {
                let (epoch, offset) = (happened.epoch.clone(), happened.offset);
                written.push((happened.stream.clone(), EventId { epoch, offset }));
            }
            self.durable.keep(entry);
        }
        written
    }
}

pub(crate) struct Windows {
    pub(crate) streams: BTreeMap<StreamName, Window>,
    pub(crate) clock: Clock,
}

impl View for Windows {
    fn window<'a>(&'a self, stream: &StreamName) -> Option<Box<dyn Deref<Target = Window> + 'a>> {
        let window = self.streams.get(stream)?;
        Some(Box::new(window))
    }

    fn clock(&self) -> Clock {
        self.clock
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Instant::from_millis(1_000);
        let mut memory = Journal::default();
        let (station, windows) = start(1, &mut memory, clock(), now);
        let mut world = Self {
            station,
            windows,
            now,
            answers: Vec::new(),
            events: Vec::new(),
            run: 1,
            is_up: true,
            disk: Disk::default(),
            field: Field::new(Duration::from_millis(20)),
            replies: Vec::new(),
            asked: Vec::new(),
            recorded: Vec::new(),
            memory,
        };
        world.event(Event::Tick);
        world
    }

    pub(crate) fn event(&mut self, event: Event) {
        if !self.is_up {
            return;
        }
        if let Event::Ordered { order, asker } = &event {
            self.asked.push((asker.clone(), order.key.id.clone(), self.now));
        }
        self.answers = self.station.handle(event, self.now);
        for action in &self.answers {
            match action {
                Action::Publish { stream, frame } => {
                    if let Body::Event(event) = &frame.body {
                        let epoch = self.windows.streams[stream].epoch().clone();
                        self.events.push(Published {
                            stream: stream.clone(),
                            id: EventId { epoch, offset: frame.offset },
                            at: self.now,
                            event: event.clone(),
                            is_durable: false,
                        });
                    }
                    let window = self.windows.streams.get_mut(stream).unwrap();
                    window.push(frame.clone(), self.now);
                }
                Action::Notify { stream, notice } => {
                    self.windows.streams.get_mut(stream).unwrap().notice(notice.clone());
                }
                Action::Keep(entry) => {
                    self.memory.keep(entry.clone());
                    self.disk.keep(entry.clone(), self.now);
                }
                Action::Record(record) => {
                    self.memory.record((**record).clone());
                    self.disk.record((**record).clone(), self.now);
                }
                Action::Execute(job) => self.field.start(job.clone(), self.now),
                Action::Reply { asker, id, reply } => {
                    let is_it =
                        |asked: &(Asker, String, Instant)| (&asked.0, &asked.1) == (asker, id);
                    let place = self.asked.iter().position(is_it).expect("one answer to each");
                    let (_, _, since) = self.asked.remove(place);
                    assert!(self.now.since(since) <= ANSWER_WITHIN, "{id}: a late answer");
                    if let Asker::Connection(connection) = asker {
                        self.replies.push((connection.clone(), id.clone(), reply.clone()));
                    }
                }
                Action::Answer(_) | Action::Evict(_) => {}
            }
        }
        self.write();
    }

    fn write(&mut self) {
        self.recorded.extend(self.disk.write_commands(self.now));
        let wall = self.windows.clock.at(self.now);
        self.memory.alive(wall);
        self.disk.durable.alive(wall);
        for (stream, id) in self.disk.write(self.now) {
            let is_it = |event: &&mut Published| event.stream == stream && event.id == id;
            self.events.iter_mut().rev().find(is_it).unwrap().is_durable = true;
        }
    }

    /// The Station failed and is started again, while the process and its sockets live on.
    pub(crate) fn restart(&mut self) {
        self.run += 1;
        self.asked.clear();
        let clock = self.windows.clock;
        (self.station, self.windows) = start(self.run, &mut self.memory, clock, self.now);
        self.event(Event::Tick);
    }

    /// A planned stop: everything is on the disk before the process ends.
    pub(crate) fn stop(&mut self) {
        self.disk.queue.iter_mut().for_each(|(due, _)| *due = self.now);
        self.disk.commands.iter_mut().for_each(|(due, _)| *due = self.now);
        self.crash();
    }

    /// The process is no more, and with it all that was not on the disk.
    pub(crate) fn crash(&mut self) {
        self.write();
        self.disk.queue.clear();
        self.disk.commands.clear();
        self.field.crash();
        self.asked.clear();
        self.recorded.clear();
        self.replies.clear();
        self.is_up = false;
    }

    /// A new process takes up what the disk holds.
    pub(crate) fn boot(&mut self) {
        self.is_up = true;
        self.run += 1;
        let (clock, now) = (self.windows.clock, self.now);
        let past = self.disk.durable.past(clock.at(now));
        self.disk.durable = Journal::after(past.clone(), clock.at(now));
        self.memory = Journal::after(past, clock.at(now));
        (self.station, self.windows) = start(self.run, &mut self.memory, clock, now);
        self.event(Event::Tick);
    }

    /// Somebody sets the clock.
    pub(crate) fn set_clock(&mut self, wall: Timestamp) {
        self.windows.clock = Clock::new(self.now, wall);
        self.event(Event::ClockSet(self.windows.clock));
    }

    /// Moves the clock, waking the Station whenever it wants to.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(at) = self.wake_at()
            && at <= until
        {
            self.now = self.now.max(at);
            self.work();
        }
        self.now = until;
        if self.is_up {
            self.write();
        }
    }

    /// When something will next happen without anyone's doing.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        let recorded = (!self.recorded.is_empty()).then_some(self.now);
        let own = [self.station.wake_at(), self.field.wake_at(), self.disk.wake_at(), recorded];
        own.into_iter().flatten().min().filter(|_| self.is_up)
    }

    fn work(&mut self) {
        self.write();
        for key in std::mem::take(&mut self.recorded) {
            self.event(Event::Recorded(key));
        }
        for (key, execution) in self.field.work(self.now) {
            self.event(Event::Executed { key, execution });
        }
        if self.station.wake_at().is_some_and(|at| at <= self.now) {
            self.event(Event::Tick);
        }
    }

    /// What the Station has to say to a connection about its orders.
    pub(crate) fn take_replies(&mut self, connection: &ConnectionId) -> Vec<(String, Reply)> {
        let own = self.replies.extract_if(.., |(whom, _, _)| whom == connection);
        own.map(|(_, id, reply)| (id, reply)).collect()
    }

    /// Somebody without a connection gives an order.
    pub(crate) fn order(&mut self, order: Order) {
        let asker = Asker::Outside(self.now.as_millis());
        self.event(Event::Ordered { order, asker });
    }

    /// A poll of a device that brought home `results`, by the place of each point.
    pub(crate) fn poll(&mut self, device: &str, results: Vec<(usize, Result<Value, Reason>)>) {
        let reach = if results.iter().any(|(_, result)| result.is_ok()) {
            Reach::Answered
        } else {
            Reach::Silent
        };
        self.event(Event::Polled(Report { device: device.parse().unwrap(), reach, results }));
    }
}

/// The Station of run `n`, and its windows.
fn start(n: u64, journal: &mut Journal, clock: Clock, now: Instant) -> (Station, Windows) {
    let (at, epoch) = (clock.at(now), format!("e{n}"));
    let (epoch, past): (Epoch, _) = (epoch.parse().unwrap(), journal.past(at));
    let streams = engine::windows(&plant(), &epoch, past.clone(), now, at);
    let setup = Setup {
        plant: plant(),
        intervals: BTreeMap::new(),
        push: PushStrategy::default(),
        limits: Limits::default(),
        arbiter: ArbiterPolicy::default(),
    };
    (Station::new(setup, Start { clock, epoch, past }, now), Windows { streams, clock })
}

pub(crate) fn clock() -> Clock {
    Clock::new(Instant::from_millis(0), Timestamp::from_millis(1_763_689_200_000))
}

/// Two boards of one site: `temperature`, `pressure`, the input `k1` and the fault bit `e001`. They can
/// be started and stopped by `k1`, and have a threshold where `pressure` is.
pub(crate) fn plant() -> Plant {
    let site =
        Site { id: "plant".parse().unwrap(), name: Name::default(), zone: "Asia/Shanghai".into() };
    let device = |id: &str| Device {
        id: id.parse().unwrap(),
        site: site.id.clone(),
        channel: ChannelId(1),
        name: Name::default(),
        points: vec![
            point("temperature", PointKind::Telemetry, Role::None),
            point("pressure", PointKind::Telemetry, Role::None),
            Point { key_event: true, ..point("k1", PointKind::Signal, Role::None) },
            point("e001", PointKind::Signal, Role::Fault(Some("E001".parse().unwrap()))),
        ],
        overview: vec!["temperature".parse().unwrap()],
        commands: commands(),
        has_pscada: false,
        has_system_server: false,
    };
    let devices = vec![device("board-1"), device("board-2")];
    Plant { sites: vec![site.clone()], devices, demo: false }
}

fn commands() -> Vec<CommandSpec> {
    let command = |name: &str, action| CommandSpec {
        name: name.into(),
        title: Name::default(),
        risk: Risk::B,
        action,
    };
    let write = |point: &str, value, verify| CommandAction::Write {
        point: point.parse().unwrap(),
        value,
        verify,
    };
    let fixed = |on| Setting::Fixed(Value::Switch(on));
    vec![
        command("START", write("k1", fixed(true), Check::Same)),
        command("STOP", write("k1", fixed(false), Check::Same)),
        command("SET_TEMP_THRESHOLD", write("pressure", Setting::Param, Check::Same)),
        command("SET_POLL_INTERVAL", CommandAction::PollInterval),
        command("RESET_ERROR", write("k1", fixed(true), Check::Code)),
    ]
}

/// S0-22; the rest is for the way.
const ANSWER_WITHIN: Duration = Duration::from_millis(450);

fn point(key: &str, kind: PointKind, role: Role) -> Point {
    Point { role, ..Point::new(key.parse().unwrap(), kind) }
}
