//! Boards in software: real Modbus TCP servers with a plant behind them, and faults by switch.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

pub use fault::{Fault, FaultError, Faults};
pub use plant::{Measured, Orders, Plant};

use connection::Question;
use memory::Memory;

use crate::map::Target;

mod clock;
mod connection;
mod fault;
mod feedback;
mod memory;
mod pdu;
mod plant;

/// One address with one or more units behind it, each a cabinet with a life of its own.
///
/// The registers are listed in `simulator/memory.rs`.
pub struct Board {
    address: SocketAddr,
    listener: Option<TcpListener>,
    memories: BTreeMap<u8, Memory>,
    faults: Faults,
}

impl Board {
    /// Takes the address; port 0 takes any free one. Unit `n` lives the life of `seed + n`.
    pub async fn bind(address: SocketAddr, units: &[u8], seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let memory = |unit: u8| Memory::new(Plant::new(seed.wrapping_add(unit.into())));
        let memories = units.iter().map(|&unit| (unit, memory(unit))).collect();
        let address = listener.local_addr()?;
        Ok(Self { address, listener: Some(listener), memories, faults: Faults::new() })
    }

    /// Has the unit show what is written to its points where they are read back, too.
    pub fn wire(&mut self, target: &Target) {
        let Some(memory) = self.memories.get_mut(&target.unit) else { return };
        for (point, shown) in &target.feedback {
            if let Some(written) = target.mappings.get(*point) {
                memory.wire(written, shown);
            }
        }
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// Serves until `stop`; time starts for its plants now.
    pub async fn run(mut self, stop: CancellationToken) {
        let started = Instant::now();
        let mut switches = self.faults.watch();
        let mut connections = JoinSet::new();
        let (owner, mut questions) = mpsc::channel(QUESTIONS);
        loop {
            let refuses = switches.borrow_and_update().refuse();
            if refuses {
                self.listener = None;
                connections.shutdown().await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                _ = switches.changed() => {}
                stream = self.accept(), if !refuses => {
                    connections.spawn(connection::serve(stream, owner.clone(), self.faults.watch()));
                }
                Some(_) = connections.join_next() => {}
                Some(question) = questions.recv() => self.answer(question, started.elapsed()),
            }
        }
    }

    /// The next connection; listens again where it had stopped.
    async fn accept(&mut self) -> TcpStream {
        loop {
            let accepted = match &self.listener {
                Some(listener) => listener.accept().await,
                None => match TcpListener::bind(self.address).await {
                    Ok(listener) => {
                        self.listener = Some(listener);
                        continue;
                    }
                    Err(error) => Err(error),
                },
            };
            match accepted {
                Ok((stream, _)) => return stream,
                Err(error) => {
                    let address = self.address;
                    tracing::warn!(%address, %error, "no connection at {address}: {error}");
                    time::sleep(RETRY).await;
                }
            }
        }
    }

    fn answer(&mut self, question: Question, elapsed: Duration) {
        let function = question.pdu.first().copied().unwrap_or(0);
        let is_write = WRITES.contains(&function);
        let fault = self.faults.of(question.unit);
        let answer = match self.memories.get_mut(&question.unit) {
            None => crate::pdu::exception_of(function, NO_SUCH_UNIT),
            Some(_) if is_write && fault == Fault::RefuseWrites => {
                crate::pdu::exception_of(function, DEVICE_FAILURE)
            }
            Some(memory) => {
                memory.pass(elapsed);
                let before = (is_write && fault == Fault::IgnoreWrites).then(|| memory.clone());
                let answer = pdu::answer(memory, &question.pdu, elapsed);
                before.into_iter().for_each(|before| *memory = before);
                answer
            }
        };
        // A connection that has ended meanwhile needs no answer.
        let _ = question.answer.send(answer);
    }
}

/// Requests that wait for an answer; connections that find no room wait.
const QUESTIONS: usize = 64;

/// Between two tries to listen at an address that is taken.
const RETRY: Duration = Duration::from_millis(100);

/// The functions that write.
const WRITES: [u8; 4] = [5, 6, 15, 16];

/// Modbus exceptions: the board failed; the gateway found no such unit.
const DEVICE_FAILURE: u8 = 4;
const NO_SUCH_UNIT: u8 = 11;
