//! Our side of PSCADA's link: a Modbus slave that shows what the plant knows, and passes on what
//! its masters order.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::DeviceId;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_serial::SerialPortBuilder;
use tokio_util::sync::CancellationToken;

pub use self::answer::{Answer, Rules, Source, Stale};
pub use self::clock::Staged;
pub use self::map::{Command, Content, Entry, Param, SlaveMap};
pub use self::wish::{PATIENCE, Verdict, Wish, Wished};

use self::clerk::Clerk;
use crate::map::{Parity, Transport};
use crate::serial;

mod answer;
mod assembler;
mod clerk;
mod clock;
mod echo;
mod encode;
mod map;
mod reach;
mod rtu;
mod tcp;
mod wish;
mod write;

/// A slave as its operator wants it.
#[derive(Clone, Debug)]
pub struct SlaveConfig {
    pub way: Way,
    pub rules: Rules,
    /// PSCADA is there as long as it asks for something at least this often.
    pub reach_timeout: Duration,
}

/// Where masters come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Way {
    Tcp { listen: SocketAddr },
    Rtu(SerialLine),
}

/// A serial line and how characters are written on it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SerialLine {
    pub path: String,
    pub baud_rate: u32,
    pub data_bits: u8,
    pub stop_bits: u8,
    pub parity: Parity,
}

impl SerialLine {
    fn port(&self) -> SerialPortBuilder {
        tokio_serial::new(&self.path, self.baud_rate)
            .data_bits(serial::data_bits(self.data_bits))
            .stop_bits(serial::stop_bits(self.stop_bits))
            .parity(serial::parity(self.parity))
    }

    fn silence(&self) -> Duration {
        serial::silence(&self.transport())
    }

    /// The time on the wire of so many bytes.
    fn transmission(&self, bytes: usize) -> Duration {
        serial::time_of(&self.transport(), bytes)
    }

    fn transport(&self) -> Transport {
        let Self { path, baud_rate, data_bits, stop_bits, parity } = self.clone();
        Transport::Rtu { path, baud_rate, data_bits, stop_bits, parity }
    }
}

/// Whom a slave knows.
pub struct Surroundings {
    pub source: Arc<dyn Source>,
    /// Whoever takes an order out of it answers within [`PATIENCE`], or the master hears of a failure.
    pub wishes: mpsc::Sender<Wish>,
    /// The devices whose PSCADA is there now.
    pub reach: watch::Sender<BTreeSet<DeviceId>>,
}

/// Answers masters until `stop`; an address that cannot be listened at is an error.
///
/// A serial line that cannot be opened, or is lost, is tried again and again.
pub async fn run(
    config: SlaveConfig,
    surroundings: Surroundings,
    stop: CancellationToken,
) -> io::Result<()> {
    match &config.way {
        Way::Tcp { listen } => {
            let listener = TcpListener::bind(listen).await?;
            run_at(listener, config, surroundings, stop).await;
        }
        Way::Rtu(line) => {
            attend(&config, surroundings, stop, |clerk| rtu::serve(line, clerk)).await;
        }
    }
    Ok(())
}

/// As [`run`] over TCP, at an address that is taken already.
pub async fn run_at(
    listener: TcpListener,
    config: SlaveConfig,
    surroundings: Surroundings,
    stop: CancellationToken,
) {
    attend(&config, surroundings, stop, |clerk| tcp::serve(listener, clerk)).await;
}

async fn attend<F: Future<Output = ()>>(
    config: &SlaveConfig,
    surroundings: Surroundings,
    stop: CancellationToken,
    serve: impl FnOnce(Clerk) -> F,
) {
    let Surroundings { source, wishes, reach } = surroundings;
    let (asked, heard) = mpsc::channel(SIGNS);
    let rules = Arc::new(config.rules.clone());
    let watching = reach::watch(heard, &rules.map, config.reach_timeout, &reach);
    let clerk = Clerk { rules: rules.clone(), source, wishes, asked };
    tokio::select! {
        () = stop.cancelled() => {}
        () = serve(clerk) => {}
        () = watching => {}
    }
    reach.send_replace(BTreeSet::new());
}

/// Signs of life on their way; a connection that finds no room waits.
const SIGNS: usize = 64;
