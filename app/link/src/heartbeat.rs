//! When to beat, how long the answer took, and when too many stayed away.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::time::{Instant, Timestamp};

/// The heartbeats of one connection.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    every: Duration,
    limit: u32,
    next: Instant,
    missed: u32,
    /// The latest beats, by the timestamp that their answer will echo.
    sent: VecDeque<(Timestamp, Instant)>,
}

/// What the moment asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pulse {
    Rest,
    Beat,
    /// Too many beats in a row have no answer.
    Dead,
}

impl Heartbeat {
    /// Heartbeats of a connection that stands from `now` on; the first is due at once.
    pub(crate) fn new(every: Duration, limit: u32, now: Instant) -> Self {
        Self { every, limit, next: now, missed: 0, sent: VecDeque::new() }
    }

    pub(crate) fn due_at(&self) -> Instant {
        self.next
    }

    /// Beats in a row whose answer is overdue.
    pub(crate) fn missed(&self) -> u32 {
        self.missed
    }

    /// Says what is due, and takes it as done.
    pub(crate) fn pulse(&mut self, now: Instant, wall: Timestamp) -> Pulse {
        if now < self.next {
            return Pulse::Rest;
        }
        if !self.sent.is_empty() {
            self.missed = self.missed.saturating_add(1);
        }
        if self.missed >= self.limit {
            return Pulse::Dead;
        }
        self.next = now + self.every;
        self.beat(now, wall);
        Pulse::Beat
    }

    /// Whether to beat beside the schedule: not if the last beat was a moment ago.
    pub(crate) fn nudge(&mut self, now: Instant, wall: Timestamp) -> bool {
        let is_fresh = self.sent.back().is_some_and(|(_, at)| now.since(*at) < MOMENT);
        if !is_fresh {
            self.beat(now, wall);
        }
        !is_fresh
    }

    fn beat(&mut self, now: Instant, wall: Timestamp) {
        if self.sent.len() == MOST_AWAITED {
            self.sent.pop_front();
        }
        self.sent.push_back((wall, now));
    }

    /// Takes an answer and tells the time it took; `None` if it answers none of our beats.
    pub(crate) fn answer(&mut self, echo: Timestamp, now: Instant) -> Option<Duration> {
        let place = self.sent.iter().position(|(wall, _)| *wall == echo)?;
        let (_, at) = self.sent.drain(..=place).next_back()?;
        self.missed = 0;
        Some(now.since(at))
    }
}

/// A tab that is shown and hidden in turn does not flood the server.
const MOMENT: Duration = Duration::from_secs(1);

/// Beats whose answer is still recognised.
const MOST_AWAITED: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> (Instant, Timestamp) {
        (Instant::from_millis(seconds * 1000), Timestamp::from_millis(seconds * 1000 + 7))
    }

    fn heartbeat() -> Heartbeat {
        Heartbeat::new(Duration::from_secs(10), 3, at(0).0)
    }

    #[test]
    fn beats_every_ten_seconds_and_gives_up_at_the_third_silence() {
        // S0-37, S0-40
        let mut heart = heartbeat();
        let table = [
            (0, Pulse::Beat, 0),
            (9, Pulse::Rest, 0),
            (10, Pulse::Beat, 1),
            (20, Pulse::Beat, 2),
            (29, Pulse::Rest, 2),
            (30, Pulse::Dead, 3),
        ];
        for (second, expected, missed) in table {
            let (now, wall) = at(second);
            assert_eq!((heart.pulse(now, wall), heart.missed()), (expected, missed), "{second} s");
        }
    }

    #[test]
    fn an_answer_ends_the_count_of_silences() {
        let mut heart = heartbeat();
        for second in [0, 10, 20] {
            let (now, wall) = at(second);
            assert_eq!(heart.pulse(now, wall), Pulse::Beat);
        }
        let late = Instant::from_millis(20_040);
        assert_eq!(heart.answer(at(20).1, late), Some(Duration::from_millis(40)));
        assert_eq!(heart.missed(), 0);
        assert_eq!(heart.pulse(at(30).0, at(30).1), Pulse::Beat);
        assert_eq!(heart.missed(), 0, "the beats before the answered one are forgiven");
    }

    #[test]
    fn an_answer_to_nothing_proves_nothing() {
        let mut heart = heartbeat();
        heart.pulse(at(0).0, at(0).1);
        heart.pulse(at(10).0, at(10).1);
        assert_eq!(heart.answer(Timestamp::from_millis(5), at(11).0), None);
        assert_eq!(heart.missed(), 1);
    }

    #[test]
    fn sleeping_through_many_beats_misses_one() {
        let mut heart = heartbeat();
        heart.pulse(at(0).0, at(0).1);
        assert_eq!(heart.pulse(at(3600).0, at(3600).1), Pulse::Beat);
        assert_eq!(heart.missed(), 1);
        assert_eq!(heart.due_at(), at(3610).0);
    }
}
