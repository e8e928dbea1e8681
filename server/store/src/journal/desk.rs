//! What the journal's writer has in its hands: what is, and what of it the disk does not have yet.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;
use std::time::Duration;

use protocol::id::{ConnectionId, DeviceId};
use protocol::journal::{Entry, Facts, Happened, Run, Stay};
use protocol::time::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::Letter;
use super::file::Batch;
use crate::open::ago;

/// The journal's state in memory. It outlives its writer, so that a new one can go on.
#[derive(Debug)]
pub(super) struct Desk {
    letters: mpsc::Receiver<Letter>,
    /// The run that goes on, and since when by the monotonic clock.
    run: Option<(Run, Instant)>,
    facts: BTreeMap<DeviceId, Facts>,
    stays: BTreeMap<ConnectionId, Stay>,
    waiting: Group,
    under_way: Group,
    lost: u64,
}

/// A contiguous run of what was handed in. Of facts and stays only the last ones count.
#[derive(Debug, Default)]
struct Group {
    /// When the first of it came.
    since: Option<Instant>,
    runs: Vec<Run>,
    events: VecDeque<Happened>,
    known: BTreeSet<DeviceId>,
    stays: BTreeSet<ConnectionId>,
    flushes: Vec<oneshot::Sender<()>>,
}

impl Desk {
    pub(super) fn new(letters: mpsc::Receiver<Letter>) -> Self {
        Self {
            letters,
            run: None,
            facts: BTreeMap::new(),
            stays: BTreeMap::new(),
            waiting: Group::default(),
            under_way: Group::default(),
            lost: 0,
        }
    }

    /// Waits for letters and takes them in. `false` once nobody is left who could send one.
    pub(super) async fn take_in(&mut self) -> bool {
        let mut letters = Vec::new();
        let taken = self.letters.recv_many(&mut letters, AT_ONCE).await;
        letters.into_iter().for_each(|letter| self.take(letter));
        taken > 0
    }

    /// Takes in what is there already.
    pub(super) fn take_rest(&mut self) {
        while let Ok(letter) = self.letters.try_recv() {
            self.take(letter);
        }
    }

    fn take(&mut self, letter: Letter) {
        self.waiting.since.get_or_insert_with(Instant::now);
        match letter {
            Letter::Entry(Entry::Began { at, epoch }) => {
                let run = Run { epoch, started_at: at, alive_at: at };
                self.waiting.runs.push(run.clone());
                self.run = Some((run, Instant::now()));
            }
            Letter::Entry(Entry::Happened(happened)) => self.waiting.events.push_back(happened),
            Letter::Entry(Entry::Known { device, facts }) => {
                self.waiting.known.insert(device.clone());
                self.facts.insert(device, facts);
            }
            Letter::Entry(Entry::Stayed(stay)) => self.take_stay(stay),
            Letter::Flush(done) => self.waiting.flushes.push(done),
        }
        self.lost += self.waiting.shorten();
    }

    fn take_stay(&mut self, stay: Stay) {
        if self.stays.len() >= MOST_STAYS && !self.stays.contains_key(&stay.connection) {
            self.lost += 1;
            self.waiting.flushes.clear();
            return;
        }
        self.waiting.stays.insert(stay.connection.clone());
        self.stays.insert(stay.connection.clone(), stay);
    }

    /// Since when something waits.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        self.waiting.since
    }

    /// How many entries wait.
    pub(super) fn len(&self) -> usize {
        let Group { runs, events, known, stays, .. } = &self.waiting;
        runs.len() + events.len() + known.len() + stays.len()
    }

    /// All that waits, and that the run is alive at `now`.
    pub(super) fn batch(&mut self, now: Timestamp) -> Result<Batch, serde_json::Error> {
        self.under_way = mem::take(&mut self.waiting);
        let Group { runs, events, known, stays, .. } = &self.under_way;
        let alive = self.run.as_ref().map(|(run, _)| Run { alive_at: now, ..run.clone() });
        let known = known.iter().filter_map(|device| self.facts.get_key_value(device));
        let stays = stays.iter().filter_map(|connection| self.stays.get(connection));
        Batch::new(runs.iter().chain(&alive), events, known, stays)
    }

    /// The batch is on the disk.
    pub(super) fn done(&mut self) {
        for flush in mem::take(&mut self.under_way).flushes {
            // Who no longer waits need not know.
            let _ = flush.send(());
        }
    }

    /// The batch may not be on the disk: all of it waits again, before what came since.
    pub(super) fn take_back(&mut self) {
        let newer = mem::replace(&mut self.waiting, mem::take(&mut self.under_way));
        self.waiting.follow(newer);
        self.lost += self.waiting.shorten();
    }

    /// A file that was not seen before may know nothing: all that is waits for it.
    pub(super) fn tell_all(&mut self) {
        self.waiting.known.extend(self.facts.keys().cloned());
        self.waiting.stays.extend(self.stays.keys().cloned());
    }

    /// Forgets what nobody would ask for after a restart: what is older than `keep` at `now`. The end
    /// of a stay that waits is not: the disk may still hold that the client is here.
    pub(super) fn forget(&mut self, now: Timestamp, keep: Duration) {
        let (oldest, waiting) = (ago(now, keep), &mut self.waiting);
        self.stays.retain(|connection, stay| {
            stay.left.is_none_or(|left| left >= oldest) || waiting.stays.contains(connection)
        });
        while waiting.events.front().is_some_and(|event| event.at < oldest) {
            waiting.events.pop_front();
        }
    }

    /// Whether the run goes on for so long that whoever stays has told it.
    pub(super) fn is_settled(&self, keep: Duration) -> bool {
        self.run.as_ref().is_some_and(|(_, since)| since.elapsed() >= keep)
    }

    /// How many entries found no room since the last time.
    pub(super) fn take_lost(&mut self) -> u64 {
        mem::take(&mut self.lost)
    }
}

impl Group {
    fn follow(&mut self, newer: Self) {
        self.since = self.since.or(newer.since);
        self.runs.extend(newer.runs);
        self.events.extend(newer.events);
        self.known.extend(newer.known);
        self.stays.extend(newer.stays);
        self.flushes.extend(newer.flushes);
    }

    /// Gives up the oldest of what is too much, and says how much that was.
    fn shorten(&mut self) -> u64 {
        let events = self.events.len().saturating_sub(MOST_EVENTS);
        let runs = self.runs.len().saturating_sub(MOST_RUNS);
        self.events.drain(..events);
        self.runs.drain(..runs);
        if events > 0 {
            // Nobody can be told that all is on the disk.
            self.flushes.clear();
        }
        events as u64
    }
}

/// How many letters are taken in before the disk is looked after again.
const AT_ONCE: usize = 1024;

/// Events that wait for a disk that fails: more than three hundred a second for five minutes.
const MOST_EVENTS: usize = 100_000;

/// Runs that wait for a disk that fails.
const MOST_RUNS: usize = 100;

/// Stays of five minutes: ten times as many as there may be clients.
const MOST_STAYS: usize = 100_000;
