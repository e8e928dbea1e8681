//! Listens in on the wire between a server and its board: what was written there, and when.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock;

/// A wire to a board; it ends with this.
#[derive(Debug)]
pub struct Tap {
    pub address: SocketAddr,
    written: watch::Sender<Vec<Written>>,
    _stop: DropGuard,
}

/// One value on its way to a board.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Written {
    pub register: u16,
    pub value: u16,
    /// In microseconds.
    pub at: u64,
}

impl Tap {
    pub async fn start(board: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, stop) = (listener.local_addr()?, CancellationToken::new());
        let tap = Self {
            address,
            written: watch::Sender::new(Vec::new()),
            _stop: stop.clone().drop_guard(),
        };
        let written = tap.written.clone();
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            while let Ok((master, _)) = listener.accept().await {
                tokio::spawn(lead(master, board, written.clone()));
            }
        }));
        Ok(tap)
    }

    /// All that was written so far.
    pub fn written(&self) -> Vec<Written> {
        self.written.borrow().clone()
    }
}

/// Leads one connection, until either end ends it.
async fn lead(mut master: TcpStream, board: SocketAddr, written: watch::Sender<Vec<Written>>) {
    let Ok(mut board) = TcpStream::connect(board).await else { return };
    // An untuned wire is still a wire.
    let _ = master.set_nodelay(true);
    let _ = board.set_nodelay(true);
    let ((asked, mut answered), (mut answers, questions)) = (master.split(), board.split());
    tokio::select! {
        _ = ask(asked, questions, &written) => {}
        _ = copy(&mut answers, &mut answered) => {}
    }
}

/// Leads requests on, and notes those that write before the board knows of them.
async fn ask(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    written: &watch::Sender<Vec<Written>>,
) -> io::Result<()> {
    loop {
        let mut frame = vec![0; HEAD];
        from.read_exact(&mut frame).await?;
        let length = frame.get(4..6).map_or(0, word);
        frame.resize(HEAD + usize::from(length).saturating_sub(1), 0);
        if let Some(pdu) = frame.get_mut(HEAD..) {
            from.read_exact(pdu).await?;
            let write = write(pdu);
            written.send_if_modified(|all| {
                all.extend(write);
                write.is_some()
            });
        }
        to.write_all(&frame).await?;
    }
}

/// What a request writes; of many registers, the first.
fn write(pdu: &[u8]) -> Option<Written> {
    let value = match pdu.first()? {
        6 => pdu.get(3..5)?,
        16 => pdu.get(6..8)?,
        _ => return None,
    };
    Some(Written { register: word(pdu.get(1..3)?), value: word(value), at: clock::micros() })
}

fn word(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |word, byte| word << 8 | u16::from(*byte))
}

/// Transaction, protocol, length and unit.
const HEAD: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_told_from_reads() {
        let told = |pdu: &[u8]| write(pdu).map(|write| (write.register, write.value));
        assert_eq!(told(&[6, 0x22, 0x37, 1, 2]), Some((0x2237, 0x102)));
        assert_eq!(told(&[16, 0x22, 0x37, 0, 1, 2, 1, 2]), Some((0x2237, 0x102)));
        for pdu in [&[3, 0x22, 0x37, 0, 1][..], &[6, 0x22], &[16, 0, 0, 0, 1, 2], &[]] {
            assert_eq!(told(pdu), None, "{pdu:?}");
        }
    }
}
