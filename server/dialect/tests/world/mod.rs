//! A plant, its Station and its windows in virtual time, for tests of dialects.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::time::Duration;

use dialect::View;
use engine::{Action, Event, Limits, PushStrategy, Setup, Station, Window};
use protocol::frame::{Body, Offset};
use protocol::id::ChannelId;
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
    /// Every key event, with its stream and when it was published.
    pub(crate) events: Vec<(StreamName, Offset, Instant)>,
}

pub(crate) struct Windows(pub(crate) BTreeMap<StreamName, Window>);

impl View for Windows {
    fn window<'a>(&'a self, stream: &StreamName) -> Option<Box<dyn Deref<Target = Window> + 'a>> {
        let window = self.0.get(stream)?;
        Some(Box::new(window))
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Instant::from_millis(1_000);
        let setup = Setup {
            plant: plant(),
            intervals: BTreeMap::new(),
            push: PushStrategy::default(),
            limits: Limits::default(),
            clock: clock(),
        };
        let station = Station::new(setup, now);
        let epoch: protocol::id::Epoch = "e1".parse().unwrap();
        let windows = station.streams().map(|name| (name, Window::new(epoch.clone()))).collect();
        let mut world = Self {
            station,
            windows: Windows(windows),
            now,
            answers: Vec::new(),
            events: Vec::new(),
        };
        world.event(Event::Tick);
        world
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.answers = self.station.handle(event, self.now);
        for action in &self.answers {
            match action {
                Action::Publish { stream, frame } => {
                    if let Body::Event(_) = frame.body {
                        self.events.push((stream.clone(), frame.offset, self.now));
                    }
                    let window = self.windows.0.get_mut(stream).unwrap();
                    window.push(frame.clone(), self.now);
                }
                Action::Notify { stream, notice } => {
                    self.windows.0.get_mut(stream).unwrap().notice(notice.clone());
                }
                Action::Answer(_) | Action::Evict(_) => {}
            }
        }
    }

    /// Moves the clock, waking the Station whenever it wants to.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(at) = self.station.wake_at()
            && at <= until
        {
            self.now = self.now.max(at);
            self.event(Event::Tick);
        }
        self.now = until;
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

pub(crate) fn clock() -> Clock {
    Clock::new(Instant::from_millis(0), Timestamp::from_millis(1_763_689_200_000))
}

/// Two boards of one site: `temperature`, `pressure`, the input `k1` and the fault bit `e001`.
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
        has_pscada: false,
        has_system_server: false,
    };
    let devices = vec![device("board-1"), device("board-2")];
    Plant { sites: vec![site.clone()], devices, demo: false }
}

fn point(key: &str, kind: PointKind, role: Role) -> Point {
    Point { role, ..Point::new(key.parse().unwrap(), kind) }
}
