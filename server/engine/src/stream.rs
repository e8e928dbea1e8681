//! Remembers the frames of one stream, and what they add up to.
//!
//! The Station numbers frames; a window keeps them. Every way to get what was missed, be it a
//! first load, a repair or a return, is [`Window::recover`] or [`Window::snapshot`].

mod history;
mod shared;

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use protocol::frame::{Body, Frame, Offset, Update};
use protocol::id::Epoch;
use protocol::time::{Instant, Timestamp};
use protocol::wire::native::ConnectionLost;

pub use history::{History, windows};
pub use shared::Shared;

/// The frames of a stream that are still held, and the table they add up to.
#[derive(Debug)]
pub struct Window {
    epoch: Epoch,
    history: Arc<History>,
    /// Key events of earlier runs, oldest first.
    earlier: Vec<Arc<Shared>>,
    held: VecDeque<Held>,
    /// The last key event that was let go of.
    forgotten: Offset,
    /// Bytes of the deltas held, about.
    weight: usize,
    top: Offset,
    at: Timestamp,
    table: Update,
    /// Made when first asked for, dropped when the table changes.
    snapshot: OnceLock<Arc<Shared>>,
    notices: VecDeque<Notice>,
    noticed: u64,
}

#[derive(Debug)]
struct Held {
    shared: Arc<Shared>,
    since: Instant,
    weight: usize,
}

/// What a follower who stands at a certain frame has not been told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backlog {
    /// Since when the first of it waits.
    pub since: Option<Instant>,
    /// Bytes of deltas, about.
    pub deltas: usize,
    /// Bytes of key events, about.
    pub events: usize,
}

/// What is left of a range.
#[derive(Debug, Default)]
pub struct Recovery {
    pub frames: Vec<Arc<Shared>>,
    /// Both ends included.
    pub gone: Vec<(Offset, Offset)>,
}

/// What is told to those who listen now and is not worth a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    ConnectionLost(ConnectionLost),
}

impl Window {
    /// An empty window of a stream that nobody wrote before.
    pub fn new(epoch: Epoch) -> Self {
        Self::after(epoch, Arc::default(), Vec::new())
    }

    /// An empty window that still holds what happened in earlier runs.
    fn after(epoch: Epoch, history: Arc<History>, earlier: Vec<Arc<Shared>>) -> Self {
        Self {
            epoch,
            history,
            earlier,
            held: VecDeque::new(),
            forgotten: Offset(0),
            weight: 0,
            top: Offset(0),
            at: Timestamp::default(),
            table: Update::default(),
            snapshot: OnceLock::new(),
            notices: VecDeque::new(),
            noticed: 0,
        }
    }

    /// Takes in the next frame and lets go of what is too old or too much.
    pub fn push(&mut self, frame: Frame, now: Instant) {
        match &frame.body {
            Body::Delta(update) => self.table.fold(update),
            Body::Snapshot(update) => self.table = update.clone(),
            Body::Event(_) => {}
        }
        self.top = frame.offset;
        self.at = frame.at;
        self.snapshot = OnceLock::new();
        let weight = weight(&frame.body);
        self.weight += weight;
        self.held.push_back(Held {
            shared: Arc::new(Shared::new(self.epoch.clone(), frame)),
            since: now,
            weight,
        });
        self.forget(now);
    }

    pub fn notice(&mut self, notice: Notice) {
        self.noticed += 1;
        self.notices.push_back(notice);
        if self.notices.len() > MOST_NOTICES {
            self.notices.pop_front();
        }
    }

    /// Notices after the first `seen`, and how many there have been in all.
    pub fn notices_since(&self, seen: u64) -> (impl Iterator<Item = &Notice>, u64) {
        let new = usize::try_from(self.noticed.saturating_sub(seen)).unwrap_or(usize::MAX);
        (self.notices.iter().skip(self.notices.len().saturating_sub(new)), self.noticed)
    }

    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The last frame's place; 0 before the first.
    pub fn top(&self) -> Offset {
        self.top
    }

    /// Everything the stream tells, as of `top`.
    pub fn table(&self) -> &Update {
        &self.table
    }

    /// When the table last changed.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The whole table, standing in for the frame at `top`; encoded once, whoever joins.
    pub fn snapshot(&self) -> Arc<Shared> {
        let make = || {
            let body = Body::Snapshot(self.table.clone());
            let frame = Frame { offset: self.top, at: self.at, body, stamps: None };
            Arc::new(Shared::new(self.epoch.clone(), frame))
        };
        Arc::clone(self.snapshot.get_or_init(make))
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    /// The key events that a follower of `epoch` has not heard who stands at `said`: the rest of
    /// that run, all of the runs after it, and those of this run. Where the run is not known, or
    /// nobody knows where the follower stands, it is all that is held: each is applied once.
    pub fn events_since(&self, epoch: &Epoch, said: Option<Offset>) -> Vec<Arc<Shared>> {
        let place = |epoch: &Epoch| self.history.runs.iter().position(|run| run.epoch == *epoch);
        let (then, said) = match (place(epoch), said) {
            (Some(then), Some(said)) => (Some(then), said),
            _ => (None, Offset(0)),
        };
        let is_unheard = |shared: &&Arc<Shared>| match then {
            Some(_) if shared.epoch == *epoch => shared.frame.offset > said,
            Some(then) => place(&shared.epoch) > Some(then),
            None => true,
        };
        let own = self.held.iter().map(|held| &held.shared).filter(|shared| shared.is_event());
        self.earlier.iter().filter(is_unheard).chain(own).cloned().collect()
    }

    /// The last key event after `said` that nobody holds any more.
    pub fn forgotten_since(&self, said: Offset) -> Option<Offset> {
        (self.forgotten > said).then_some(self.forgotten)
    }

    /// What a follower who stands at `said` has not been told.
    pub fn backlog(&self, said: Offset) -> Backlog {
        let start = self.held.partition_point(|held| held.shared.frame.offset <= said);
        let mut backlog = Backlog::default();
        for held in self.held.range(start..) {
            backlog.since.get_or_insert(held.since);
            match held.shared.is_event() {
                true => backlog.events += EVENT_WEIGHT,
                false => backlog.deltas += held.weight,
            }
        }
        backlog
    }

    /// Bytes of the deltas held, about.
    pub fn held(&self) -> usize {
        self.weight
    }

    /// Bytes of a snapshot made now, about.
    pub fn weight(&self) -> usize {
        weight_of(&self.table)
    }

    /// What is left of the frames `from..=to`; nothing above `top` counts as gone.
    pub fn recover(&self, from: Offset, to: Offset) -> Recovery {
        let mut recovery = Recovery::default();
        let to = to.min(self.top);
        let mut next = from.max(Offset(1));
        let start = self.held.partition_point(|held| held.shared.frame.offset < next);
        for held in self.held.range(start..) {
            let offset = held.shared.frame.offset;
            if offset > to {
                break;
            }
            recovery.lose(next, offset);
            recovery.frames.push(Arc::clone(&held.shared));
            next = offset.next();
        }
        recovery.lose(next, to.next());
        recovery
    }

    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.held.front()
            && now.since(oldest.since) > KEPT_FOR
        {
            self.weight -= oldest.weight;
            if oldest.shared.is_event() {
                self.forgotten = oldest.shared.frame.offset;
            }
            self.held.pop_front();
        }
        if now.since(self.history.began) > KEPT_FOR {
            self.earlier.clear();
        }
        if self.weight <= HEAVIEST {
            return;
        }
        // Key events weigh nothing and stay for their five minutes.
        let (mut over, last) = (self.weight - HEAVIEST, self.held.len() - 1);
        let mut index = 0;
        self.held.retain(|held| {
            let go = over > 0 && held.weight > 0 && index < last;
            index += 1;
            if go {
                over = over.saturating_sub(held.weight);
                self.weight -= held.weight;
            }
            !go
        });
    }
}

impl Recovery {
    /// Books `from..before` as gone.
    fn lose(&mut self, from: Offset, before: Offset) {
        if from < before {
            self.gone.push((from, Offset(before.0 - 1)));
        }
    }
}

/// About the bytes of a frame on the wire.
fn weight(body: &Body) -> usize {
    match body {
        Body::Event(_) => 0,
        Body::Delta(update) | Body::Snapshot(update) => weight_of(update),
    }
}

fn weight_of(update: &Update) -> usize {
    FRAME_WEIGHT + update.points.len() * POINT_WEIGHT + update.devices.len() * LINE_WEIGHT
}

/// S0-65: what happened in the five minutes before a break can be sent again.
const KEPT_FOR: Duration = Duration::from_secs(300);

/// The most a stream's deltas may take; beyond it a snapshot is always right.
const HEAVIEST: usize = 256 * 1024;

/// Only those who listen now are told, so only as many are held as arrive between two looks.
const MOST_NOTICES: usize = 16;

const FRAME_WEIGHT: usize = 200;
const EVENT_WEIGHT: usize = 300;
const POINT_WEIGHT: usize = 60;
const LINE_WEIGHT: usize = 400;

#[cfg(test)]
mod tests;
