//! One direction of a connection, and what its fault does to the bytes.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::sleep;

use super::fault::Fault;

pub(super) struct Pipe<'a> {
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    fault: watch::Receiver<Fault>,
    /// Bytes have been swallowed: what comes behind them would make no sense.
    has_hole: bool,
}

/// How a pipe ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// As one of both ends wished.
    Closed,
    /// Broken.
    Reset,
}

impl<'a> Pipe<'a> {
    pub(super) fn new(
        from: ReadHalf<'a>,
        to: WriteHalf<'a>,
        fault: watch::Receiver<Fault>,
    ) -> Self {
        Self { from, to, fault, has_hole: false }
    }

    /// Leads bytes on until the end.
    pub(super) async fn run(mut self) -> End {
        let mut buffer = vec![0; BUFFER];
        loop {
            let fault = *self.fault.borrow_and_update();
            let swallows = fault == Fault::BlackHole;
            if fault == Fault::Reset || self.has_hole && !swallows {
                return End::Reset;
            }
            let room = room(fault);
            let read = tokio::select! {
                biased;
                changed = self.fault.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return End::Reset,
                },
                read = self.from.read(&mut buffer[..room]) => read.unwrap_or(0),
            };
            match read {
                // In a black hole not even an end is heard of.
                0 if swallows => return self.silence().await,
                0 => return End::Closed,
                read => match self.pass(&buffer[..read], fault).await {
                    Some(end) => return end,
                    None => continue,
                },
            }
        }
    }

    /// Does to some bytes what the fault does; the answer is the end, if it is one.
    async fn pass(&mut self, bytes: &[u8], fault: Fault) -> Option<End> {
        let (bytes, pause, after, end) = match fault {
            Fault::None | Fault::Reset => (bytes, Duration::ZERO, Duration::ZERO, None),
            Fault::Delay(delay) => (bytes, delay, Duration::ZERO, None),
            Fault::Throttle(_) => (bytes, Duration::ZERO, STEP, None),
            Fault::BlackHole => {
                self.has_hole = true;
                return None;
            }
            // What has been read ends with a frame, or within one: without its last byte it is cut.
            Fault::Truncate => {
                let some = bytes.split_last().map_or(bytes, |(_, some)| some);
                (some, Duration::ZERO, Duration::ZERO, Some(End::Closed))
            }
        };
        self.rest(pause).await;
        // An end that does not read any more holds this pipe up, as it would hold up a network.
        if self.to.write_all(bytes).await.is_err() {
            return Some(End::Closed);
        }
        self.rest(after).await;
        end
    }

    /// Waits, but not for a fault that has become another meanwhile.
    async fn rest(&mut self, pause: Duration) {
        if pause.is_zero() {
            return;
        }
        tokio::select! {
            () = sleep(pause) => {}
            _ = self.fault.changed() => self.fault.mark_changed(),
        }
    }

    async fn silence(&mut self) -> End {
        while *self.fault.borrow_and_update() == Fault::BlackHole {
            if self.fault.changed().await.is_err() {
                break;
            }
        }
        End::Reset
    }
}

fn room(fault: Fault) -> usize {
    match fault {
        Fault::Throttle(bytes) => (bytes / STEPS).clamp(1, BUFFER),
        _ => BUFFER,
    }
}

/// Throttled bytes pass in so many steps a second.
const STEPS: usize = 10;
const STEP: Duration = Duration::from_millis(100);

const BUFFER: usize = 16 * 1024;
