//! What time it is on the server, judged by what it said.

use std::time::Duration;

use protocol::time::{Instant, Timestamp};

/// The server's clock as seen from here: never ahead of it, behind it by the quickest frame's way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerTime {
    latest: Option<(Timestamp, Instant)>,
    /// Later than this it is not.
    ceiling: Option<(Timestamp, Instant)>,
}

impl ServerTime {
    /// Takes the time that stands on a frame which has just come.
    pub(crate) fn note(&mut self, at: Timestamp, now: Instant) {
        if self.at(now).is_none_or(|known| known < at) {
            self.latest = Some((at, now));
        }
        // Its clock was set forward; how far is known at the next answer.
        if self.at_most(now).is_some_and(|known| known < at) {
            self.ceiling = None;
        }
    }

    /// Takes the server's answer on what time it is, and how long ago it was asked, if that is known:
    /// its clock may have been set back.
    pub(crate) fn correct(&mut self, at: Timestamp, rtt: Option<Duration>, now: Instant) {
        let ceiling = rtt.map(|rtt| at + (rtt + ROUNDING));
        let latest = ceiling.unwrap_or(at + SET_BACK);
        if self.at(now).is_some_and(|known| known > latest) {
            self.latest = Some((at, now));
        }
        let is_lower = |ceiling: &Timestamp| self.at_most(now).is_none_or(|known| known > *ceiling);
        if let Some(ceiling) = ceiling.filter(is_lower) {
            self.ceiling = Some((ceiling, now));
        }
    }

    /// The server's time at this moment; `None` as long as it has said nothing.
    pub(crate) fn at(&self, now: Instant) -> Option<Timestamp> {
        self.latest.map(|(at, then)| at + now.since(then))
    }

    /// The latest that the server's time can be: it told the time after it was asked, and so at this
    /// moment it is later by no more than what passed since it was asked. `None` before its answer.
    pub(crate) fn at_most(&self, now: Instant) -> Option<Timestamp> {
        let (at, then) = self.ceiling?;
        let passed = now.since(then);
        Some(at + (passed + passed / DRIFT))
    }
}

/// No answer is so long on its way.
const SET_BACK: Duration = Duration::from_secs(30);

/// Both clocks are read in whole milliseconds, and each may be read twice.
const ROUNDING: Duration = Duration::from_millis(4);

/// No clock gains more on another than one part in so many.
const DRIFT: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: fn(u64) -> Timestamp = Timestamp::from_millis;
    const LOCAL: fn(u64) -> Instant = Instant::from_millis;
    const RTT: Option<Duration> = Some(Duration::from_millis(40));

    #[test]
    fn the_quickest_frame_tells_the_time() {
        let mut time = ServerTime::default();
        assert_eq!(time.at(LOCAL(5)), None);
        time.note(WALL(1_000), LOCAL(10));
        time.note(WALL(1_050), LOCAL(90));
        assert_eq!(time.at(LOCAL(110)), Some(WALL(1_100)), "the second was slower");
        time.note(WALL(1_120), LOCAL(120));
        assert_eq!(time.at(LOCAL(130)), Some(WALL(1_130)));
    }

    #[test]
    fn a_clock_that_was_set_back_is_followed() {
        let mut time = ServerTime::default();
        time.note(WALL(9_000_000), LOCAL(0));
        time.correct(WALL(9_000_500), None, LOCAL(1_000));
        assert_eq!(time.at(LOCAL(1_000)), Some(WALL(9_001_000)), "a slow answer says nothing");
        time.correct(WALL(5_000_000), None, LOCAL(1_000));
        assert_eq!(time.at(LOCAL(1_500)), Some(WALL(5_000_500)));
        time.correct(WALL(4_999_000), RTT, LOCAL(1_500));
        assert_eq!(time.at(LOCAL(1_500)), Some(WALL(4_999_000)), "a second is seen as well");
    }

    #[test]
    fn it_is_never_later_than_an_answer_allows() {
        let mut time = ServerTime::default();
        time.note(WALL(1_000), LOCAL(0));
        time.correct(WALL(1_000), None, LOCAL(0));
        assert_eq!(time.at_most(LOCAL(0)), None, "nobody knows how long that was on its way");
        time.correct(WALL(1_000), RTT, LOCAL(0));
        assert_eq!(time.at_most(LOCAL(0)), Some(WALL(1_044)));
        assert_eq!(time.at_most(LOCAL(10_000)), Some(WALL(11_054)), "clocks drift");
        time.correct(WALL(9_000), Some(Duration::from_secs(3)), LOCAL(10_000));
        assert_eq!(time.at_most(LOCAL(10_000)), Some(WALL(11_054)), "a slow answer says less");
        time.correct(WALL(10_990), RTT, LOCAL(10_000));
        assert_eq!(time.at_most(LOCAL(10_000)), Some(WALL(11_034)));
    }

    #[test]
    fn a_clock_that_was_set_is_unknown_or_late_until_the_next_answer() {
        let mut time = ServerTime::default();
        time.correct(WALL(50_000), RTT, LOCAL(0));
        time.note(WALL(40_100), LOCAL(100));
        assert_eq!(
            time.at_most(LOCAL(100)),
            Some(WALL(50_144)),
            "set back: too late, not too early"
        );
        time.correct(WALL(41_000), RTT, LOCAL(1_000));
        assert_eq!(time.at_most(LOCAL(1_000)), Some(WALL(41_044)));
        time.note(WALL(60_000), LOCAL(1_000));
        assert_eq!(time.at_most(LOCAL(1_000)), None, "set forward");
        time.correct(WALL(60_000), RTT, LOCAL(1_000));
        assert_eq!(time.at_most(LOCAL(1_000)), Some(WALL(60_044)));
    }
}
