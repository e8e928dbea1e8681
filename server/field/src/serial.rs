//! What is special about a serial line: its settings, and the time that bytes take on it.

use std::io;
use std::time::Duration;

use tokio_serial::{
    ClearBuffer, DataBits, SerialPort, SerialPortBuilder, SerialPortBuilderExt, SerialStream,
    StopBits,
};

use crate::decode::Cells;
use crate::encode::Write;
use crate::map::{Parity, Transport};
use crate::plan::Block;

/// Opens the port, and forgets what came over it before.
pub(crate) fn open(port: SerialPortBuilder) -> io::Result<SerialStream> {
    let port = port.open_native_async()?;
    port.clear(ClearBuffer::All)?;
    Ok(port)
}

/// The time on the wire of a question and its answer; nothing worth counting over TCP.
pub(crate) fn transmission(transport: &Transport, block: &Block) -> Duration {
    let bytes = if block.area.holds_bits() {
        block.count.div_ceil(8)
    } else {
        block.count.saturating_mul(2)
    };
    character(transport) * (QUESTION + ANSWER_AROUND + u32::from(bytes))
}

/// The same of a write and its confirmation.
pub(crate) fn write_transmission(transport: &Transport, write: &Write) -> Duration {
    let bytes = match &write.cells {
        Cells::Bits(bits) => bits.len().div_ceil(8),
        Cells::Registers(registers) => registers.len().saturating_mul(2),
    };
    character(transport) * (WRITE_AROUND + u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// How long a serial line must be quiet before a question, or boards do not see its beginning.
pub(crate) fn silence(transport: &Transport) -> Duration {
    character(transport) * 7 / 2
}

/// The time on the wire of so many bytes.
pub(crate) fn time_of(transport: &Transport, bytes: usize) -> Duration {
    character(transport) * u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn character(transport: &Transport) -> Duration {
    match transport {
        Transport::Tcp { .. } => Duration::ZERO,
        Transport::Rtu { baud_rate, data_bits, stop_bits, parity, .. } => {
            let parity = u32::from(*parity != Parity::None);
            let bits = 1 + u32::from(*data_bits) + parity + u32::from(*stop_bits);
            Duration::from_secs(1) * bits / (*baud_rate).max(1)
        }
    }
}

pub(crate) fn data_bits(bits: u8) -> DataBits {
    match bits {
        5 => DataBits::Five,
        6 => DataBits::Six,
        7 => DataBits::Seven,
        _ => DataBits::Eight,
    }
}

pub(crate) fn stop_bits(bits: u8) -> StopBits {
    match bits {
        2 => StopBits::Two,
        _ => StopBits::One,
    }
}

pub(crate) fn parity(parity: Parity) -> tokio_serial::Parity {
    match parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Odd => tokio_serial::Parity::Odd,
        Parity::Even => tokio_serial::Parity::Even,
    }
}

/// Unit, function, start, count, checksum.
const QUESTION: u32 = 8;
/// Unit, function, length, checksum.
const ANSWER_AROUND: u32 = 5;
/// Unit, function, start, count, length, checksum; and the confirmation without a length.
const WRITE_AROUND: u32 = 9 + 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Area;

    #[test]
    fn a_serial_line_is_given_the_time_its_bytes_need() {
        let line = Transport::Rtu {
            path: "/dev/ttyS0".into(),
            baud_rate: 9600,
            data_bits: 8,
            stop_bits: 1,
            parity: Parity::None,
        };
        let block = |count| {
            let (area, points) = (Area::HoldingRegister, vec![]);
            Block { area, start: 0, count, points, has_holes: false }
        };
        let longest = transmission(&line, &block(125));
        assert_eq!(longest.as_millis(), 273, "263 characters of 10 bits");
        let write = Write { address: 0, cells: Cells::Registers(vec![0; 4]) };
        let written = write_transmission(&line, &write);
        assert_eq!(written.as_millis(), 26, "25 characters of 10 bits");
        assert_eq!(silence(&line).as_micros(), 3645);
        let tcp = Transport::Tcp { host: "localhost".into(), port: 502 };
        assert_eq!(transmission(&tcp, &block(2)) + silence(&tcp), Duration::ZERO);
    }
}
