//! Modbus frames on a TCP connection, as whoever answers sees them.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncRead, AsyncReadExt};

/// One Modbus TCP frame.
pub(crate) struct Frame {
    pub(crate) transaction: [u8; 2],
    pub(crate) unit: u8,
    pub(crate) pdu: Vec<u8>,
}

impl Frame {
    /// The next frame; a header that cannot be is an error, for nothing behind it can be trusted.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut header = [0; 7];
        stream.read_exact(&mut header).await?;
        let [t0, t1, p0, p1, l0, l1, unit] = header;
        let length = u16::from_be_bytes([l0, l1]);
        if (p0, p1) != (0, 0) || !(2..=254).contains(&length) {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut pdu = vec![0; usize::from(length) - 1];
        stream.read_exact(&mut pdu).await?;
        Ok(Self { transaction: [t0, t1], unit, pdu })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = u16::try_from(self.pdu.len() + 1).unwrap_or(u16::MAX).to_be_bytes();
        [&self.transaction[..], &[0, 0], &length, &[self.unit], &self.pdu].concat()
    }
}
