//! A line that takes its time, and keeps the order of what it carries, as TCP does.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::time::Instant;

/// A small generator, so that a printed seed is all it takes to see a run again.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below.max(1)
    }

    /// True in `few` of a thousand cases.
    pub(crate) fn hits(&mut self, few: u64) -> bool {
        self.roll(1000) < few
    }
}

pub(crate) struct Line {
    delay: Duration,
    up: VecDeque<(Instant, String)>,
    down: VecDeque<(Instant, String)>,
}

impl Line {
    pub(crate) fn new(millis: u64) -> Self {
        let delay = Duration::from_millis(millis);
        Self { delay, up: VecDeque::new(), down: VecDeque::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.up.clear();
        self.down.clear();
    }

    pub(crate) fn up(&mut self, text: String, now: Instant) {
        self.up.push_back((now + self.delay, text));
    }

    pub(crate) fn down(&mut self, text: String, now: Instant) {
        self.down.push_back((now + self.delay, text));
    }

    pub(crate) fn arrived_up(&mut self, now: Instant) -> Vec<String> {
        arrived(&mut self.up, now)
    }

    pub(crate) fn arrived_down(&mut self, now: Instant) -> Vec<String> {
        arrived(&mut self.down, now)
    }
}

fn arrived(way: &mut VecDeque<(Instant, String)>, now: Instant) -> Vec<String> {
    let count = way.partition_point(|(at, _)| *at <= now);
    way.drain(..count).map(|(_, text)| text).collect()
}
