//! What a simulated unit answers to one Modbus request.

use std::time::Duration;

use super::memory::{Memory, NoSuchAddress};
use crate::decode::Cells;
use crate::pdu::{self, Exception, Request};

/// Answers functions 1–6, 15 and 16; everything else with an exception.
pub(super) fn answer(memory: &mut Memory, request: &[u8], elapsed: Duration) -> Vec<u8> {
    let function = request.first().copied().unwrap_or(0);
    let answer = Request::read(request).and_then(|asked| match asked {
        Request::Read { area, start, count } => {
            Ok(match memory.read(area, start, count, elapsed)? {
                Cells::Bits(bits) => pdu::bits(function, &bits),
                Cells::Registers(registers) => pdu::registers(function, &registers),
            })
        }
        Request::WriteCoils { start, values } => {
            memory.write_coils(start, &values)?;
            Ok(pdu::confirmation(request))
        }
        Request::WriteRegisters { start, values } => {
            memory.write_registers(start, &values)?;
            Ok(pdu::confirmation(request))
        }
    });
    answer.unwrap_or_else(|exception| pdu::refusal(function, exception))
}

impl From<NoSuchAddress> for Exception {
    fn from(_: NoSuchAddress) -> Self {
        Self::IllegalAddress
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simulator::plant::Plant;

    #[test]
    fn requests_and_their_answers() {
        let table: [(&[u8], &[u8]); 12] = [
            (&[3, 0x00, 0x01, 0, 1], &[3, 2, 0, 0x3F]),
            (&[4, 0x00, 0x01, 0, 1], &[4, 2, 0, 0x3F]),
            (&[6, 0x22, 0x00, 0, 9], &[6, 0x22, 0x00, 0, 9]),
            (&[16, 0x22, 0x01, 0, 2, 4, 0, 1, 0, 2], &[16, 0x22, 0x01, 0, 2]),
            (&[3, 0x22, 0x00, 0, 3], &[3, 6, 0, 9, 0, 1, 0, 2]),
            (&[5, 0x00, 0x03, 0xFF, 0], &[5, 0x00, 0x03, 0xFF, 0]),
            (&[15, 0x00, 0x04, 0, 2, 1, 0b01], &[15, 0x00, 0x04, 0, 2]),
            (&[1, 0x00, 0x03, 0, 3], &[1, 1, 0b011]),
            (&[3, 0xFF, 0xFF, 0, 1], &[0x83, 2]),
            (&[3, 0x00, 0x00, 0, 126], &[0x83, 3]),
            (&[5, 0x00, 0x03, 0xFF, 1], &[0x85, 3]),
            (&[43, 14, 1, 0], &[0xAB, 1]),
        ];
        let mut memory = Memory::new(Plant::new(1));
        for (request, expected) in table {
            assert_eq!(answer(&mut memory, request, Duration::ZERO), expected, "{request:?}");
        }
    }

    proptest! {
        #[test]
        fn any_request_is_answered(request in prop::collection::vec(any::<u8>(), 0..32)) {
            let mut memory = Memory::new(Plant::new(1));
            let answer = answer(&mut memory, &request, Duration::ZERO);
            prop_assert!((2..=253).contains(&answer.len()));
        }
    }
}
