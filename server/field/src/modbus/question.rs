//! Reads and writes in the words of the library.

use tokio_modbus::Request;

use super::Form;
use crate::decode::Cells;
use crate::encode::Write;
use crate::map::Area;
use crate::plan::Block;

pub(super) fn request(block: &Block) -> Request<'static> {
    match block.area {
        Area::Coil => Request::ReadCoils(block.start, block.count),
        Area::DiscreteInput => Request::ReadDiscreteInputs(block.start, block.count),
        Area::HoldingRegister => Request::ReadHoldingRegisters(block.start, block.count),
        Area::InputRegister => Request::ReadInputRegisters(block.start, block.count),
    }
}

pub(super) fn write_request(write: &Write, form: Form) -> Request<'_> {
    match (&write.cells, form) {
        (Cells::Bits(bits), Form::One) if let [on] = bits.as_slice() => {
            Request::WriteSingleCoil(write.address, *on)
        }
        (Cells::Registers(registers), Form::One) if let [word] = registers.as_slice() => {
            Request::WriteSingleRegister(write.address, *word)
        }
        (Cells::Bits(bits), _) => Request::WriteMultipleCoils(write.address, bits.into()),
        (Cells::Registers(registers), _) => {
            Request::WriteMultipleRegisters(write.address, registers.into())
        }
    }
}
