//! What the tests of this crate share: a poller at work, boards to poll, and patience.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use field::map::{Area, ByteOrder, ChannelConfig, DataType, Mapping, Target, Transport};
use field::poller::{self, News, Polled};
use field::simulator::{Board, Faults};
use field::work::{Assignment, Jobs};
use protocol::command::{OrderKey, Origin};
use protocol::id::ChannelId;
use protocol::job::{Execution, Job, Task};
use protocol::reading::{Reason, Value};
use protocol::report::{Reach, Report};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A poller at work; it ends with this.
pub(crate) struct Polling {
    pub(crate) news: mpsc::Receiver<News>,
    pub(crate) jobs: Jobs,
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
        let (outbox, news) = mpsc::channel(64);
        let (jobs, inbox) = Jobs::open();
        let (pace, paced) = watch::channel(INTERVAL);
        let stop = CancellationToken::new();
        tokio::spawn(poller::run(config, paced, inbox, outbox, stop.clone()));
        Self { news, jobs, pace, _stop: stop.drop_guard() }
    }

    pub(crate) async fn next_news(&mut self) -> News {
        let news = timeout(PATIENCE, self.news.recv()).await.expect("news in time");
        news.expect("a poller")
    }

    /// The next report; what came of jobs is passed over.
    pub(crate) async fn next(&mut self) -> Report {
        loop {
            match self.next_news().await {
                News::Polled(Polled { report, .. }) | News::ReadBack { report, .. } => {
                    return report;
                }
                News::Executed { .. } => {}
            }
        }
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

    /// Hands in a job that may take so long.
    pub(crate) fn order(&self, id: &str, device: &str, task: Task, within: Duration) {
        let job = Job {
            key: key(id),
            device: device.parse().expect("an identifier"),
            channel: ChannelId(1),
            task,
            within,
        };
        self.jobs.hand_in(Assignment::new(job)).expect("room");
    }

    /// What came of the next job that is done, and what was reported before.
    pub(crate) async fn outcome(&mut self, id: &str) -> (Execution, Vec<Report>) {
        let mut reports = Vec::new();
        loop {
            match self.next_news().await {
                News::Polled(Polled { report, .. }) | News::ReadBack { report, .. } => {
                    reports.push(report);
                }
                News::Executed { key: done, execution } => {
                    assert_eq!(done, key(id));
                    return (execution, reports);
                }
            }
        }
    }

    /// Forgets the news that have come so far.
    pub(crate) fn drain(&mut self) {
        while self.news.try_recv().is_ok() {}
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
        Self::wired(units, &[]).await
    }

    /// What is written to the points of these targets shows at their feedback.
    pub(crate) async fn wired(units: &[u8], targets: &[Target]) -> Self {
        let board = Board::bind(([127, 0, 0, 1], 0).into(), units, 1).await;
        let mut board = board.expect("a free port");
        targets.iter().for_each(|target| board.wire(target));
        let (address, faults) = (board.local_addr(), board.faults());
        let stop = CancellationToken::new();
        tokio::spawn(board.run(stop.clone()));
        Self { address, faults, _stop: stop.drop_guard() }
    }
}

/// A board that the test plays itself, request by request.
pub(crate) struct Played {
    pub(crate) address: SocketAddr,
    requests: mpsc::Receiver<Request>,
    hang_up: mpsc::Sender<oneshot::Sender<()>>,
}

/// What the board is asked; it hangs up if this is dropped without an answer.
pub(crate) struct Request {
    pub(crate) pdu: Vec<u8>,
    answer: oneshot::Sender<Vec<u8>>,
}

impl Request {
    pub(crate) fn answer(self, pdu: &[u8]) {
        // The asker may have gone.
        let _ = self.answer.send(pdu.into());
    }

    /// Answers a read with this value in each register, all bits OFF, and confirms a write.
    pub(crate) fn obey(self, value: u16) {
        let [function, _, _, _, count, ..] = *self.pdu else { panic!("{:?}", self.pdu) };
        let words = value.to_be_bytes().repeat(count.into());
        let answer = match function {
            1 | 2 => {
                [&[function, count.div_ceil(8)], &vec![0; count.div_ceil(8).into()][..]].concat()
            }
            3 | 4 => [&[function, 2 * count], words.as_slice()].concat(),
            _ => self.pdu.get(..5).unwrap_or_default().into(),
        };
        self.answer(&answer);
    }
}

impl Played {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (outbox, requests) = mpsc::channel(1);
        let (hang_up, mut hung_up) = mpsc::channel::<oneshot::Sender<()>>(1);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::select! {
                    _ = play(stream, &outbox) => {}
                    told = hung_up.recv() => drop(told.map(|told| told.send(()))),
                }
            }
        });
        Self { address, requests, hang_up }
    }

    /// Closes the connection; comes back once the other side can know.
    pub(crate) async fn hang_up(&self) {
        let (told, closed) = oneshot::channel();
        self.hang_up.send(told).await.expect("a board");
        timeout(PATIENCE, closed).await.expect("an end in time").expect("a board");
        // What comes over another connection later has not overtaken it.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
        let ((mut ours, _), mut theirs) = (theirs.expect("a caller"), ours.expect("a connection"));
        ours.write_all(&[1]).await.expect("a connection");
        theirs.read_exact(&mut [0]).await.expect("a byte");
    }

    pub(crate) async fn next(&mut self) -> Request {
        timeout(PATIENCE, self.requests.recv()).await.expect("a request in time").expect("a board")
    }
}

async fn play(mut stream: TcpStream, outbox: &mpsc::Sender<Request>) -> std::io::Result<()> {
    loop {
        let mut header = [0; 7];
        stream.read_exact(&mut header).await?;
        let mut pdu = vec![0; usize::from(header[5]) - 1];
        stream.read_exact(&mut pdu).await?;
        let (answer, answered) = oneshot::channel();
        let asked = outbox.send(Request { pdu, answer }).await;
        let (Ok(()), Ok(pdu)) = (asked, answered.await) else { return Ok(()) };
        header[5] = pdu.len() as u8 + 1;
        stream.write_all(&[&header, pdu.as_slice()].concat()).await?;
    }
}

pub(crate) fn key(id: &str) -> OrderKey {
    OrderKey {
        origin: Origin::Local,
        user: "op".into(),
        device: "board-1".parse().expect("an identifier"),
        id: id.into(),
    }
}

pub(crate) fn tcp(address: SocketAddr) -> Transport {
    Transport::Tcp { host: address.ip().to_string(), port: address.port() }
}

pub(crate) fn target(device: &str, unit: u8, mappings: Vec<Mapping>) -> Target {
    let device = device.parse().expect("an identifier");
    Target { device, unit, mappings, feedback: BTreeMap::new() }
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
