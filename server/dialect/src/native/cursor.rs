//! How far one connection has come in one stream.

use std::time::Duration;

use engine::{Notice, Recovery, Window};
use protocol::frame::{Offset, Sequence};
use protocol::id::Epoch;
use protocol::stream::StreamName;
use protocol::time::Instant;
use protocol::wire::native::{DataRecovered, Range};

use super::voice::Voice;
use crate::{Action, Fact, Path, Remedy, Request};

#[derive(Debug)]
pub(super) struct Cursor {
    epoch: Epoch,
    base: Offset,
    /// The last frame that was said, or that a snapshot stood for.
    said: Offset,
    /// What was missed before this connection: up to here, frames are marked as recovered.
    missed: Offset,
    /// Where this stay began, with a snapshot: whoever lost it needs the whole table again.
    began: Option<Offset>,
    since: Instant,
    noticed: u64,
}

/// The client is so slow that it does better to come back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooSlow;

/// One stream, to one connection.
#[derive(Clone, Copy)]
pub(super) struct Telling<'a> {
    pub(super) window: &'a Window,
    pub(super) voice: &'a Voice,
    /// Named in its frames; `None` for the connection's own.
    pub(super) stream: Option<&'a StreamName>,
    pub(super) now: Instant,
}

impl Cursor {
    /// Begins at the top, with a snapshot as number 1.
    pub(super) fn join(window: &Window, now: Instant) -> Self {
        let said = window.top();
        Self {
            epoch: window.epoch().clone(),
            base: Offset(said.0.saturating_sub(1)),
            said,
            missed: Offset(0),
            began: Some(said),
            since: now,
            noticed: window.notices_since(u64::MAX).1,
        }
    }

    /// Goes on behind `seq` of a former stay; `None` if there is no such number yet.
    pub(super) fn resume(
        base: Offset,
        seq: Sequence,
        window: &Window,
        now: Instant,
    ) -> Option<Self> {
        let said = Offset(base.0.checked_add(seq.0)?);
        let joined = Self::join(window, now);
        let missed = window.top();
        (said <= missed).then_some(Self { base, said, missed, began: None, ..joined })
    }

    pub(super) fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    pub(super) fn base(&self) -> Offset {
        self.base
    }

    /// The number on this connection of a frame of the stream.
    pub(super) fn number(&self, offset: Offset) -> Sequence {
        Sequence(offset.0.saturating_sub(self.base.0))
    }

    pub(super) fn said(&self) -> Sequence {
        self.number(self.said)
    }

    pub(super) fn lag(&self, window: &Window) -> u64 {
        window.top().0.saturating_sub(self.said.0)
    }

    /// Whether all that waits for the client is held.
    pub(super) fn is_held(&self, window: &Window) -> bool {
        window.recover(self.said.next(), window.top()).gone.is_empty()
    }

    /// Notices that came since the last look.
    pub(super) fn notices(&mut self, window: &Window) -> Vec<Notice> {
        let (new, noticed) = window.notices_since(self.noticed);
        self.noticed = noticed;
        new.cloned().collect()
    }

    /// Says the next batch of frames; or, to a client that has fallen behind, one snapshot in
    /// their place. Key events are never left out.
    pub(super) fn catch_up(
        &mut self,
        telling: Telling<'_>,
        actions: &mut Vec<Action>,
    ) -> Result<(), TooSlow> {
        let window = telling.window;
        if self.lag(window) == 0 {
            return Ok(());
        }
        let backlog = window.backlog(self.said);
        if backlog.events > MOST_EVENTS {
            return Err(TooSlow);
        }
        let waits = backlog.since.map(|since| telling.now.since(since.max(self.since)));
        let is_late = waits.is_some_and(|waits| waits > PATIENCE);
        let batch = Offset(self.said.0.saturating_add(BATCH)).min(window.top());
        let recovery = window.recover(self.said.next(), batch);
        if !recovery.gone.is_empty() || is_late && backlog.deltas > window.weight() {
            self.skip(telling, actions);
        } else {
            self.say_batch(recovery, telling, actions);
        }
        Ok(())
    }

    fn say_batch(&mut self, recovery: Recovery, telling: Telling<'_>, actions: &mut Vec<Action>) {
        let mut bytes = 0;
        for shared in recovery.frames {
            let offset = shared.frame.offset;
            let (number, recovered) = (self.number(offset), offset <= self.missed);
            let said = telling.voice.frame(&shared, Some(number), telling.stream, recovered);
            bytes += said.text.len();
            actions.push(Action::Say(said));
            self.said = offset;
            if bytes > HEAVY {
                return;
            }
        }
    }

    /// Goes to the top at once: the key events in between, then a snapshot for all of them.
    fn skip(&mut self, telling: Telling<'_>, actions: &mut Vec<Action>) {
        let Telling { window, voice, stream, now } = telling;
        let missed = window.recover(self.said.next(), window.top());
        for event in missed.frames.iter().filter(|shared| shared.is_event()) {
            let number = self.number(event.frame.offset);
            actions.push(Action::Say(voice.frame(event, Some(number), stream, true)));
        }
        let from = self.number(self.said.next());
        if let Some(forgotten) = window.forgotten_since(self.said) {
            let gone = vec![(from, Some(self.number(forgotten)))];
            let answer = DataRecovered { epoch: self.epoch.clone(), gone, ranges: Vec::new() };
            actions.push(Action::Say(voice.say_of(stream, &answer.into(), now)));
        }
        let settled = (from, self.number(window.top()));
        self.said = window.top();
        actions.push(Action::Say(voice.snapshot(self, stream, window, Some(settled))));
        actions.push(Action::Ask(Request::Count(Fact::Skipped)));
    }

    /// Sends again what is held of these numbers, says what is gone, and settles that by a snapshot.
    pub(super) fn repair(
        &mut self,
        ranges: Vec<Range>,
        telling: Telling<'_>,
        actions: &mut Vec<Action>,
    ) -> Result<(), TooSlow> {
        let Telling { window, voice, stream, now } = telling;
        let recoveries = ranges.iter().filter_map(|range| self.recover(*range, window));
        let (mut gone, gaps) = (Vec::new(), ranges.len() as u64);
        for recovery in recoveries.collect::<Vec<_>>() {
            for shared in &recovery.frames {
                // The join's snapshot stood in for a frame that alone would not make a table.
                let is_join = self.began == Some(shared.frame.offset);
                let whole = is_join.then(|| window.snapshot());
                let number = self.number(shared.frame.offset);
                let frame = whole.as_deref().unwrap_or(shared);
                actions.push(Action::Say(voice.frame(frame, Some(number), stream, true)));
            }
            gone.extend(recovery.gone.iter().map(|(a, b)| (self.number(*a), self.number(*b))));
        }
        let answer = DataRecovered {
            epoch: window.epoch().clone(),
            gone: gone.iter().map(|(from, to)| (*from, Some(*to))).collect(),
            ranges,
        };
        actions.push(Action::Say(voice.say_of(stream, &answer.into(), now)));
        let remedy = if gone.is_empty() { Remedy::Frames } else { Remedy::Snapshot };
        let fact = Fact::Recovered { path: Path::DataLost, gaps, remedy };
        actions.push(Action::Ask(Request::Count(fact)));
        let Some(settled) = hull(&gone) else { return Ok(()) };
        // What is due first keeps its place before the snapshot that stands at the top.
        while self.lag(window) > 0 {
            self.catch_up(telling, actions)?;
        }
        actions.push(Action::Say(voice.snapshot(self, stream, window, Some(settled))));
        Ok(())
    }

    fn recover(&self, (from, to): Range, window: &Window) -> Option<Recovery> {
        Some(window.recover(self.offset(from)?, self.offset(to)?))
    }

    fn offset(&self, number: Sequence) -> Option<Offset> {
        self.base.0.checked_add(number.0).map(Offset)
    }
}

/// One range around all of them.
fn hull(ranges: &[Range]) -> Option<Range> {
    let from = ranges.iter().map(|range| range.0).min()?;
    let to = ranges.iter().map(|range| range.1).max()?;
    Some((from, to))
}

/// Few enough frames to hear a heartbeat in between, …
const BATCH: u64 = 64;

/// … and few enough bytes that a client which does not read them costs little. Enough for one
/// large write.
const HEAVY: usize = 16 * 1024;

/// Whoever has waited longer for a frame gets what is true now in the place of what was.
const PATIENCE: Duration = Duration::from_secs(2);

/// A client that is so many bytes of key events behind is closed before the oldest of them go.
const MOST_EVENTS: usize = 1024 * 1024;
