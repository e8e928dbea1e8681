//! What the tests of this crate share: a poller at work, boards to poll, and patience.

use std::net::SocketAddr;
use std::time::Duration;

use field::map::{Area, ByteOrder, ChannelConfig, DataType, Mapping, Target, Transport};
use field::poller::{self, Polled};
use field::simulator::{Board, Faults};
use protocol::id::ChannelId;
use protocol::reading::{Reason, Value};
use protocol::report::{Reach, Report};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A poller at work; it ends with this.
pub(crate) struct Polling {
    pub(crate) reports: mpsc::Receiver<Polled>,
    pub(crate) pace: watch::Sender<Duration>,
    _stop: DropGuard,
}

impl Polling {
    /// Polls ten times a second.
    pub(crate) fn start(transport: Transport, targets: Vec<Target>) -> Self {
        let config = ChannelConfig {
            id: ChannelId(1),
            transport,
            poll_interval: INTERVAL,
            timeout: Some(Duration::from_millis(250)),
            targets,
        };
        assert_eq!(config.mistakes(), []);
        let (outbox, reports) = mpsc::channel(64);
        let (pace, paced) = watch::channel(INTERVAL);
        let stop = CancellationToken::new();
        tokio::spawn(poller::run(config, paced, outbox, stop.clone()));
        Self { reports, pace, _stop: stop.drop_guard() }
    }

    pub(crate) async fn next(&mut self) -> Report {
        let polled = timeout(PATIENCE, self.reports.recv()).await.expect("a report in time");
        polled.expect("a poller").report
    }

    pub(crate) async fn next_of(&mut self, device: &str) -> Report {
        loop {
            let report = self.next().await;
            if report.device.as_str() == device {
                return report;
            }
        }
    }

    /// The first report that is `wanted`.
    pub(crate) async fn until(&mut self, what: &str, wanted: impl Fn(&Report) -> bool) -> Report {
        let search = async {
            loop {
                let report = self.next().await;
                if wanted(&report) {
                    return report;
                }
            }
        };
        timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("{what} in {PATIENCE:?}"))
    }

    /// Forgets the reports that have come so far.
    pub(crate) fn drain(&mut self) {
        while self.reports.try_recv().is_ok() {}
    }
}

/// A simulated board at work; it ends with this.
pub(crate) struct Simulated {
    pub(crate) address: SocketAddr,
    pub(crate) faults: Faults,
    _stop: DropGuard,
}

impl Simulated {
    pub(crate) async fn start(units: &[u8]) -> Self {
        let board = Board::bind(([127, 0, 0, 1], 0).into(), units, 1).await.expect("a free port");
        let (address, faults) = (board.local_addr(), board.faults());
        let stop = CancellationToken::new();
        tokio::spawn(board.run(stop.clone()));
        Self { address, faults, _stop: stop.drop_guard() }
    }
}

pub(crate) fn tcp(address: SocketAddr) -> Transport {
    Transport::Tcp { host: address.ip().to_string(), port: address.port() }
}

pub(crate) fn target(device: &str, unit: u8, mappings: Vec<Mapping>) -> Target {
    Target { device: device.parse().expect("an identifier"), unit, mappings }
}

pub(crate) fn register(address: u16) -> Mapping {
    number(Area::HoldingRegister, address, DataType::Uint16, ByteOrder::Ab)
}

pub(crate) fn bit(area: Area, address: u16, bit: Option<u8>) -> Mapping {
    Mapping { bit, ..number(area, address, DataType::Bit, ByteOrder::Ab) }
}

pub(crate) fn number(
    area: Area,
    address: u16,
    data_type: DataType,
    byte_order: ByteOrder,
) -> Mapping {
    Mapping {
        area,
        address,
        data_type,
        byte_order,
        bit: None,
        scale: 1.0,
        offset: 0.0,
        poll: None,
        decimals: 1,
    }
}

pub(crate) fn is_good(report: &Report) -> bool {
    report.reach == Reach::Answered && report.results.iter().all(|(_, result)| result.is_ok())
}

/// Whether all its points, `count` of them, have this reason.
pub(crate) fn says(report: &Report, count: usize, reach: Reach, reason: Reason) -> bool {
    report.reach == reach
        && report.results.len() == count
        && report.results.iter().all(|(_, result)| *result == Err(reason))
}

pub(crate) fn values(report: &Report) -> Vec<Result<Value, Reason>> {
    let mut results = report.results.clone();
    results.sort_by_key(|(point, _)| *point);
    results.into_iter().map(|(_, result)| result).collect()
}

pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

/// Far longer than anything here takes, even on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
