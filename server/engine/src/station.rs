//! Takes what the pollers and the clients bring, and says what to publish: the one writer.

mod orders;

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::command::{CommandRecord, Order, OrderKey, Reply};
use protocol::device::Peer;
use protocol::frame::{Body, Frame, KeyEvent, Offset, Summary, Update};
use protocol::id::{ChannelId, ConnectionId, DeviceId, Epoch, SiteId};
use protocol::job::{Execution, Job};
use protocol::journal::{Base, Entry, Happened, Past};
use protocol::part::{Condition, Part};
use protocol::point::Plant;
use protocol::report::Report;
use protocol::stream::StreamName;
use protocol::time::{Clock, Instant};
use protocol::wire::native::ConnectionLost;

use crate::arbiter::{Arbiter, ArbiterPolicy, Asker};
use crate::image::Image;
use crate::presence::{Admission, Arrival, Limits, Presence};
use crate::site::Overview;
use crate::stream::Notice;
use crate::system::System;

/// What the operator may set about pushing (S0-12).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PushStrategy {
    /// How often everything is told again (S0-14).
    pub full_snapshot_interval: Duration,
    /// Whether heartbeat answers carry a device's state (S0-15).
    pub heartbeat_includes_summary: bool,
}

impl Default for PushStrategy {
    fn default() -> Self {
        Self { full_snapshot_interval: Duration::from_secs(30), heartbeat_includes_summary: true }
    }
}

/// What a Station is set up with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub plant: Plant,
    /// How often each channel is polled; one second for those not named (S0-10).
    pub intervals: BTreeMap<ChannelId, Duration>,
    pub push: PushStrategy,
    pub limits: Limits,
    pub arbiter: ArbiterPolicy,
}

/// What is another at each start of a Station.
#[derive(Clone, Debug)]
pub struct Start {
    pub clock: Clock,
    /// The name of this run.
    pub epoch: Epoch,
    /// What earlier runs left behind.
    pub past: Past,
}

/// What a Station is told.
#[derive(Clone, Debug)]
pub enum Event {
    Arrived(Arrival),
    /// The wall clock was set.
    ClockSet(Clock),
    Departed(ConnectionId),
    /// What came of a job.
    Executed {
        key: OrderKey,
        execution: Execution,
    },
    /// A part of the server tells how it fares.
    Fared {
        part: Part,
        condition: Condition,
    },
    Joined {
        connection: ConnectionId,
        stream: StreamName,
        base: Offset,
    },
    Parted {
        connection: ConnectionId,
        stream: StreamName,
    },
    /// A connection showed no sign of life for too long; its neighbours are to know.
    Lost {
        device: DeviceId,
        connection: ConnectionId,
        silent: Duration,
    },
    /// Somebody wants something done.
    Ordered {
        order: Order,
        asker: Asker,
    },
    /// A channel is polled at another pace from now on (S0-11).
    Paced {
        channel: ChannelId,
        interval: Duration,
    },
    Polled(Report),
    /// The intent of an order is on the disk.
    Recorded(OrderKey),
    /// A peer of a device other than its board came or went.
    Reached {
        device: DeviceId,
        peer: Peer,
        reached: bool,
    },
    Tick,
}

/// What a Station wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The answer to the event just handled.
    Answer(Admission),
    /// Close the socket that this connection has had so far.
    Evict(ConnectionId),
    /// To be carried out in the field; what came of it is [`Event::Executed`].
    Execute(Job),
    /// Worth keeping: in memory at once, on disk within 100 ms (S0-67).
    Keep(Entry),
    Notify {
        stream: StreamName,
        notice: Notice,
    },
    Publish {
        stream: StreamName,
        frame: Frame,
    },
    /// An order, as far as it has come. Where it has no outcome yet, [`Event::Recorded`] is to tell
    /// that it is on the disk.
    Record(Box<CommandRecord>),
    /// The one answer to an order, for whoever gave it.
    Reply {
        asker: Asker,
        id: String,
        reply: Reply,
    },
}

/// The owner of the process image and of every stream's numbers.
#[derive(Debug)]
pub struct Station {
    clock: Clock,
    epoch: Epoch,
    has_begun: bool,
    push: PushStrategy,
    images: BTreeMap<DeviceId, Image>,
    overviews: BTreeMap<SiteId, Overview>,
    zones: BTreeMap<SiteId, String>,
    arbiter: Arbiter,
    system: System,
    tops: BTreeMap<StreamName, Offset>,
    presence: Presence,
    snapshot_at: Instant,
}

impl Station {
    /// A Station whose streams begin at the first tick, each with a snapshot as offset 1.
    pub fn new(setup: Setup, start: Start, now: Instant) -> Self {
        let Start { clock, epoch, mut past } = start;
        let at = clock.at(now);
        let commands = std::mem::take(&mut past.commands);
        let arbiter = Arbiter::new(setup.arbiter, commands, &setup.plant, &clock, now);
        let zones = setup.plant.sites.iter().map(|site| (site.id.clone(), site.zone.clone()));
        let zones = zones.collect();
        let interval = |channel| setup.intervals.get(&channel).copied().unwrap_or(POLL_INTERVAL);
        let image = |device: protocol::point::Device| {
            let (interval, facts) = (interval(device.channel), past.known.remove(&device.id));
            (device.id.clone(), Image::new(device, interval, facts.unwrap_or_default(), now, at))
        };
        let images: BTreeMap<_, _> = setup.plant.devices.into_iter().map(image).collect();
        let mut overviews: BTreeMap<SiteId, Overview> =
            setup.plant.sites.into_iter().map(|site| (site.id, Overview::default())).collect();
        for (id, image) in &images {
            let overview = overviews.entry(image.device().site.clone()).or_default();
            overview.set(id, image.summary(), now);
        }
        Self {
            presence: Presence::new(setup.limits, past.stays, &clock, now),
            clock,
            epoch,
            has_begun: false,
            push: setup.push,
            images,
            overviews,
            zones,
            arbiter,
            system: System::default(),
            tops: BTreeMap::new(),
            snapshot_at: now,
        }
    }

    /// Takes one event and says what to do about it, in order.
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            let (at, epoch) = (self.clock.at(now), self.epoch.clone());
            actions.push(Action::Keep(Entry::Began { at, epoch }));
        }
        match event {
            Event::Arrived(arrival) => self.admit(arrival, now, &mut actions),
            Event::ClockSet(clock) => self.clock = clock,
            Event::Departed(connection) => {
                self.presence.depart(&connection, now);
                actions.extend(self.keep(&connection));
            }
            Event::Executed { key, execution } => {
                let verdicts = self.arbiter.executed(&key, execution, &self.clock, now);
                self.follow(verdicts, now, &mut actions);
            }
            Event::Fared { part, condition } => self.hear_of(part, condition, now, &mut actions),
            Event::Joined { connection, stream, base } => {
                let base = Base { epoch: self.epoch.clone(), offset: base };
                self.presence.joined(&connection, stream, base);
                actions.extend(self.keep(&connection));
            }
            Event::Parted { connection, stream } => {
                self.presence.parted(&connection, &stream);
                actions.extend(self.keep(&connection));
            }
            Event::Lost { device, connection, silent } => {
                actions.push(self.announce_loss(device, connection, silent, now));
            }
            Event::Ordered { order, asker } => self.order(order, asker, now, &mut actions),
            Event::Paced { channel, interval } => self.pace(channel, interval),
            Event::Polled(report) => {
                let at = self.clock.at(now);
                let device = report.device.clone();
                self.change(&device, now, &mut actions, |image| image.take(&report, now, at));
            }
            Event::Recorded(key) => {
                let verdicts = self.arbiter.recorded(&key, &self.clock, now);
                self.follow(verdicts, now, &mut actions);
            }
            Event::Reached { device, peer, reached } => {
                self.change(&device, now, &mut actions, |image| image.set_reach(peer, reached));
            }
            Event::Tick => {}
        }
        self.tick(now, &mut actions);
        actions
    }

    /// When a tick will next matter.
    pub fn wake_at(&self) -> Option<Instant> {
        let overdue = self.images.values().filter_map(Image::overdue_at);
        let overviews = self.overviews.values().filter_map(Overview::due);
        overdue.chain(overviews).chain(self.arbiter.wake_at()).chain([self.snapshot_at]).min()
    }

    fn admit(&mut self, arrival: Arrival, now: Instant, actions: &mut Vec<Action>) {
        let admission = self.presence.arrive(arrival, now);
        if let Admission::Admitted { connection, replaced: true, .. } = &admission {
            actions.push(Action::Evict(connection.clone()));
        }
        if let Admission::Admitted { connection, .. } = &admission {
            actions.extend(self.keep(connection));
        }
        actions.push(Action::Answer(admission));
    }

    /// A stay as it is now, to be kept.
    fn keep(&self, connection: &ConnectionId) -> Option<Action> {
        let stay = self.presence.stay(connection, &self.clock)?;
        Some(Action::Keep(Entry::Stayed(stay)))
    }

    fn hear_of(
        &mut self,
        part: Part,
        condition: Condition,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        let news = self.system.set(part, condition, self.clock.at(now));
        let Some((update, event)) = news else { return };
        self.publish(StreamName::System, Body::Delta(update), now, actions);
        if let Some(event) = event {
            let body = Body::Event(KeyEvent::StateChanged(event));
            self.publish(StreamName::System, body, now, actions);
        }
    }

    fn announce_loss(
        &self,
        device: DeviceId,
        connection_id: ConnectionId,
        silent: Duration,
        now: Instant,
    ) -> Action {
        let silent_ms = u64::try_from(silent.as_millis()).unwrap_or(u64::MAX);
        let lost = ConnectionLost { at: self.clock.at(now), connection_id, silent_ms };
        Action::Notify { stream: StreamName::Device(device), notice: Notice::ConnectionLost(lost) }
    }

    fn pace(&mut self, channel: ChannelId, interval: Duration) {
        let images = self.images.values_mut();
        for image in images.filter(|image| image.device().channel == channel) {
            image.set_interval(interval);
        }
    }

    /// Changes a device's image and publishes what is news about it.
    fn change(
        &mut self,
        device: &DeviceId,
        now: Instant,
        actions: &mut Vec<Action>,
        change: impl FnOnce(&mut Image),
    ) {
        let at = self.clock.at(now);
        let Some(image) = self.images.get_mut(device) else { return };
        change(image);
        let news = image.news(at);
        let orders = self.arbiter.lines(device, &self.clock);
        let line = Summary { orders, ..image.summary() };
        if let Some(overview) = self.overviews.get_mut(&image.device().site) {
            overview.set(device, line, now);
        }
        let stream = StreamName::Device(device.clone());
        if !news.delta.is_empty() {
            self.publish(stream.clone(), Body::Delta(news.delta), now, actions);
        }
        for event in news.events {
            let body = Body::Event(KeyEvent::StateChanged(event));
            self.publish(stream.clone(), body, now, actions);
        }
        // After the events: whoever reads the facts from a disk must find these there, too.
        if let Some(facts) = news.facts {
            actions.push(Action::Keep(Entry::Known { device: device.clone(), facts }));
        }
    }

    fn tick(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.mark_overdue(now, actions);
        let verdicts = self.arbiter.tick(&self.clock, now);
        self.follow(verdicts, now, actions);
        if self.snapshot_at <= now {
            self.snapshot_at = now + self.push.full_snapshot_interval;
            self.tell_everything(now, actions);
            // After the first snapshot, which must be every stream's first frame.
            let verdicts = self.arbiter.begin();
            self.follow(verdicts, now, actions);
        }
        let due = |(site, overview): (&SiteId, &mut Overview)| {
            Some((StreamName::Site(site.clone()), overview.news(now)?))
        };
        let news: Vec<_> = self.overviews.iter_mut().filter_map(due).collect();
        for (stream, update) in news {
            self.publish(stream, Body::Delta(update), now, actions);
        }
    }

    fn mark_overdue(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let overdue = self
            .images
            .iter()
            .filter(|(_, image)| image.overdue_at().is_some_and(|due| due <= now));
        let overdue: Vec<_> = overdue.map(|(id, _)| id.clone()).collect();
        for device in overdue {
            self.change(&device, now, actions, |image| image.mark_overdue(now));
        }
    }

    fn tell_everything(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let devices = self.images.iter_mut();
        let tables = devices.map(|(id, image)| (StreamName::Device(id.clone()), image.table()));
        let mut tables: Vec<(StreamName, Update)> = tables.collect();
        let sites = self.overviews.iter_mut();
        tables.extend(sites.map(|(id, overview)| (StreamName::Site(id.clone()), overview.table())));
        tables.push((StreamName::System, self.system.table()));
        for (stream, table) in tables {
            self.publish(stream, Body::Snapshot(table), now, actions);
        }
    }

    fn publish(&mut self, stream: StreamName, body: Body, now: Instant, actions: &mut Vec<Action>) {
        let top = self.tops.entry(stream.clone()).or_default();
        *top = top.next();
        let (offset, at) = (*top, self.clock.at(now));
        if let Body::Event(event) = &body {
            let (epoch, event, stream) = (self.epoch.clone(), event.clone(), stream.clone());
            let happened = Happened { at, epoch, event, offset, stream };
            actions.push(Action::Keep(Entry::Happened(happened)));
        }
        let frame = Frame { offset, at, body, stamps: None };
        actions.push(Action::Publish { stream, frame });
    }
}

/// The streams that a Station of this plant writes.
pub fn streams(plant: &Plant) -> impl Iterator<Item = StreamName> {
    let devices = plant.devices.iter().map(|device| StreamName::Device(device.id.clone()));
    let sites = plant.sites.iter().map(|site| site.id.clone());
    let sites = sites.chain(plant.devices.iter().map(|device| device.site.clone()));
    let sites: std::collections::BTreeSet<_> = sites.collect();
    devices.chain(sites.into_iter().map(StreamName::Site)).chain([StreamName::System])
}

/// S0-10
const POLL_INTERVAL: Duration = Duration::from_secs(1);
