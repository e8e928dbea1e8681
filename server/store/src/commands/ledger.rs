//! The orders that are not on the disk yet.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::time::Duration;

use protocol::command::{CommandRecord, OrderKey};
use protocol::time::Timestamp;
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use super::file::{AROUND, COMMANDS, all_settings, prune, write_records, write_settings};
use super::setting::Setting;
use crate::age::{Doubt, Old, look};
use crate::clerk::Ledger;
use crate::open::{Database, ago};

/// What is handed in.
#[derive(Debug)]
pub(crate) enum Letter {
    /// Wants to hear when all before it is on the disk.
    Flush(oneshot::Sender<()>),
    Record(Box<CommandRecord>),
    Set {
        key: String,
        setting: Setting,
        done: oneshot::Sender<()>,
    },
}

/// What waits for the disk, and who is told once it is there.
#[derive(Debug)]
pub(crate) struct Pending {
    keep: Duration,
    doubt: Doubt,
    durable: mpsc::Sender<OrderKey>,
    /// All that is set, whether it waits or not.
    settings: BTreeMap<String, Setting>,
    waiting: Group,
    under_way: Group,
    lost: u64,
}

/// What was handed in between two commits. Of an order and of a setting only the last state counts.
#[derive(Debug, Default)]
struct Group {
    /// Numbered as they came.
    records: BTreeMap<u64, CommandRecord>,
    numbers: HashMap<(OrderKey, Timestamp), u64>,
    settings: BTreeMap<String, Setting>,
    told: Vec<oneshot::Sender<()>>,
}

impl Pending {
    pub(super) fn new(durable: mpsc::Sender<OrderKey>) -> Self {
        Self {
            keep: Duration::MAX,
            doubt: Doubt::default(),
            durable,
            settings: BTreeMap::new(),
            waiting: Group::default(),
            under_way: Group::default(),
            lost: 0,
        }
    }

    pub(super) fn keep_for(&mut self, keep: Duration) {
        self.keep = keep;
    }
}

impl Ledger for Pending {
    type Letter = Letter;

    const DATABASE: &'static Database = &COMMANDS;

    const THINGS: &'static str = "orders";

    fn take(&mut self, letter: Letter) {
        match letter {
            Letter::Flush(done) => self.waiting.told.push(done),
            Letter::Record(record) => self.waiting.put(*record),
            Letter::Set { key, setting, done } => {
                self.settings.insert(key.clone(), setting.clone());
                self.waiting.settings.insert(key, setting);
                self.waiting.told.push(done);
            }
        }
        self.lost += self.waiting.shorten();
    }

    fn has_room(&self) -> bool {
        true
    }

    fn waiting(&self) -> usize {
        let Group { records, settings, told, .. } = &self.waiting;
        records.len() + settings.len() + told.len()
    }

    async fn begin(
        &mut self,
        connection: &mut SqliteConnection,
        is_new: bool,
    ) -> Result<(), sqlx::Error> {
        if is_new {
            // What was set in this run is known, even where its file is lost.
            self.waiting.settings = self.settings.clone();
        }
        let kept = all_settings(connection).await?;
        for (key, setting) in kept {
            self.settings.entry(key).or_insert(setting);
        }
        Ok(())
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        self.under_way = mem::take(&mut self.waiting);
        let Group { records, settings, .. } = &self.under_way;
        if !records.is_empty() {
            write_records(&mut *connection, records.values()).await?;
        }
        if !settings.is_empty() {
            write_settings(connection, settings.iter()).await?;
        }
        Ok(())
    }

    fn done(&mut self) {
        let Group { records, told, .. } = mem::take(&mut self.under_way);
        for record in records.into_values().filter(|record| record.outcome.is_none()) {
            // Who does not listen gives the order up.
            let _ = self.durable.try_send(record.order.key);
        }
        for done in told {
            // Who no longer waits need not know.
            let _ = done.send(());
        }
    }

    fn take_back(&mut self) {
        let newer = mem::replace(&mut self.waiting, mem::take(&mut self.under_way));
        self.waiting.follow(newer);
        self.lost += self.waiting.shorten();
    }

    async fn prune(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let old = look(connection, AROUND, now, self.keep).await?;
        self.doubt.tell(old == Old::Doubted, Self::THINGS);
        if old == Old::MayGo { prune(connection, ago(now, self.keep)).await } else { Ok(false) }
    }

    fn take_lost(&mut self) -> u64 {
        mem::take(&mut self.lost)
    }
}

impl Group {
    fn put(&mut self, record: CommandRecord) {
        let next = self.records.last_key_value().map_or(0, |(number, _)| number + 1);
        let name = (record.order.key.clone(), record.accepted_at);
        let number = *self.numbers.entry(name).or_insert(next);
        self.records.insert(number, record);
    }

    fn follow(&mut self, newer: Self) {
        newer.records.into_values().for_each(|record| self.put(record));
        self.settings.extend(newer.settings);
        self.told.extend(newer.told);
    }

    /// Gives up the oldest of what is too much, and says how much that was.
    fn shorten(&mut self) -> u64 {
        let mut given_up = 0;
        while self.records.len() > MOST_RECORDS
            && let Some((_, record)) = self.records.pop_first()
        {
            self.numbers.remove(&(record.order.key, record.accepted_at));
            given_up += 1;
        }
        if given_up > 0 {
            // Nobody can be told that all is on the disk.
            self.told.clear();
        }
        given_up
    }
}

/// Orders that wait for a disk that fails: those that are refused meanwhile, for hours.
const MOST_RECORDS: usize = 20_000;

#[cfg(test)]
mod tests {
    use protocol::command::{Order, Origin, Outcome, Steps};

    use super::*;

    fn order(number: usize, outcome: Option<Outcome>) -> Letter {
        let (origin, device) = (Origin::Local, "board-1".parse().unwrap());
        let key = OrderKey { origin, user: "li".into(), device, id: number.to_string() };
        let (command, via) = ("START".into(), String::new());
        let order = Order { key, command, param: None, valid_until: None, via };
        let (accepted_at, steps) = (Timestamp::default(), Steps::default());
        Letter::Record(Box::new(CommandRecord { order, accepted_at, steps, outcome }))
    }

    fn done() -> Option<Outcome> {
        let at = Timestamp::default();
        let (failure, detail, verified, old, new, ms) = (None, None, None, None, None, 0);
        Some(Outcome { at, failure, detail, verified, old, new, ms })
    }

    #[test]
    fn what_is_too_much_goes_oldest_first_and_is_counted() {
        let mut pending = Pending::new(mpsc::channel(1).0);
        (0..MOST_RECORDS + 300).for_each(|number| pending.take(order(number, None)));
        // An order that waits already takes no more room.
        pending.take(order(300, done()));
        assert_eq!((pending.waiting(), pending.take_lost()), (MOST_RECORDS, 300));
        let first = pending.waiting.records.pop_first().unwrap().1;
        assert!(first.order.key.id == "300" && first.outcome.is_some());
    }

    #[test]
    fn what_was_not_written_waits_again_in_its_place_and_is_told_once_it_is() {
        let (durable, mut told) = mpsc::channel(10);
        let mut pending = Pending::new(durable);
        (1..=3).for_each(|number| pending.take(order(number, None)));
        pending.under_way = mem::take(&mut pending.waiting);
        pending.take(order(4, None));
        pending.take(order(2, done()));
        pending.take_back();
        let waiting = pending.waiting.records.values();
        let ids: Vec<_> = waiting.map(|record| record.order.key.id.as_str()).collect();
        assert_eq!(ids, ["1", "2", "3", "4"]);
        assert!(told.try_recv().is_err());
        pending.under_way = mem::take(&mut pending.waiting);
        pending.done();
        let ids = [(); 3].map(|()| told.try_recv().unwrap().id);
        assert!(ids == ["1", "3", "4"] && told.try_recv().is_err(), "{ids:?}");
    }
}
