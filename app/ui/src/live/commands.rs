//! Orders: those that this page gave, those that everyone may see, and those on record.

use std::collections::BTreeMap;
use std::rc::Rc;

use leptos::prelude::*;
use link::Progress;
use protocol::command::{CommandAction, OrderLine, Origin};
use protocol::frame::{CommandExecuted, CommandStatus};
use protocol::id::DeviceId;
use protocol::point::{Device, Name};
use protocol::reading::Value;
use protocol::stream::StreamName;
use protocol::time::Timestamp;
use protocol::user::Right;
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
}

/// What the browser's shell is asked to do about orders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ask {
    /// To give it an id, to tell that to [`Live::gave`], and then the link of it.
    Command(Wish),
    /// To fetch it and tell the answer to [`Live::recorded`].
    Record(RecordWish),
}

/// Why an order cannot be given now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Blocked {
    NotPermitted,
    Starting,
    Offline,
    /// Nobody has touched the page for long.
    Locked,
    Stale,
    NotReached,
    /// A higher origin is in control (S0-30).
    Held {
        origin: Origin,
        user: String,
        until: Option<Timestamp>,
    },
}

impl Blocked {
    /// Whether it keeps from every command of the device.
    pub(crate) fn is_of_all(&self) -> bool {
        !matches!(self, Self::NotReached | Self::Held { .. })
    }
}

/// All that [`Live`] knows of orders. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Orders {
    book: RwSignal<Book>,
    record: RwSignal<Record>,
    shell: StoredValue<Option<Shell>, LocalStorage>,
}

/// Whoever carries out what the page asks.
type Shell = Rc<dyn Fn(Ask)>;

#[derive(Clone, Default)]
struct Book {
    given: Vec<Given>,
    /// How often each device is polled, in milliseconds.
    paces: BTreeMap<DeviceId, u32>,
}

impl Orders {
    pub(super) fn new(paces: BTreeMap<DeviceId, u32>) -> Self {
        Self {
            book: RwSignal::new(Book { paces, ..Book::default() }),
            record: RwSignal::new(Record::default()),
            shell: StoredValue::new_local(None),
        }
    }

    /// Takes in how far an order has come.
    pub(super) fn progress(self, id: &str, progress: Progress) {
        self.book.update(|book| {
            if let Some(given) = book.given.iter_mut().find(|given| given.id == id) {
                given.progress = Some(progress);
            }
        });
    }

    fn ask(self, ask: Ask) {
        if let Some(shell) = self.shell.get_value() {
            untrack(|| shell(ask));
        }
    }
}

/// What the browser's shell tells and hears of orders.
impl Live {
    /// Calls `carry_out` with what the page wants done about orders, from now on.
    pub fn on_ask(self, carry_out: impl Fn(Ask) + 'static) {
        self.orders.shell.set_value(Some(Rc::new(carry_out)));
    }

    /// A wish goes to the link under this id.
    pub fn gave(self, id: String, wish: Wish) {
        self.orders.book.update(|book| {
            if book.given.len() == MOST_GIVEN {
                book.given.remove(0);
            }
            book.given.push(Given { id, wish, progress: None });
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
    /// The operator has confirmed it.
    pub(crate) fn command(self, wish: Wish) {
        self.orders.ask(Ask::Command(wish));
    }

    /// The last order of this page under this name.
    pub(crate) fn last_given(self, device: &DeviceId, command: &str) -> Option<Given> {
        let book = self.orders.book.read();
        let is_it = |given: &&Given| given.wish.device == *device && given.wish.command == command;
        book.given.iter().rev().find(is_it).cloned()
    }

    /// The orders of a device that everyone may see.
    pub(crate) fn orders(self, device: &DeviceId) -> Vec<OrderLine> {
        self.summary(device).get().map(|summary| summary.orders).unwrap_or_default()
    }

    /// Why a command cannot be given now, if it cannot.
    pub(crate) fn blocked(self, device: &Device, command: &str) -> Option<Blocked> {
        let spec = device.command(command)?;
        if !self.may(Right::Command) {
            return Some(Blocked::NotPermitted);
        }
        match self.standing() {
            Standing::Starting => return Some(Blocked::Starting),
            Standing::Lost => return Some(Blocked::Offline),
            Standing::Live => {}
        }
        if self.is_locked() {
            return Some(Blocked::Locked);
        }
        if !self.is_current(&StreamName::Device(device.id.clone())) {
            return Some(Blocked::Stale);
        }
        let links = self.state(&device.id).get().and_then(|state| state.links);
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
        self.orders.book.read().paces.get(device).copied()
    }

    /// What a command is called.
    pub(crate) fn title(self, command: &str) -> Option<Name> {
        self.page(|page| {
            let found = page.titles.iter().find(|(known, _)| known == command);
            found.map(|(_, title)| title.clone())
        })
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
        self.orders.ask(Ask::Record(RecordWish { query, before: None }));
    }

    /// The page shows what is older, too.
    pub(crate) fn look_further(self) {
        let Record { query, next: before, .. } = self.orders.record.get_untracked();
        if before.is_some() {
            self.orders.ask(Ask::Record(RecordWish { query, before }));
        }
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
        let is_of_channel = |id: &DeviceId| {
            let is_it = |other: &Device| other.id == *id && other.channel == facts.channel;
            self.page(|page| page.devices.iter().any(is_it))
        };
        let millis = (seconds * 1000.0).round() as u32;
        self.orders.book.update(|book| {
            let same = book.paces.iter_mut().filter(|(id, _)| is_of_channel(id));
            same.for_each(|(_, pace)| *pace = millis);
        });
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
            self.rows.extend(page.rows);
            self.next = page.next;
            return;
        }
        let last = page.rows.last().map(|row| row.id);
        let joint = self.rows.iter().position(|row| Some(row.id) == last);
        let older = joint.map(|joint| self.rows.split_off(joint + 1)).unwrap_or_default();
        if older.is_empty() {
            self.next = page.next;
        }
        self.rows = page.rows;
        self.rows.extend(older);
    }
}

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
        RecordWish { query: String::new(), before: before.map(String::from) }
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
