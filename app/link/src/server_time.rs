//! What time it is on the server, judged by what it said.

use std::time::Duration;

use protocol::time::{Instant, Timestamp};

/// The server's clock as seen from here: never ahead of it, behind it by the quickest frame's way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerTime {
    latest: Option<(Timestamp, Instant)>,
}

impl ServerTime {
    /// Takes the time that stands on a frame which has just come.
    pub(crate) fn note(&mut self, at: Timestamp, now: Instant) {
        if self.at(now).is_none_or(|known| known < at) {
            self.latest = Some((at, now));
        }
    }

    /// Takes the server's word on what time it is: its clock may have been set back.
    pub(crate) fn correct(&mut self, at: Timestamp, now: Instant) {
        if self.at(now).is_some_and(|known| known.since(at) > SET_BACK) {
            self.latest = Some((at, now));
        }
    }

    /// The server's time at this moment; `None` as long as it has said nothing.
    pub(crate) fn at(&self, now: Instant) -> Option<Timestamp> {
        self.latest.map(|(at, then)| at + now.since(then))
    }
}

/// No answer is so long on its way.
const SET_BACK: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_frame_tells_the_time() {
        let (wall, local) = (Timestamp::from_millis, Instant::from_millis);
        let mut time = ServerTime::default();
        assert_eq!(time.at(local(5)), None);
        time.note(wall(1_000), local(10));
        time.note(wall(1_050), local(90));
        assert_eq!(time.at(local(110)), Some(wall(1_100)), "the second was slower");
        time.note(wall(1_120), local(120));
        assert_eq!(time.at(local(130)), Some(wall(1_130)));
    }

    #[test]
    fn a_clock_that_was_set_back_is_followed() {
        let (wall, local) = (Timestamp::from_millis, Instant::from_millis);
        let mut time = ServerTime::default();
        time.note(wall(9_000_000), local(0));
        time.correct(wall(9_000_500), local(1_000));
        assert_eq!(time.at(local(1_000)), Some(wall(9_001_000)), "a slow answer says nothing");
        time.correct(wall(5_000_000), local(1_000));
        assert_eq!(time.at(local(1_500)), Some(wall(5_000_500)));
    }
}
