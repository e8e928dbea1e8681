//! Takes what the pollers and the clients bring, and says what to publish: the one writer.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::device::Peer;
use protocol::frame::{Body, Frame, KeyEvent, Offset, Update};
use protocol::id::{ChannelId, ConnectionId, DeviceId, SiteId};
use protocol::point::Plant;
use protocol::report::Report;
use protocol::stream::StreamName;
use protocol::time::{Clock, Instant};
use protocol::wire::native::ConnectionLost;

use crate::image::Image;
use crate::presence::{Admission, Arrival, Limits, Presence};
use crate::site::Overview;
use crate::stream::Notice;

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

/// What a Station starts from.
#[derive(Clone, Debug)]
pub struct Setup {
    pub plant: Plant,
    /// How often each channel is polled; one second for those not named (S0-10).
    pub intervals: BTreeMap<ChannelId, Duration>,
    pub push: PushStrategy,
    pub limits: Limits,
    pub clock: Clock,
}

/// What a Station is told.
#[derive(Clone, Debug)]
pub enum Event {
    Arrived(Arrival),
    Departed(ConnectionId),
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
    /// A channel is polled at another pace from now on (S0-11).
    Paced {
        channel: ChannelId,
        interval: Duration,
    },
    Polled(Report),
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
    Notify {
        stream: StreamName,
        notice: Notice,
    },
    Publish {
        stream: StreamName,
        frame: Frame,
    },
}

/// The owner of the process image and of every stream's numbers.
#[derive(Debug)]
pub struct Station {
    clock: Clock,
    push: PushStrategy,
    images: BTreeMap<DeviceId, Image>,
    overviews: BTreeMap<SiteId, Overview>,
    tops: BTreeMap<StreamName, Offset>,
    presence: Presence,
    snapshot_at: Instant,
}

impl Station {
    /// A Station whose streams begin at the first tick, each with a snapshot as offset 1.
    pub fn new(setup: Setup, now: Instant) -> Self {
        let at = setup.clock.at(now);
        let interval = |channel| setup.intervals.get(&channel).copied().unwrap_or(POLL_INTERVAL);
        let image = |device: protocol::point::Device| {
            let interval = interval(device.channel);
            (device.id.clone(), Image::new(device, interval, now, at))
        };
        let images: BTreeMap<_, _> = setup.plant.devices.into_iter().map(image).collect();
        let mut overviews: BTreeMap<SiteId, Overview> =
            setup.plant.sites.into_iter().map(|site| (site.id, Overview::default())).collect();
        for (id, image) in &images {
            let overview = overviews.entry(image.device().site.clone()).or_default();
            overview.set(id, image.summary(), now);
        }
        Self {
            clock: setup.clock,
            push: setup.push,
            images,
            overviews,
            tops: BTreeMap::new(),
            presence: Presence::new(setup.limits),
            snapshot_at: now,
        }
    }

    /// The streams this Station writes.
    pub fn streams(&self) -> impl Iterator<Item = StreamName> {
        let devices = self.images.keys().cloned().map(StreamName::Device);
        devices.chain(self.overviews.keys().cloned().map(StreamName::Site))
    }

    /// Takes one event and says what to do about it, in order.
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Arrived(arrival) => self.admit(arrival, now, &mut actions),
            Event::Departed(connection) => self.presence.depart(&connection, now),
            Event::Joined { connection, stream, base } => {
                self.presence.joined(&connection, stream, base);
            }
            Event::Parted { connection, stream } => self.presence.parted(&connection, &stream),
            Event::Lost { device, connection, silent } => {
                actions.push(self.announce_loss(device, connection, silent, now));
            }
            Event::Paced { channel, interval } => self.pace(channel, interval),
            Event::Polled(report) => {
                let at = self.clock.at(now);
                let device = report.device.clone();
                self.change(&device, now, &mut actions, |image| image.take(&report, now, at));
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
        overdue.chain(overviews).chain([self.snapshot_at]).min()
    }

    fn admit(&mut self, arrival: Arrival, now: Instant, actions: &mut Vec<Action>) {
        let admission = self.presence.arrive(arrival, now);
        if let Admission::Admitted { connection, replaced: true, .. } = &admission {
            actions.push(Action::Evict(connection.clone()));
        }
        actions.push(Action::Answer(admission));
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
        let line = image.summary();
        if let Some(overview) = self.overviews.get_mut(&image.device().site) {
            overview.set(device, line, now);
        }
        let stream = StreamName::Device(device.clone());
        if !news.delta.is_empty() {
            actions.push(self.publish(stream.clone(), Body::Delta(news.delta), now));
        }
        for event in news.events {
            let body = Body::Event(KeyEvent::StateChanged(event));
            actions.push(self.publish(stream.clone(), body, now));
        }
    }

    fn tick(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.mark_overdue(now, actions);
        if self.snapshot_at <= now {
            self.snapshot_at = now + self.push.full_snapshot_interval;
            self.tell_everything(now, actions);
        }
        let due = |(site, overview): (&SiteId, &mut Overview)| {
            Some((StreamName::Site(site.clone()), overview.news(now)?))
        };
        let news: Vec<_> = self.overviews.iter_mut().filter_map(due).collect();
        for (stream, update) in news {
            actions.push(self.publish(stream, Body::Delta(update), now));
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
        for (stream, table) in tables {
            actions.push(self.publish(stream, Body::Snapshot(table), now));
        }
    }

    fn publish(&mut self, stream: StreamName, body: Body, now: Instant) -> Action {
        let top = self.tops.entry(stream.clone()).or_default();
        *top = top.next();
        let frame = Frame { offset: *top, at: self.clock.at(now), body, stamps: None };
        Action::Publish { stream, frame }
    }
}

/// S0-10
const POLL_INTERVAL: Duration = Duration::from_secs(1);
