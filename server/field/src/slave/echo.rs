//! Our own answer, heard again: many adapters of a two-wire line hear what they say.

use std::time::Duration;

use tokio::time::Instant;

use super::assembler::Frame;

/// The answer whose echo may still come.
///
/// The confirmation of a write of one register or coil is the request once more, byte by byte: its
/// echo must not be taken for another order.
#[derive(Debug, Default)]
pub(super) struct Echo(Option<Said>);

#[derive(Debug)]
struct Said {
    frame: Frame,
    until: Instant,
}

impl Echo {
    /// Takes note of an answer that is on its way just now, for so long.
    pub(super) fn expect(&mut self, frame: Frame, transmission: Duration) {
        self.0 = Some(Said { frame, until: Instant::now() + transmission + HELD_BACK });
    }

    /// Whether this frame is the echo. It comes before anything else, and once.
    pub(super) fn is(&mut self, frame: &Frame, heard_at: Instant) -> bool {
        self.0.take().is_some_and(|said| said.frame == *frame && heard_at <= said.until)
    }
}

/// For how long an adapter and a busy machine may keep an echo to themselves. A master that has
/// heard a confirmation does not ask the same again so soon.
const HELD_BACK: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_echo_of_an_answer_is_known_in_its_time() {
        let (said, other) = (frame(7), frame(8));
        let (sent, limit) = (Duration::from_millis(8), Duration::from_millis(58));
        let table = [
            (vec![(said.clone(), limit)], vec![true]),
            (vec![(said.clone(), limit + Duration::from_millis(1))], vec![false]),
            (vec![(said.clone(), sent), (said.clone(), sent)], vec![true, false]),
            (vec![(other, sent), (said, sent)], vec![false, false]),
        ];
        for (heard, expected) in table {
            let mut echo = Echo::default();
            echo.expect(frame(7), sent);
            let now = Instant::now();
            let known: Vec<_> =
                heard.iter().map(|(frame, after)| echo.is(frame, now + *after)).collect();
            assert_eq!(known, expected, "{heard:?}");
        }
        assert!(!Echo::default().is(&frame(7), Instant::now()), "nothing was said");
    }

    fn frame(value: u8) -> Frame {
        Frame { unit: 0x5E, pdu: vec![6, 0, 0x10, 0, value] }
    }
}
