//! The answers that a question can be content with.

use std::cmp::Ordering;

use protocol::reading::Reason;
use tokio_modbus::{Request, Response};

use crate::decode::Cells;
use crate::plan::Block;

/// The one answer that confirms a write.
pub(super) fn confirmation(request: &Request<'_>) -> Option<Response> {
    let count = |length: usize| u16::try_from(length).ok();
    match request {
        Request::WriteSingleCoil(address, on) => Some(Response::WriteSingleCoil(*address, *on)),
        Request::WriteSingleRegister(address, word) => {
            Some(Response::WriteSingleRegister(*address, *word))
        }
        Request::WriteMultipleCoils(address, bits) => {
            Some(Response::WriteMultipleCoils(*address, count(bits.len())?))
        }
        Request::WriteMultipleRegisters(address, registers) => {
            Some(Response::WriteMultipleRegisters(*address, count(registers.len())?))
        }
        _ => None,
    }
}

/// Takes what was asked for out of the answer, if it holds just that.
pub(super) fn cells(block: &Block, response: Response) -> Result<Cells, Reason> {
    let count = usize::from(block.count);
    let (cells, expected) = match response {
        // Bits come in whole bytes.
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            (Cells::Bits(bits), count.next_multiple_of(8))
        }
        Response::ReadHoldingRegisters(registers) | Response::ReadInputRegisters(registers) => {
            (Cells::Registers(registers), count)
        }
        _ => return Err(Reason::Garbage),
    };
    match cells.len().cmp(&expected) {
        Ordering::Less => Err(Reason::ShortAnswer),
        Ordering::Equal => Ok(cells),
        Ordering::Greater => Err(Reason::Garbage),
    }
}
