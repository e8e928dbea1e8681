//! What time it is on the server, judged by what it said.

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

    /// The server's time at this moment; `None` as long as it has said nothing.
    pub(crate) fn at(&self, now: Instant) -> Option<Timestamp> {
        self.latest.map(|(at, then)| at + now.since(then))
    }
}

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
}
