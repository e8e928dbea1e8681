//! Orders: those that this page gave, those that everyone may see, and those on record.

use std::collections::{BTreeMap, BTreeSet};

use leptos::prelude::*;
use link::Progress;
use protocol::command::{CommandAction, OrderLine, Origin};
use protocol::frame::{CommandExecuted, CommandStatus};
use protocol::id::DeviceId;
use protocol::point::{Device, Name};
use protocol::reading::Value;
use protocol::stream::StreamName;
use protocol::time::Timestamp;
use protocol::wire::commands::{CommandPage, CommandRow};

use super::{Live, Standing};
use crate::order;

/// What the operator wants done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wish {
    pub device: DeviceId,
    pub command: String,
    pub param: Option<String>,
}

/// A wish that became an order, and how far it has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    pub id: String,
    pub wish: Wish,
    /// `None`: it is on its way to the link.
    pub progress: Option<Progress>,
}

impl Given {
    /// Whether its answer is awaited.
    pub(crate) fn is_open(&self) -> bool {
        !self.progress.as_ref().is_some_and(Progress::is_end)
    }
}

/// The part of the record that the page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    pub query: String,
    pub rows: Vec<CommandRow>,
    pub next: Option<String>,
    pub state: RecordState,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum RecordState {
    #[default]
    Loading,
    Told,
    Failed,
}

/// What to fetch of `GET /api/commands`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RecordWish {
    /// As it stands behind the `?`.
    pub query: String,
    /// Where to go on; `None` is the newest.
    pub before: Option<String>,
    /// Tells two wishes for the same apart.
    count: u32,
}

/// Why an order cannot be given now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Blocked {
    Starting,
    Offline,
    Stale,
    NotPermitted,
    NotReached,
    /// A higher origin is in control (S0-30).
    Held {
        origin: Origin,
        user: String,
        until: Option<Timestamp>,
    },
}

/// All that [`Live`] knows of orders. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Orders {
    wishes: RwSignal<Vec<Wish>>,
    given: RwSignal<Vec<Given>>,
    role: RwSignal<Option<String>>,
    paces: RwSignal<BTreeMap<DeviceId, u32>>,
    record: RwSignal<Record>,
    record_wish: RwSignal<Option<RecordWish>>,
}

impl Orders {
    pub(super) fn new(paces: BTreeMap<DeviceId, u32>) -> Self {
        Self {
            wishes: RwSignal::new(Vec::new()),
            given: RwSignal::new(Vec::new()),
            role: RwSignal::new(None),
            paces: RwSignal::new(paces),
            record: RwSignal::new(Record::default()),
            record_wish: RwSignal::new(None),
        }
    }

    /// Takes in how far an order has come.
    pub(super) fn progress(self, id: &str, progress: Progress) {
        self.given.update(|given| {
            if let Some(given) = given.iter_mut().find(|given| given.id == id) {
                given.progress = Some(progress);
            }
        });
    }
}

/// What the browser's shell tells and hears of orders.
impl Live {
    /// Calls `send` with each thing that the operator wants done, once. Whoever sends it gives it an
    /// id, and tells it to [`Live::gave`] before the link hears of it.
    pub fn on_command(self, send: impl Fn(Wish) + 'static) {
        let wishes = self.orders.wishes;
        Effect::new(move |_| {
            if !wishes.with(Vec::is_empty) {
                let wished = wishes.try_update(std::mem::take).unwrap_or_default();
                untrack(|| wished.into_iter().for_each(&send));
            }
        });
    }

    /// A wish goes to the link under this id.
    pub fn gave(self, id: String, wish: Wish) {
        self.orders.given.update(|given| {
            if given.len() == MOST_GIVEN {
                given.remove(0);
            }
            given.push(Given { id, wish, progress: None });
        });
    }

    /// What the person at this page may do.
    pub fn permit(self, role: &str) {
        if self.orders.role.with_untracked(|known| known.as_deref() != Some(role)) {
            self.orders.role.set(Some(role.into()));
        }
    }

    /// Calls `fetch` when the page needs a part of `GET /api/commands`; the answer goes to
    /// [`Live::recorded`].
    pub fn on_record(self, fetch: impl Fn(RecordWish) + 'static) {
        let wish = self.orders.record_wish;
        Effect::new(move |_| {
            if let Some(wish) = wish.get() {
                untrack(|| fetch(wish));
            }
        });
    }

    /// Takes in a part of the record; `None` where it could not be had.
    pub fn recorded(self, wish: &RecordWish, page: Option<CommandPage>) {
        self.orders.record.update(|record| {
            if record.query == wish.query {
                record.take_in(wish, page);
            }
        });
    }
}

/// What pages ask of orders.
impl Live {
    /// The operator has confirmed it. Nothing is done where nothing can be done.
    pub(crate) fn command(self, wish: Wish) {
        self.orders.wishes.update(|wishes| wishes.push(wish));
    }

    /// The last order of this page under this name.
    pub(crate) fn last_given(self, device: &DeviceId, command: &str) -> Option<Given> {
        self.orders.given.with(|given| {
            let is_it =
                |given: &&Given| given.wish.device == *device && given.wish.command == command;
            given.iter().rev().find(is_it).cloned()
        })
    }

    /// The orders of a device that everyone may see.
    pub(crate) fn orders(self, device: &DeviceId) -> Vec<OrderLine> {
        let summary = self.summary(device);
        summary.with(|summary| summary.as_ref().map(|s| s.orders.clone()).unwrap_or_default())
    }

    /// Why a command cannot be given now, if it cannot.
    pub(crate) fn blocked(self, device: &Device, command: &str) -> Option<Blocked> {
        let spec = device.command(command)?;
        match self.standing() {
            Standing::Starting => return Some(Blocked::Starting),
            Standing::Lost => return Some(Blocked::Offline),
            Standing::Live => {}
        }
        let role = self.orders.role.get();
        if !role.is_some_and(|role| MAY_COMMAND.contains(&role.as_str())) {
            return Some(Blocked::NotPermitted);
        }
        if !self.is_current(&StreamName::Device(device.id.clone())) {
            return Some(Blocked::Stale);
        }
        let links = self.state(&device.id).with(|state| state.as_ref().and_then(|s| s.links));
        if order::needs_board(spec) && !links.is_some_and(|links| links.board) {
            return Some(Blocked::NotReached);
        }
        let orders = self.orders(&device.id);
        let line = order::holder(device, spec, &orders)?;
        let (origin, user, until) = (line.origin, line.user.clone(), line.until);
        Some(Blocked::Held { origin, user, until })
    }

    /// How often a device is polled, in milliseconds.
    pub(crate) fn pace(self, device: &DeviceId) -> Option<u32> {
        self.orders.paces.with(|paces| paces.get(device).copied())
    }

    /// What a command is called.
    pub(crate) fn title(self, command: &str) -> Option<Name> {
        self.page(|page| page.titles.get(command).cloned())
    }

    pub(crate) fn record(self) -> RwSignal<Record> {
        self.orders.record
    }

    /// The page shows what this query finds, from its newest on.
    pub(crate) fn look_up(self, query: String) {
        self.orders.record.update(|record| {
            if record.query != query {
                *record = Record { query: query.clone(), ..Record::default() };
            }
        });
        self.wish_for_record(query, None);
    }

    /// The page shows what is older, too.
    pub(crate) fn look_further(self) {
        let known = |record: &Record| (record.query.clone(), record.next.clone());
        if let (query, Some(next)) = self.orders.record.with_untracked(known) {
            self.wish_for_record(query, Some(next));
        }
    }

    fn wish_for_record(self, query: String, before: Option<String>) {
        let count = self
            .orders
            .record_wish
            .with_untracked(|wish| wish.as_ref().map_or(0, |wish| wish.count.wrapping_add(1)));
        self.orders.record_wish.set(Some(RecordWish { query, before, count }));
    }

    /// An order that changed the pace of a channel changed that of all its devices.
    pub(super) fn executed(self, device: &DeviceId, executed: &CommandExecuted) {
        let Some(Value::Number(seconds)) = executed.new else { return };
        let facts = self.facts.with_untracked(|facts| facts.get(device).cloned());
        let Some(facts) = facts.filter(|_| executed.status == CommandStatus::Success) else {
            return;
        };
        let action = facts.command(&executed.command).map(|spec| &spec.action);
        if action != Some(&CommandAction::PollInterval) {
            return;
        }
        let same: BTreeSet<_> = self.page(|page| {
            let same = page.devices.iter().filter(|other| other.channel == facts.channel);
            same.map(|other| other.id.clone()).collect()
        });
        let millis = (seconds * 1000.0).round() as u32;
        self.orders.paces.update(|paces| paces.extend(same.into_iter().map(|id| (id, millis))));
    }
}

impl Record {
    /// The newest replace what was known of them; what is older comes behind.
    fn take_in(&mut self, wish: &RecordWish, page: Option<CommandPage>) {
        let Some(page) = page else {
            self.state = RecordState::Failed;
            return;
        };
        self.state = RecordState::Told;
        if wish.before.is_some() {
            let known: BTreeSet<_> = self.rows.iter().map(|row| row.id).collect();
            self.rows.extend(page.rows.into_iter().filter(|row| !known.contains(&row.id)));
            self.next = page.next;
            return;
        }
        let fresh: BTreeSet<_> = page.rows.iter().map(|row| row.id).collect();
        let joins = self.rows.iter().position(|row| fresh.contains(&row.id));
        let older = joins.map(|_| std::mem::take(&mut self.rows)).unwrap_or_default();
        let last = page.rows.last().map(|row| (row.accepted_at, row.id));
        let is_older = |row: &CommandRow| last.is_some_and(|last| (row.accepted_at, row.id) < last);
        let mut rows = page.rows;
        let before = rows.len();
        rows.extend(older.into_iter().filter(is_older));
        if rows.len() == before {
            self.next = page.next;
        }
        self.rows = rows;
    }
}

/// Who may give orders, besides looking.
const MAY_COMMAND: [&str; 3] = ["operator", "engineer", "admin"];

/// More than a device has commands; what is forgotten is on record.
const MOST_GIVEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn page(ids: &[u64], next: Option<&str>) -> Option<CommandPage> {
        let row = |id: &u64| CommandRow { id: *id, ..sample::row() };
        Some(CommandPage { rows: ids.iter().map(row).collect(), next: next.map(String::from) })
    }

    fn wish(before: Option<&str>) -> RecordWish {
        RecordWish { before: before.map(String::from), ..RecordWish::default() }
    }

    fn ids(record: &Record) -> Vec<u64> {
        record.rows.iter().map(|row| row.id).collect()
    }

    #[test]
    fn what_is_older_comes_behind_and_what_is_newer_before() {
        let mut record = Record::default();
        record.take_in(&wish(None), page(&[9, 8, 7], Some("7")));
        record.take_in(&wish(Some("7")), page(&[6, 5], Some("5")));
        assert_eq!((ids(&record), record.next.as_deref()), (vec![9, 8, 7, 6, 5], Some("5")));
        record.take_in(&wish(None), page(&[11, 10, 9], Some("9")));
        let expected = (vec![11, 10, 9, 8, 7, 6, 5], Some("5"));
        assert_eq!((ids(&record), record.next.as_deref()), expected);
        record.take_in(&wish(None), page(&[40, 39, 38], Some("38")));
        let expected = (vec![40, 39, 38], Some("38"));
        assert_eq!((ids(&record), record.next.as_deref()), expected, "rather less than a hole");
        record.take_in(&wish(None), None);
        assert_eq!((ids(&record).len(), record.state), (3, RecordState::Failed));
    }
}
