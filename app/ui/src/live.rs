//! Where news becomes signals, and nowhere else.

pub(crate) mod call;
mod commands;
pub(crate) mod events;
pub(crate) mod history;
mod page;
mod people;
mod standing;
mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap};

// The trait's name is taken by the news of a stream.
use leptos::prelude::Update as _;
use leptos::prelude::*;
use link::status::Status;
use link::{News, Notice};
use protocol::device::{DeviceStatus, Links};
use protocol::frame::{KeyEvent, StateChanged, Summary, Update};
use protocol::id::{DeviceId, FaultCode, PointKey};
use protocol::part::{Condition, Part};
use protocol::point::Device;
use protocol::reading::Reading;
use protocol::stream::StreamName;
use protocol::time::{Instant, Timestamp};

use crate::bootstrap::{Bootstrap, Happening, Json, Told};
pub use call::{Answer, Call, Method, Then};
use commands::Orders;
pub use commands::{Ask, Given, RecordWish, Wish};
pub(crate) use commands::{Blocked, RecordState};
use history::History;
use people::People;
pub(crate) use standing::Standing;
use table::Table;

/// All that a page shows of the plant and of its own connection. Cheap to copy.
///
/// The browser's shell tells it the news and listens to what it wants; on the server it holds
/// what the request's [`Bootstrap`] brought, and never changes.
#[derive(Clone, Copy)]
pub struct Live {
    page: StoredValue<Bootstrap>,
    clock: RwSignal<(Instant, Timestamp)>,
    status: RwSignal<Option<Status>>,
    notice: RwSignal<Option<(Notice, Timestamp)>>,
    wanted: RwSignal<BTreeSet<StreamName>>,
    retries: RwSignal<u32>,
    asked: RwSignal<Option<DeviceId>>,
    facts: RwSignal<BTreeMap<DeviceId, Device>>,
    points: Table<(DeviceId, PointKey), Reading>,
    states: Table<DeviceId, State>,
    summaries: Table<DeviceId, Summary>,
    footings: Table<StreamName, Footing>,
    histories: StoredValue<HashMap<(DeviceId, PointKey), History>>,
    events: RwSignal<Vec<Happening>>,
    parts: RwSignal<BTreeMap<Part, Condition>>,
    orders: Orders,
    people: People,
}

/// A device as a whole, told by its own stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub status: Option<DeviceStatus>,
    pub fault_codes: BTreeSet<FaultCode>,
    pub links: Option<Links>,
}

/// How far the news of a stream reach.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Footing {
    /// Until when what is known is known to be all.
    pub confirmed: Timestamp,
    /// When everything was last told.
    pub snapshot: Timestamp,
}

/// What the browser's shell tells and hears.
impl Live {
    /// Begins with what the server handed to the page; call it once, first of all, on both sides.
    ///
    /// On the server the request's [`Bootstrap`] must have been provided as a context; without one
    /// there is nothing to show, as where routes are only listed.
    pub fn open() -> Self {
        let page = || use_context::<Bootstrap>().unwrap_or_default();
        Self::with(SharedValue::<_, Json>::new_with_encoding(page).into_inner())
    }

    /// Begins with a page's first values.
    pub fn with(page: Bootstrap) -> Self {
        let facts = page.device.iter().map(|device| (device.id.clone(), device.clone()));
        let live = Self {
            clock: RwSignal::new((Instant::default(), page.now)),
            status: RwSignal::new(None),
            notice: RwSignal::new(None),
            wanted: RwSignal::new(page.streams().collect()),
            retries: RwSignal::new(0),
            asked: RwSignal::new(None),
            facts: RwSignal::new(facts.collect()),
            points: Table::new(),
            states: Table::new(),
            summaries: Table::new(),
            footings: Table::new(),
            histories: StoredValue::new(HashMap::new()),
            events: RwSignal::new(page.events.clone()),
            parts: RwSignal::new(BTreeMap::new()),
            orders: Orders::new(page.poll_ms.clone()),
            people: People::new(page.person.clone()),
            page: StoredValue::new(page.clone()),
        };
        for (stream, Told { at, update }) in &page.values {
            live.told(stream, update, true, *at);
        }
        live
    }

    /// Takes in what the link found out.
    pub fn apply(self, news: News) {
        match news {
            News::Told { stream, update, snapshot, at } => {
                self.told(&stream, &update, snapshot, at);
            }
            News::Happened { stream, event, .. } => self.happened(&stream, &event),
            News::Missed { stream, from, to, events } => self.missed(&stream, from, to, events),
            News::Confirmed { stream, at } => self.confirmed(&stream, at),
            News::Command { id, progress } => self.orders.progress(&id, progress),
            News::Notice(notice) => self.notice.set(Some((notice, self.now_untracked()))),
        }
    }

    /// Takes in what a stream told at `at`, by the server's clock.
    fn told(self, stream: &StreamName, update: &Update, snapshot: bool, at: Timestamp) {
        match stream {
            StreamName::Device(device) => self.device_told(device, update, at),
            StreamName::Site(_) => self.site_told(update, at),
            StreamName::System => self.system_told(update, snapshot),
            StreamName::Alarms | StreamName::User(_) => {}
        }
        let known = self.footings.now(stream).unwrap_or_default();
        let whole = if snapshot { at } else { known.snapshot };
        let confirmed = if snapshot { known.confirmed.max(at) } else { known.confirmed };
        self.footings.tell(stream, Footing { confirmed, snapshot: whole });
    }

    /// Everything that a stream has to tell until `at` has been told.
    fn confirmed(self, stream: &StreamName, at: Timestamp) {
        let known = self.footings.now(stream).unwrap_or_default();
        self.footings.tell(stream, Footing { confirmed: known.confirmed.max(at), ..known });
    }

    /// Takes in something that happened once.
    fn happened(self, stream: &StreamName, event: &KeyEvent) {
        let Some(device) = stream.device().cloned() else { return };
        if let KeyEvent::CommandExecuted(executed) = event {
            self.executed(&device, executed);
        }
        let happening = Happening { device, what: event.clone().into() };
        self.events.update(|events| events::add(events, happening));
    }

    /// What the plant did in this time is not known, or only its events are.
    fn missed(self, stream: &StreamName, from: Timestamp, to: Timestamp, events: bool) {
        let Some(device) = stream.device().cloned() else { return };
        let what = if events { events::HOLE_IN_VALUES } else { events::HOLE_IN_ALL };
        let millis = |at: Timestamp| at.as_millis().to_string();
        let change = StateChanged { at: to, new: millis(to), old: millis(from), what: what.into() };
        let happening = Happening { device, what: change.into() };
        self.events.update(|events| events::add(events, happening));
    }

    fn system_told(self, update: &Update, snapshot: bool) {
        self.parts.update(|parts| {
            if snapshot {
                parts.clear();
            }
            parts.extend(update.parts.clone());
        });
    }

    /// Shows where the connection stands.
    pub fn announce(self, status: Status) {
        let before = self.status.get_untracked();
        if before.as_ref() == Some(&status) {
            return;
        }
        let (was, is) = (Standing::of(before.as_ref()), Standing::of(Some(&status)));
        let now = self.now_untracked();
        match (was, is) {
            (Standing::Live, Standing::Lost) => self.cut(status.data_until.unwrap_or(now)),
            (Standing::Lost, Standing::Live) => self.join(now),
            _ => {}
        }
        self.status.set(Some(status));
    }

    /// What time it is: by the shell's own clock, and by the server's. Once a second is enough.
    pub fn tick(self, now: Instant, wall: Timestamp) {
        self.clock.set((now, wall));
    }

    /// Takes in the facts of a device that [`Live::on_facts`] asked for.
    pub fn learn(self, device: Device) {
        self.asked.update(|asked| *asked = asked.take().filter(|id| *id != device.id));
        self.facts.update(|facts| drop(facts.insert(device.id.clone(), device)));
    }

    /// Calls `follow` with the streams that the page wants, now and whenever they change.
    pub fn on_want(self, follow: impl Fn(BTreeSet<StreamName>) + 'static) {
        Effect::new(move |_| follow(self.wanted.get()));
    }

    /// Calls `retry` when the operator wants a new series of tries at once.
    pub fn on_retry(self, retry: impl Fn() + 'static) {
        Effect::new(move |before: Option<u32>| {
            let count = self.retries.get();
            if before.is_some_and(|before| before != count) {
                retry();
            }
            count
        });
    }

    /// Calls `fetch` when the page needs `GET /api/devices/<id>`; the answer goes to [`Live::learn`].
    pub fn on_facts(self, fetch: impl Fn(DeviceId) + 'static) {
        Effect::new(move |_| {
            if let Some(device) = self.asked.get() {
                fetch(device);
            }
        });
    }
}

impl Live {
    fn device_told(self, device: &DeviceId, update: &Update, at: Timestamp) {
        for (point, reading) in &update.points {
            let name = (device.clone(), point.clone());
            let trusted = reading.value.filter(|_| reading.quality.is_good());
            let number = trusted.and_then(|value| value.number());
            self.histories.update_value(|histories| {
                if let Some(history) = histories.get_mut(&name) {
                    history.note(at, number);
                }
            });
            self.points.tell(&name, *reading);
        }
        let known = self.states.now(device).unwrap_or_default();
        let state = State {
            status: update.device_status.or(known.status),
            fault_codes: update.fault_codes.clone().unwrap_or(known.fault_codes),
            links: update.links.or(known.links),
        };
        self.states.tell(device, state);
    }

    fn site_told(self, update: &Update, at: Timestamp) {
        for (device, summary) in &update.devices {
            if let Some(known) = self.summaries.now(device) {
                for happening in events::differences(device, &known, summary, at) {
                    self.events.update(|events| events::add(events, happening));
                }
            }
            self.summaries.tell(device, summary.clone());
        }
    }

    fn cut(self, at: Timestamp) {
        self.histories.update_value(|histories| histories.values_mut().for_each(|h| h.cut(at)));
    }

    fn join(self, at: Timestamp) {
        let is_wanted = |device: &DeviceId| {
            let stream = StreamName::Device(device.clone());
            self.wanted.with_untracked(|wanted| wanted.contains(&stream))
        };
        self.histories.update_value(|histories| {
            let followed = histories.iter_mut().filter(|((device, _), _)| is_wanted(device));
            followed.for_each(|(_, history)| history.join(at));
        });
    }
}

#[cfg(test)]
#[path = "live/tests.rs"]
mod tests;
