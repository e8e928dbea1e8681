//! Listens in on the wire to a board, and keeps what was written there.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

/// Leads to a board.
pub(crate) struct Tap {
    pub(crate) port: u16,
    written: Arc<Mutex<Vec<(u16, u16)>>>,
}

impl Tap {
    pub(crate) async fn to(board: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tap = Self { port, written: Arc::default() };
        let log = Arc::clone(&tap.written);
        tokio::spawn(async move {
            while let Ok((master, _)) = listener.accept().await {
                let Ok(board) = TcpStream::connect(("127.0.0.1", board)).await else { continue };
                tokio::spawn(lead(master, board, Arc::clone(&log)));
            }
        });
        tap
    }

    /// How often this was written to a register.
    pub(crate) fn times(&self, register: u16, value: u16) -> usize {
        let written = self.written.lock().unwrap();
        written.iter().filter(|write| **write == (register, value)).count()
    }
}

async fn lead(master: TcpStream, board: TcpStream, written: Arc<Mutex<Vec<(u16, u16)>>>) {
    let ((mut asked, mut answered), (mut from_board, mut to_board)) =
        (master.into_split(), board.into_split());
    let down = async {
        let mut head = [0; HEAD];
        while asked.read_exact(&mut head).await.is_ok() {
            let length = usize::from(u16::from_be_bytes([head[4], head[5]])).saturating_sub(1);
            let mut pdu = vec![0; length];
            if asked.read_exact(&mut pdu).await.is_err() {
                return;
            }
            written.lock().unwrap().extend(write(&pdu));
            if to_board.write_all(&[&head[..], &pdu].concat()).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = down => {}
        _ = copy(&mut from_board, &mut answered) => {}
    }
}

/// Which register a request writes, or the first of them, and what.
fn write(pdu: &[u8]) -> Option<(u16, u16)> {
    let word = |at: usize| Some(u16::from_be_bytes([*pdu.get(at)?, *pdu.get(at + 1)?]));
    match pdu.first()? {
        5 | 6 => Some((word(1)?, word(3)?)),
        16 => Some((word(1)?, word(6)?)),
        _ => None,
    }
}

/// Transaction, protocol, length and unit.
const HEAD: usize = 7;
