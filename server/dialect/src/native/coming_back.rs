//! How a client takes up its streams where it left them: under the same epoch, or after a restart.

use protocol::frame::{Offset, Sequence};
use protocol::id::Epoch;
use protocol::journal::Base;
use protocol::stream::StreamName;
use protocol::time::Instant;
use protocol::wire::native::{DataRecovered, Invalid, InvalidCode, Position, ServiceRestarted};

use super::cursor::Cursor;
use super::requests::MOST_STREAMS;
use super::{Native, foreign};
use crate::{Action, Fact, Path, Remedy, Request, View};

/// Where a client stood in a run that has ended.
pub(super) struct Stood {
    epoch: Epoch,
    /// `None` where it is not known any more.
    base: Option<Offset>,
    seq: Sequence,
}

impl Stood {
    pub(super) fn at(cursor: &Cursor) -> Self {
        Self { epoch: cursor.epoch().clone(), base: Some(cursor.base()), seq: cursor.said() }
    }

    fn of(position: &Position, base: Option<&Base>) -> Self {
        let base = base.filter(|base| base.epoch == position.epoch).map(|base| base.offset);
        Self { epoch: position.epoch.clone(), base, seq: position.seq }
    }

    fn said(&self) -> Option<Offset> {
        self.base?.0.checked_add(self.seq.0).map(Offset)
    }

    /// The number that the client knew, or would have known, a frame of its run under.
    fn number(&self, epoch: &Epoch, offset: Offset) -> Option<Sequence> {
        let base = self.base.filter(|_| self.epoch == *epoch)?;
        offset.0.checked_sub(base.0).filter(|number| *number > 0).map(Sequence)
    }
}

impl Native {
    /// Takes up each stream where the client left it; what cannot be taken up is joined anew.
    pub(super) fn resume(
        &mut self,
        positions: &[Position],
        view: &dyn View,
        now: Instant,
    ) -> Result<Vec<Action>, Invalid> {
        let bases = self.guest.resumed.take().filter(|_| self.resume_until.is_some());
        let nothing = || Invalid::new(InvalidCode::OutOfRange, "there is nothing to resume");
        let bases = bases.ok_or_else(nothing)?;
        self.resume_until = None;
        let mut actions = Vec::new();
        for position in positions.iter().take(MOST_STREAMS) {
            let stream = position.stream.clone().unwrap_or_else(|| self.own.clone());
            self.take_up(&stream, position, bases.get(&stream), view, now, &mut actions);
        }
        Ok(actions)
    }

    fn take_up(
        &mut self,
        stream: &StreamName,
        position: &Position,
        base: Option<&Base>,
        view: &dyn View,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        let Some(window) = view.window(stream).filter(|window| window.top() > Offset(0)) else {
            return;
        };
        if self.cursors.contains_key(stream) {
            return;
        }
        if position.epoch != *window.epoch() {
            drop(window);
            return self.restart(stream, &Stood::of(position, base), view, now, actions);
        }
        let Some(base) = base.filter(|base| base.epoch == position.epoch) else { return };
        let Some(cursor) = Cursor::resume(base.offset, position.seq, &window, now) else {
            let detail = format!("{stream} has no number {} yet", position.seq);
            let invalid = Invalid::field(InvalidCode::OutOfRange, "seq", detail);
            return actions.extend(self.reject(invalid, now));
        };
        let (base, missed) = (cursor.base(), cursor.lag(&window) > 0);
        let remedy = if cursor.is_held(&window) { Remedy::Frames } else { Remedy::Snapshot };
        let fact = Fact::Recovered { path: Path::Resume, gaps: u64::from(missed), remedy };
        actions.push(Action::Ask(Request::Follow { stream: stream.clone(), base }));
        actions.push(Action::Ask(Request::Count(fact)));
        self.cursors.insert(stream.clone(), cursor);
    }

    /// Goes on with a stream under the epoch of another run (`native-wire` 6): what is left of the
    /// old one, what is gone, and a snapshot as number 1.
    pub(super) fn restart(
        &mut self,
        stream: &StreamName,
        stood: &Stood,
        view: &dyn View,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        let Some(window) = view.window(stream).filter(|window| window.top() > Offset(0)) else {
            return;
        };
        self.tell_restart(&stood.epoch, &window, now, actions);
        let name = foreign(stream, &self.own);
        for event in window.events_since(&stood.epoch, stood.said()) {
            let number = stood.number(&event.epoch, event.frame.offset);
            actions.push(Action::Say(self.voice.frame(&event, number, name, true)));
        }
        let answer = DataRecovered {
            epoch: stood.epoch.clone(),
            gone: vec![(stood.seq.next(), None)],
            ranges: Vec::new(),
        };
        actions.push(Action::Say(self.voice.say_of(name, &answer.into(), now)));
        // Whether anything was missed nobody can tell any more.
        let fact = Fact::Recovered { path: Path::Restart, gaps: 0, remedy: Remedy::Snapshot };
        actions.push(Action::Ask(Request::Count(fact)));
        drop(window);
        self.join(stream, view, now, actions);
    }

    /// Once a connection and run, whichever stream shows it first.
    pub(super) fn tell_restart(
        &mut self,
        old_epoch: &Epoch,
        window: &engine::Window,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        let epoch = window.epoch();
        if self.run.as_ref() == Some(epoch) {
            return;
        }
        self.run = Some(epoch.clone());
        let history = window.history();
        let run = history.runs.iter().find(|run| run.epoch == *old_epoch);
        let restarted = ServiceRestarted {
            down_from: run.map(|run| run.alive_at),
            epoch: epoch.clone(),
            old_epoch: old_epoch.clone(),
            started_at: history.started_at,
        };
        actions.push(Action::Say(self.voice.restarted(restarted, now)));
    }
}
