//! Puts together the frames of a serial line, whose ends only silence shows.

use std::time::Duration;

/// What was heard since the last whole frame.
///
/// A line behind an adapter, or a busy machine, may seem silent in the middle of a frame: what is no
/// frame yet waits a little for its rest.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    bytes: Vec<u8>,
    /// Where something was heard again after silence, the first place included.
    starts: Vec<usize>,
    is_silent: bool,
}

/// One frame whose check code is right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Frame {
    pub(super) unit: u8,
    pub(super) pdu: Vec<u8>,
}

impl Frame {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = [&[self.unit], self.pdu.as_slice()].concat();
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (body, code) = bytes.split_last_chunk::<2>()?;
        let is_right = checksum(body) == u16::from_le_bytes(*code);
        let (&unit, pdu) = body.split_first()?;
        (is_right && (1..=LONGEST_PDU).contains(&pdu.len())).then(|| Self { unit, pdu: pdu.into() })
    }
}

impl Assembler {
    /// Takes in what was heard after the line had been quiet for `quiet`.
    pub(super) fn hear(&mut self, bytes: &[u8], quiet: Duration) {
        if quiet > FORGOTTEN_AFTER {
            self.forget();
        }
        if self.is_silent || self.bytes.is_empty() {
            self.starts.push(self.bytes.len());
            self.is_silent = false;
        }
        let room = LONGEST_HEARD.saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(room));
    }

    /// Whether there is something that the next silence may complete.
    pub(super) fn is_hearing(&self) -> bool {
        !self.is_silent && !self.bytes.is_empty()
    }

    /// The line has fallen silent: the frame that ends here, if one does.
    pub(super) fn fall_silent(&mut self) -> Option<Frame> {
        self.is_silent = true;
        let tails = self.starts.iter().filter_map(|start| self.bytes.get(*start..));
        let frame = tails.into_iter().find_map(Frame::read);
        if frame.is_some() || self.starts.len() > MOST_PIECES {
            self.forget();
        }
        self.drop_surplus();
        frame
    }

    /// What is longer than a frame is none, whatever may still come.
    fn drop_surplus(&mut self) {
        let heard = self.bytes.len();
        self.starts.retain(|start| heard - start < LONGEST_FRAME);
        let first = self.starts.first().copied().unwrap_or(heard);
        self.bytes.drain(..first);
        self.starts.iter_mut().for_each(|start| *start -= first);
    }

    fn forget(&mut self) {
        *self = Self::default();
    }
}

/// CRC-16 as Modbus has it.
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte),
            |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 }
            },
        )
    })
}

/// Unit, function with its data, and check code.
const LONGEST_FRAME: usize = 256;
const LONGEST_PDU: usize = 253;

/// Room for a whole frame behind the beginning of one.
const LONGEST_HEARD: usize = 2 * LONGEST_FRAME;

/// A frame does not come in more pieces than these, and noise is soon forgotten.
const MOST_PIECES: usize = 8;

/// USB adapters hold bytes back for 16 ms.
const FORGOTTEN_AFTER: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const READ: [u8; 8] = [0x5E, 3, 0, 0, 0, 5, 0x89, 0x66];
    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn the_check_code_is_that_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0x4B37);
        let frame = Frame { unit: 0x5E, pdu: vec![3, 0, 0, 0, 5] };
        assert_eq!(frame.bytes(), READ);
    }

    #[test]
    fn silence_ends_a_frame() {
        let mut line = Assembler::default();
        assert!(!line.is_hearing());
        line.hear(&READ[..3], AT_ONCE);
        line.hear(&READ[3..], AT_ONCE);
        assert!(line.is_hearing());
        assert_eq!(line.fall_silent(), Some(frame()));
        assert!(!line.is_hearing());
        assert_eq!(line.fall_silent(), None, "it is told once");
    }

    #[test]
    fn a_frame_with_a_short_pause_in_it_is_still_one() {
        let mut line = Assembler::default();
        line.hear(&READ[..3], AT_ONCE);
        assert_eq!(line.fall_silent(), None);
        line.hear(&READ[3..], Duration::from_millis(16));
        assert_eq!(line.fall_silent(), Some(frame()));
    }

    #[test]
    fn noise_before_a_frame_is_passed_over() {
        let noise: [&[u8]; 4] = [&[0xFF], &READ[..7], &[0; 250], &[0x55; 600]];
        for noise in noise {
            let mut line = Assembler::default();
            line.hear(noise, AT_ONCE);
            assert_eq!(line.fall_silent(), None);
            line.hear(&READ, Duration::from_millis(5));
            assert_eq!(line.fall_silent(), Some(frame()), "{noise:?}");
        }
    }

    #[test]
    fn the_first_half_of_yesterday_is_no_part_of_a_frame() {
        let mut line = Assembler::default();
        line.hear(&READ[..3], AT_ONCE);
        assert_eq!(line.fall_silent(), None);
        line.hear(&READ[3..], Duration::from_secs(1));
        assert_eq!(line.fall_silent(), None);
    }

    #[test]
    fn a_wrong_check_code_is_no_frame() {
        let mut line = Assembler::default();
        let mut bytes = READ;
        bytes[7] ^= 1;
        line.hear(&bytes, AT_ONCE);
        assert_eq!(line.fall_silent(), None);
    }

    proptest! {
        #[test]
        fn any_noise_is_bounded_and_soon_passes(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..30),
        ) {
            let mut line = Assembler::default();
            for piece in pieces {
                line.hear(&piece, AT_ONCE);
                prop_assert!(line.bytes.len() <= LONGEST_HEARD);
                if let Some(frame) = line.fall_silent() {
                    prop_assert!((1..=LONGEST_PDU).contains(&frame.pdu.len()));
                }
            }
            line.hear(&READ, Duration::from_secs(1));
            prop_assert_eq!(line.fall_silent(), Some(frame()));
        }
    }

    fn frame() -> Frame {
        Frame { unit: 0x5E, pdu: vec![3, 0, 0, 0, 5] }
    }
}
