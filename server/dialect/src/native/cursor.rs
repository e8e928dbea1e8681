//! How far one connection has come in one stream.

use engine::{Notice, Recovery, Window};
use protocol::frame::{Offset, Sequence};
use protocol::stream::StreamName;
use protocol::time::Instant;
use protocol::wire::native::{DataRecovered, Range};

use super::voice::Voice;
use crate::Action;

#[derive(Debug)]
pub(super) struct Cursor {
    base: Offset,
    /// The last frame that was said, or that a snapshot stood for.
    said: Offset,
    /// Where this stay began, with a snapshot: whoever lost it needs the whole table again.
    began: Option<Offset>,
    noticed: u64,
}

impl Cursor {
    /// Begins at the top, with a snapshot as number 1.
    pub(super) fn join(window: &Window) -> Self {
        let (said, noticed) = (window.top(), window.notices_since(u64::MAX).1);
        Self { base: Offset(said.0.saturating_sub(1)), said, began: Some(said), noticed }
    }

    /// Goes on behind `seq` of a former stay; `None` if there is no such number yet.
    pub(super) fn resume(base: Offset, seq: Sequence, window: &Window) -> Option<Self> {
        let said = Offset(base.0.checked_add(seq.0)?);
        let noticed = window.notices_since(u64::MAX).1;
        (said <= window.top()).then_some(Self { base, said, began: None, noticed })
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

    /// Notices that came since the last look.
    pub(super) fn notices(&mut self, window: &Window) -> Vec<Notice> {
        let (new, noticed) = window.notices_since(self.noticed);
        self.noticed = noticed;
        new.cloned().collect()
    }

    /// Says the next batch of frames, or a snapshot in their place where some are gone.
    pub(super) fn catch_up(
        &mut self,
        window: &Window,
        voice: &Voice,
        stream: Option<&StreamName>,
        actions: &mut Vec<Action>,
    ) {
        let batch = Offset(self.said.0.saturating_add(BATCH)).min(window.top());
        let recovery = window.recover(self.said.next(), batch);
        if !recovery.gone.is_empty() {
            return self.skip(window, voice, stream, actions);
        }
        for shared in recovery.frames {
            let number = self.number(shared.frame.offset);
            let text = voice.frame(&shared, number, window.epoch(), stream, false);
            actions.push(Action::Say(text));
        }
        self.said = batch.max(self.said);
    }

    /// Sends what a returning client missed, marked as recovered.
    pub(super) fn return_to(
        &mut self,
        window: &Window,
        voice: &Voice,
        stream: Option<&StreamName>,
        actions: &mut Vec<Action>,
    ) {
        let recovery = window.recover(self.said.next(), window.top());
        if !recovery.gone.is_empty() {
            return self.skip(window, voice, stream, actions);
        }
        for shared in recovery.frames {
            let number = self.number(shared.frame.offset);
            let text = voice.frame(&shared, number, window.epoch(), stream, true);
            actions.push(Action::Say(text));
        }
        self.said = window.top();
    }

    /// Goes to the top at once: the key events in between, then a snapshot for all of them.
    fn skip(
        &mut self,
        window: &Window,
        voice: &Voice,
        stream: Option<&StreamName>,
        actions: &mut Vec<Action>,
    ) {
        let missed = window.recover(self.said.next(), window.top());
        for event in missed.frames.iter().filter(|shared| shared.is_event()) {
            let number = self.number(event.frame.offset);
            let text = voice.frame(event, number, window.epoch(), stream, true);
            actions.push(Action::Say(text));
        }
        let settled = (self.number(self.said.next()), self.number(window.top()));
        self.said = window.top();
        actions.push(Action::Say(voice.snapshot(self, stream, window, Some(settled))));
    }

    /// Sends again what is held of these numbers, says what is gone, and settles that by a snapshot.
    pub(super) fn repair(
        &mut self,
        ranges: Vec<Range>,
        window: &Window,
        voice: &Voice,
        stream: Option<&StreamName>,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        let recoveries = ranges.iter().filter_map(|range| self.recover(*range, window));
        let mut gone = Vec::new();
        for recovery in recoveries.collect::<Vec<_>>() {
            for shared in &recovery.frames {
                // The join's snapshot stood in for a frame that alone would not make a table.
                let is_join = self.began == Some(shared.frame.offset);
                let whole = is_join.then(|| window.snapshot());
                let number = self.number(shared.frame.offset);
                let frame = whole.as_deref().unwrap_or(shared);
                let text = voice.frame(frame, number, window.epoch(), stream, true);
                actions.push(Action::Say(text));
            }
            gone.extend(recovery.gone.iter().map(|(a, b)| (self.number(*a), self.number(*b))));
        }
        let answer = DataRecovered {
            epoch: window.epoch().clone(),
            gone: gone.iter().map(|(from, to)| (*from, Some(*to))).collect(),
            ranges,
        };
        actions.push(Action::Say(voice.say_of(stream, &answer.into(), now)));
        let Some(settled) = hull(&gone) else { return };
        // What is due first keeps its place before the snapshot that stands at the top.
        while self.lag(window) > 0 {
            self.catch_up(window, voice, stream, actions);
        }
        actions.push(Action::Say(voice.snapshot(self, stream, window, Some(settled))));
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

/// Enough for one large write, few enough to hear a heartbeat in between.
const BATCH: u64 = 64;
