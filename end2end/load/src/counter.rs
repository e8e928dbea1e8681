//! A client that reads frames without looking at them: it takes as little from the server's core as
//! can be, and sees every frame.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

/// Counting clients; they are gone when this is dropped.
#[derive(Debug)]
pub struct Counters {
    tasks: JoinSet<()>,
    tally: Arc<Tally>,
}

/// What all of them have read together.
#[derive(Debug, Default)]
struct Tally {
    frames: AtomicU64,
    bytes: AtomicU64,
    ended: AtomicU64,
}

/// Frames and the bytes in them, headers left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub frames: u64,
    pub bytes: u64,
    /// Clients whose connection has ended.
    pub ended: u64,
}

/// How a counting client reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pace {
    /// Whatever comes.
    Fast,
    /// So many bytes a second, with as little room on the way as the system allows.
    Slow(usize),
}

impl Counters {
    /// Connects `count` clients one after the other.
    pub async fn start(
        address: SocketAddr,
        path: &str,
        count: usize,
        pace: Pace,
    ) -> anyhow::Result<Self> {
        let (mut tasks, tally) = (JoinSet::new(), Arc::new(Tally::default()));
        for _ in 0..count {
            let stream = open(address, path, pace).await?;
            tasks.spawn(read(stream, pace, Arc::clone(&tally)));
        }
        Ok(Self { tasks, tally })
    }

    pub fn count(&self) -> Count {
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let Tally { frames, bytes, ended } = &*self.tally;
        Count { frames: of(frames), bytes: of(bytes), ended: of(ended) }
    }

    /// Goes, and waits until all sockets are closed.
    pub async fn leave(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn open(address: SocketAddr, path: &str, pace: Pace) -> anyhow::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if pace != Pace::Fast {
        socket.set_recv_buffer_size(SMALL_BUFFER)?;
    }
    let mut stream = socket.connect(address).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: bG9hZCBsb2FkIGxvYWQgMQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.context("no answer to the handshake")?);
    }
    anyhow::ensure!(head.starts_with(b"HTTP/1.1 101"), "no WebSocket at {path}");
    Ok(stream)
}

/// Reads to the end, with a sign of life now and then.
async fn read(mut stream: TcpStream, pace: Pace, tally: Arc<Tally>) {
    let (mut frames, mut buffer) = (Frames::default(), vec![0; room(pace)]);
    let mut signs = interval(SIGN_OF_LIFE);
    loop {
        let read = tokio::select! {
            read = stream.read(&mut buffer) => read,
            _ = signs.tick() => match stream.write_all(&PING).await {
                Ok(()) => continue,
                Err(_) => break,
            },
        };
        let Ok(read @ 1..) = read else { break };
        let Count { frames, bytes, .. } = frames.take(&buffer[..read]);
        tally.frames.fetch_add(frames, Ordering::Relaxed);
        tally.bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Pace::Slow(_) = pace {
            rest(&mut stream, &mut signs).await;
        }
    }
    tally.ended.fetch_add(1, Ordering::Relaxed);
}

/// A slow reader's second, in which it still gives its signs of life.
async fn rest(stream: &mut TcpStream, signs: &mut tokio::time::Interval) {
    let end = Instant::now() + Duration::from_secs(1);
    tokio::select! {
        () = sleep(end - Instant::now()) => {}
        _ = signs.tick() => {
            // A broken line shows when it is read.
            let _ = stream.write_all(&PING).await;
            tokio::time::sleep_until(end).await;
        }
    }
}

fn room(pace: Pace) -> usize {
    match pace {
        Pace::Fast => FAST_BUFFER,
        Pace::Slow(bytes) => bytes.max(1),
    }
}

/// Where frames begin and end in what a server sends.
#[derive(Debug, Default)]
struct Frames {
    header: Vec<u8>,
    /// Bytes of the present frame that are still to come.
    left: u64,
}

impl Frames {
    /// Takes more bytes; the answer is how many frames have ended in them, and their bytes.
    fn take(&mut self, mut bytes: &[u8]) -> Count {
        let mut count = Count::default();
        while !bytes.is_empty() {
            if self.left == 0 {
                let (first, rest) = bytes.split_at(1);
                self.header.extend(first);
                bytes = rest;
                let Some(length) = length(&self.header) else { continue };
                self.header.clear();
                self.left = length;
                count.frames += u64::from(length == 0);
                continue;
            }
            let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= taken as u64;
            count.bytes += taken as u64;
            count.frames += u64::from(self.left == 0);
            bytes = &bytes[taken..];
        }
        count
    }
}

/// The length of the payload, once the header is whole; servers do not mask.
fn length(header: &[u8]) -> Option<u64> {
    match *header {
        [_, short @ ..=125] => Some(short.into()),
        [_, 126, a, b] => Some(u16::from_be_bytes([a, b]).into()),
        [_, 127, a, b, c, d, e, f, g, h] => Some(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

/// A masked ping without content.
const PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];

/// Three heartbeats without a sign of life end a connection.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

const FAST_BUFFER: usize = 16 * 1024;
const SMALL_BUFFER: u32 = 2 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> Vec<u8> {
        let mut frame = match length {
            ..=125 => vec![0x81, length as u8],
            126..=65_535 => [&[0x81, 126][..], &(length as u16).to_be_bytes()].concat(),
            _ => [&[0x81, 127][..], &(length as u64).to_be_bytes()].concat(),
        };
        frame.resize(frame.len() + length, b'x');
        frame
    }

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let lengths = [0, 1, 125, 126, 512, 65_535, 65_536];
        let all: Vec<u8> = lengths.iter().flat_map(|length| frame(*length)).collect();
        for piece in [1, 2, 3, 7, 1_000, all.len()] {
            let mut frames = Frames::default();
            let counts: Vec<_> = all.chunks(piece).map(|chunk| frames.take(chunk)).collect();
            assert_eq!(counts.iter().map(|count| count.frames).sum::<u64>(), 7, "{piece}");
            let bytes: u64 = counts.iter().map(|count| count.bytes).sum();
            assert_eq!(bytes, lengths.iter().sum::<usize>() as u64, "{piece}");
        }
    }
}
