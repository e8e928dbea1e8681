//! One stream as a client follows it: its numbers, its facts and what happened in it.

use protocol::frame::{Sequence, Update};
use protocol::id::Epoch;
use protocol::stream::StreamName;
use protocol::time::{Instant, Timestamp};
use protocol::wire::native::{
    LARGEST_NUMBER, MOST_RANGES, Position, Range, ServerFrame, ServerMessage, Snapshot, StreamState,
};

use crate::event::{Kept, News};
use crate::gap::{Arrival, Gaps};
use crate::heard::Heard;
use crate::hole::Hole;
use crate::policy::Policy;
use crate::table::Table;
use crate::vitals::Vitals;

/// A stream across all the connections that carried it.
#[derive(Debug)]
pub(crate) struct Stream {
    name: StreamName,
    standing: Standing,
    epoch: Option<Epoch>,
    gaps: Gaps,
    table: Table,
    heard: Heard,
    /// How far the data reaches.
    at: Timestamp,
    /// Where the stream stood in a run of the server that has ended, until this one has told the
    /// whole table: only then is nothing of the old one wanted any more.
    stood: Option<Position>,
    hole: Hole,
    /// The table comes from an earlier page and this page does not know it.
    untold: bool,
    asked: Option<Instant>,
    ask_at: Option<Instant>,
}

/// How a stream stands on the present connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// Not granted: what still comes belongs to an earlier subscription.
    Asked {
        since: Instant,
    },
    Refused,
    /// Begins with a snapshot numbered 1.
    Joining,
    /// Goes on where it was left, or begins anew if the server thinks so.
    Resuming,
    Following,
}

impl Stream {
    pub(crate) fn new(name: StreamName, now: Instant) -> Self {
        Self {
            name,
            standing: Standing::Asked { since: now },
            epoch: None,
            gaps: Gaps::after(0),
            table: Table::default(),
            heard: Heard::default(),
            at: Timestamp::default(),
            stood: None,
            hole: Hole::default(),
            untold: false,
            asked: None,
            ask_at: None,
        }
    }

    /// A stream as an earlier page left it.
    pub(crate) fn kept(kept: Kept, now: Instant) -> Self {
        Self {
            epoch: Some(kept.epoch),
            gaps: Gaps::after(kept.seq.0),
            table: Table::kept(kept.table, kept.seq.0),
            at: kept.at,
            untold: true,
            ..Self::new(kept.stream, now)
        }
    }

    pub(crate) fn facts(&self) -> &Update {
        self.table.facts()
    }

    /// The last number that the stream is known to have reached; `None` before the first.
    pub(crate) fn last(&self) -> Option<Sequence> {
        Some(Sequence(self.gaps.last())).filter(|last| *last >= Sequence::FIRST)
    }

    /// Where the stream can be taken up again; `None` where nothing whole is held.
    pub(crate) fn position(&self) -> Option<Position> {
        self.stood.clone().or_else(|| self.place())
    }

    fn place(&self) -> Option<Position> {
        let seq = Sequence(self.gaps.unbroken());
        let epoch = self.epoch.clone().filter(|_| self.table.is_whole() && seq.0 > 0)?;
        Some(Position { epoch, seq, stream: Some(self.name.clone()) })
    }

    /// What another page needs to go on.
    pub(crate) fn keep(&self) -> Option<Kept> {
        let Position { epoch, seq, .. } = self.position()?;
        let (stream, table) = (self.name.clone(), self.facts().clone());
        Some(Kept { at: self.at, epoch, seq, stream, table })
    }

    pub(crate) fn is_of(&self, epoch: &Epoch) -> bool {
        self.epoch.as_ref() == Some(epoch)
    }

    /// Whether it was asked for so long ago that the question must have been lost.
    pub(crate) fn is_unanswered(&self, now: Instant, policy: &Policy) -> bool {
        matches!(self.standing, Standing::Asked { since } if now.since(since) >= policy.greet_limit)
    }

    /// Waits for the server to grant the stream.
    pub(crate) fn ask(&mut self, now: Instant) {
        self.standing = Standing::Asked { since: now };
        self.ask_at = None;
    }

    pub(crate) fn refuse(&mut self) {
        self.standing = Standing::Refused;
    }

    /// The stream begins under this epoch, with number 1. What it told before is over, and nobody
    /// knows what happened in between.
    pub(crate) fn join(&mut self, epoch: Epoch, vitals: &mut Vitals) {
        self.stood = None;
        self.begin(epoch, false, vitals);
    }

    /// The server does not know the run in which the stream stood, so neither what is gone of it.
    pub(crate) fn doubt_events(&mut self) {
        self.hole.doubt_events();
    }

    /// The server was started again, and tells the key events of the time between.
    pub(crate) fn restart(&mut self, epoch: Epoch, vitals: &mut Vitals) {
        if matches!(self.standing, Standing::Refused) {
            return;
        }
        self.stood = self.position();
        let events = self.stood.is_some();
        self.begin(epoch, events, vitals);
    }

    /// What was missing under the old numbers is part of a hole in time from now on.
    fn begin(&mut self, epoch: Epoch, events: bool, vitals: &mut Vitals) {
        vitals.forget(self.gaps.missing());
        if self.at > Timestamp::default() {
            self.hole.open(self.at, events);
        }
        self.standing = Standing::Joining;
        self.epoch = Some(epoch);
        self.gaps = Gaps::after(0);
        self.table.renumber();
        self.untold = false;
        self.ask_at = None;
    }

    /// The stream goes on after its position; the answer is what the page does not know of it.
    pub(crate) fn resume(&mut self, now: Instant, policy: &Policy) -> Option<News> {
        self.standing = Standing::Resuming;
        self.ask_at = self.gaps.is_broken().then(|| now + policy.repair);
        std::mem::take(&mut self.untold).then(|| self.tell_all(self.at))
    }

    /// The server grants the stream: it begins, unless it has been resumed.
    pub(crate) fn grant(&mut self, epoch: Epoch, vitals: &mut Vitals) {
        match self.standing {
            Standing::Resuming | Standing::Following if self.is_of(&epoch) => {
                self.standing = Standing::Resuming;
            }
            // Its snapshot is on the way.
            Standing::Joining if self.is_of(&epoch) => {}
            _ => self.join(epoch, vitals),
        }
    }

    /// Takes a frame of this stream.
    pub(crate) fn hear(
        &mut self,
        frame: ServerFrame,
        now: Instant,
        vitals: &mut Vitals,
    ) -> Vec<News> {
        let mut news: Vec<_> = self.happen(&frame).into_iter().collect();
        let Some(number) = self.number(&frame) else { return news };
        if self.begins_anew(&frame, number)
            && let Some(epoch) = self.epoch.clone()
        {
            self.join(epoch, vitals);
        }
        let settles = settled(&frame.message, number);
        if !self.count(number, frame.recovered, settles, now, vitals) {
            return news;
        }
        let (at, is_live) = (frame.timestamp, !frame.recovered || settles.is_some());
        let is_body =
            !matches!(frame.message, ServerMessage::StateChanged(_) | ServerMessage::Unknown);
        news.extend(self.apply(number, frame.message, at));
        news.extend(self.close_hole(at));
        vitals.reach(at);
        // A server's clock may be set back.
        self.at = if is_live { at } else { self.at.max(at) };
        news.extend(self.confirm(at).filter(|_| is_live && is_body));
        news
    }

    /// Takes the server's word on how far the stream has come on this socket.
    pub(crate) fn reach(
        &mut self,
        state: &StreamState,
        at: Timestamp,
        now: Instant,
        vitals: &mut Vitals,
    ) -> Option<News> {
        let number = state.seq.0;
        if !self.is_granted() || number > LARGEST_NUMBER {
            return None;
        }
        // Less than we hold is written on this socket: it began anew, and the beginning was lost.
        let began = self.standing == Standing::Resuming
            && state.lag == 0
            && (1..self.gaps.last()).contains(&number);
        if began || !self.is_of(&state.epoch) {
            self.join(state.epoch.clone(), vitals);
        }
        self.miss(self.gaps.last(), number, now, vitals);
        self.confirm(at).filter(|_| state.lag == 0 && number == self.gaps.last())
    }

    /// A frame with a wrong check code claims to be this one of the stream.
    pub(crate) fn claim(&mut self, frame: &ServerFrame, now: Instant, vitals: &mut Vitals) {
        let last = self.gaps.last();
        let near = |number: &u64| *number <= last.saturating_add(NEAR);
        let Some(number) = self.number(frame).filter(near) else { return };
        if frame.recovered {
            self.gaps.doubt(number);
            self.ask_at = Some(now);
        } else {
            self.miss(last, number, now, vitals);
        }
    }

    /// Nobody holds these numbers any more; they stay lost.
    pub(crate) fn give_up(
        &mut self,
        epoch: &Epoch,
        gone: &[(Sequence, Option<Sequence>)],
        now: Instant,
        vitals: &mut Vitals,
    ) {
        if !self.is_of(epoch) {
            return;
        }
        for (from, to) in gone {
            let last = to.filter(|to| to.0 <= LARGEST_NUMBER);
            self.miss(self.gaps.last(), last.map_or(0, |to| to.0), now, vitals);
            self.gaps.give_up(from.0, to.map_or(u64::MAX, |to| to.0));
        }
    }

    /// When to ask for what is missing.
    pub(crate) fn ask_at(&self) -> Option<Instant> {
        self.ask_at
    }

    /// The numbers to ask for now, and their epoch.
    pub(crate) fn lost(
        &mut self,
        now: Instant,
        policy: &Policy,
    ) -> Option<(Option<Epoch>, Vec<Range>)> {
        let due = self.ask_at.is_some_and(|at| at <= now);
        if due && !self.gaps.is_broken() {
            self.ask_at = None;
        }
        let rested = self.asked.is_none_or(|asked| now.since(asked) >= policy.breath);
        let at = self.ask_at.filter(|_| due)?;
        if !rested {
            self.ask_at = self.asked.map(|asked| asked + policy.breath).or(Some(at));
            return None;
        }
        self.asked = Some(now);
        self.ask_at = Some(now + policy.repair);
        let range = |(from, to)| (Sequence(from), Sequence(to));
        let ranges = self.gaps.wanted(MOST_RANGES).into_iter().map(range).collect();
        Some((self.epoch.clone(), ranges))
    }

    /// The key event of a frame, if it was not heard before.
    fn happen(&mut self, frame: &ServerFrame) -> Option<News> {
        let (event, id) = (frame.message.key_event()?, frame.event.clone()?);
        let is_ours = frame.recovered || self.is_current(frame);
        (is_ours && self.heard.is_first(&id)).then(|| News::Happened {
            stream: self.name.clone(),
            event,
            id,
            recovered: frame.recovered,
            at: frame.timestamp,
        })
    }

    /// The frame's number, if it counts: frames of another epoch do not.
    fn number(&self, frame: &ServerFrame) -> Option<u64> {
        let number = frame.seq.map(|seq| seq.0).filter(|_| self.is_current(frame));
        number.filter(|number| (1..=LARGEST_NUMBER).contains(number))
    }

    /// The server has said that it carries the stream on this connection.
    pub(crate) fn is_granted(&self) -> bool {
        !matches!(self.standing, Standing::Asked { .. } | Standing::Refused)
    }

    fn is_current(&self, frame: &ServerFrame) -> bool {
        self.is_granted() && frame.epoch.as_ref().is_none_or(|epoch| self.is_of(epoch))
    }

    fn begins_anew(&self, frame: &ServerFrame, number: u64) -> bool {
        let whole = matches!(&frame.message, ServerMessage::FullSnapshot(s) if s.settles.is_none());
        self.standing == Standing::Resuming && whole && number == 1 && !frame.recovered
    }

    /// Books a number; `false` if the frame was seen before.
    fn count(
        &mut self,
        number: u64,
        recovered: bool,
        settles: Option<(u64, u64)>,
        now: Instant,
        vitals: &mut Vitals,
    ) -> bool {
        let arrival = match settles {
            Some(settled) => {
                let (repaired, lost) = self.gaps.settle(number, settled);
                vitals.repair(repaired);
                if lost > 0 { Arrival::Skipped(lost) } else { Arrival::Due }
            }
            None if recovered => self.gaps.recover(number),
            None => self.gaps.arrive(number),
        };
        match arrival {
            Arrival::Due | Arrival::Skipped(_) => self.standing = Standing::Following,
            Arrival::Wanted => vitals.repair(1),
            Arrival::Repeated => return false,
            Arrival::Ahead => {
                vitals.lose(1);
                vitals.repair(1);
            }
        }
        if let Arrival::Skipped(lost) = arrival {
            vitals.lose(lost);
            self.ask_at = Some(now);
        }
        true
    }

    /// Books everything after `last` up to `number` as lost.
    fn miss(&mut self, last: u64, number: u64, now: Instant, vitals: &mut Vitals) {
        if number > last {
            let lost = self.gaps.reach(number);
            vitals.lose(lost);
            self.ask_at = (lost > 0).then_some(now).or(self.ask_at);
        }
    }

    fn apply(&mut self, number: u64, message: ServerMessage, at: Timestamp) -> Option<News> {
        match message {
            ServerMessage::DataUpdate(delta) => {
                let update = self.table.change(number, delta);
                let stream = self.name.clone();
                (!update.is_empty()).then_some(News::Told { stream, update, snapshot: false, at })
            }
            ServerMessage::FullSnapshot(Snapshot { update, .. }) => {
                self.gaps.mend(number);
                self.table.replace(number, update).then(|| self.tell_all(at))
            }
            _ => None,
        }
    }

    /// With a whole table and a place of its own, nothing of another run is wanted any more.
    fn close_hole(&mut self, to: Timestamp) -> Option<News> {
        self.place()?;
        self.stood = None;
        let (from, events) = self.hole.close(to)?;
        Some(News::Missed { stream: self.name.clone(), from, to, events })
    }

    fn tell_all(&self, at: Timestamp) -> News {
        let (stream, update) = (self.name.clone(), self.facts().clone());
        News::Told { stream, update, snapshot: true, at }
    }

    fn confirm(&self, at: Timestamp) -> Option<News> {
        let is_sure = self.table.is_whole() && !self.gaps.is_broken();
        is_sure.then(|| News::Confirmed { stream: self.name.clone(), at })
    }
}

/// The numbers that a snapshot stands for; never more than its own.
fn settled(message: &ServerMessage, number: u64) -> Option<(u64, u64)> {
    match message {
        ServerMessage::FullSnapshot(Snapshot { settles: Some((from, to)), .. }) => {
            Some((from.0, to.0.min(number)))
        }
        _ => None,
    }
}

/// A damaged frame that claims a number further off than this is not believed.
const NEAR: u64 = 64;
