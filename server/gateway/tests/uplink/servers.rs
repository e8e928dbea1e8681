//! The two servers, each as its process would put it together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dialect::native::Settings;
use engine::{ArbiterPolicy, Event, Journal, Limits, PushStrategy, Setup};
use gateway::{Ascent, Config, Edges, Gateway, Hub, Neighbour, Shelf, Stopwatch, Token};
use protocol::command::{CommandAction, CommandSpec, OrderKey, Risk};
use protocol::digest::{Algorithm, Seal};
use protocol::id::ChannelId;
use protocol::job::Job;
use protocol::part::{Condition, PartState};
use protocol::point::{Device, Name, Plant, Point, PointKind, Site};
use protocol::reading::Value;
use protocol::report::{Reach, Report};
use protocol::status::StatusRow;
use protocol::stream::StreamName;
use protocol::time::Timestamp;
use protocol::wire::session::Integrity;
use store::{
    Backlog, BacklogPolicy, Center, CenterPolicy, Commands, CommandsPolicy, EdgeFilter, EdgeRow,
    Records,
};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "a-token-for-tests-only";

/// A Station, and what its orders need to be carried out.
struct Half {
    hub: Hub,
    jobs: mpsc::Receiver<Job>,
    commands: Commands,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

fn conditions() -> watch::Sender<Condition> {
    let (since, state) = (Timestamp::default(), PartState::Working);
    watch::Sender::new(Condition { since, state, why: None })
}

impl Half {
    fn start(plant: &Plant, folder: &Path) -> Self {
        let (stopwatch, stop) = (Stopwatch::start(), CancellationToken::new());
        let setup = Setup {
            plant: plant.clone(),
            intervals: BTreeMap::from([(ChannelId(9), Duration::from_secs(10))]),
            push: PushStrategy::default(),
            limits: Limits { connections: 100, per_user: 10 },
            arbiter: ArbiterPolicy::default(),
        };
        let (disk, _) = store::Journal::open();
        let (commands, inbox, intents) = Commands::open();
        let (audit, _) = store::Audit::open();
        let shelf = Shelf {
            journal: Journal::default(),
            disk,
            commands: commands.clone(),
            backlog: None,
            audit,
        };
        let (hub, desk, jobs) = Hub::open(plant, shelf, stopwatch);
        let run = gateway::run_station(Arc::new(Mutex::new(desk)), setup, stop.clone());
        let policy = CommandsPolicy::default();
        let write = store::write_commands(folder.into(), inbox, policy, stop.clone(), conditions());
        let tasks = vec![
            tokio::spawn(run),
            tokio::spawn(write),
            tokio::spawn(tell_recorded(intents, hub.clone())),
        ];
        Self { hub, jobs, commands, stop, tasks }
    }
}

async fn tell_recorded(mut intents: mpsc::Receiver<OrderKey>, hub: Hub) {
    while let Some(key) = intents.recv().await {
        if hub.tell(Event::Recorded(key)).await.is_err() {
            return;
        }
    }
}

/// A server in the role of a center that expects the edge `north`.
pub(crate) struct CenterHouse {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Hub,
    pub(crate) history: Center,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl CenterHouse {
    pub(crate) async fn open(folder: &Path) -> Self {
        Self::open_at("127.0.0.1:0".parse().unwrap(), folder).await
    }

    pub(crate) async fn open_at(address: SocketAddr, folder: &Path) -> Self {
        let plant = center_plant();
        let Half { hub, jobs, commands, stop, mut tasks } = Half::start(&plant, folder);
        let (history, inbox) = Center::open();
        let policy = CenterPolicy::default();
        let write = store::write_center(folder.into(), inbox, policy, stop.clone(), conditions());
        tasks.push(tokio::spawn(write));
        let north = Neighbour {
            id: "north".parse().unwrap(),
            token: Token::new(TOKEN.into()),
            devices: vec!["board-1".parse().unwrap()],
        };
        let (edges, desk) = Edges::open(vec![north], history.clone());
        let desk = Arc::new(Mutex::new(desk));
        tasks.push(tokio::spawn(gateway::run_edge_desk(desk, hub.clone(), stop.clone())));
        tasks.push(tokio::spawn(hand_down(jobs, edges.clone(), hub.clone())));
        let (records, inbox) = Records::open();
        let policy = store::Policy::default();
        let write = store::write_records(folder.into(), inbox, policy, stop.clone(), conditions());
        tasks.push(tokio::spawn(write));
        let setup = gateway::Setup {
            hub: hub.clone(),
            plant: Arc::new(plant),
            native: settings(),
            records,
            commands: commands.history(),
            audit: store::Audit::open().0,
            people: gateway::People::anonymous(),
            config: Config {
                origins: Vec::new(),
                proxies: Vec::new(),
                tls: None,
                integrity: Integrity { algorithm: Algorithm::Md5, key: "key".into() },
                token: None,
            },
        };
        let gateway = Gateway::new(setup, stop.clone());
        let listener = gateway::bind(address).unwrap();
        let address = TcpListener::local_addr(&listener).unwrap();
        let center = gateway::center_router(gateway.clone(), edges, history.clone());
        let router = gateway::router(gateway.clone()).merge(center);
        tasks.push(tokio::spawn(gateway::serve(listener, router, gateway)));
        Self { address, hub, history, stop, tasks }
    }

    /// Stops, and lets go of its files.
    pub(crate) async fn close(self) {
        self.stop.cancel();
        let Self { hub, history, tasks, .. } = self;
        drop((hub, history));
        for task in tasks {
            let _ = task.await;
        }
    }

    /// All rows of the edge, oldest first.
    pub(crate) async fn rows(&self) -> Vec<EdgeRow> {
        let edge = "north".parse().unwrap();
        let filter = EdgeFilter { edge, device: None, from: None, to: None };
        let (mut rows, mut before) = (Vec::new(), None);
        loop {
            let limit = 1_000.try_into().unwrap();
            let page = self.history.history().page(&filter, before, limit).await.unwrap();
            rows.extend(page.rows);
            before = page.next;
            if before.is_none() {
                rows.reverse();
                return rows;
            }
        }
    }

    /// Waits until this many rows are there.
    pub(crate) async fn has(&self, count: usize) -> Vec<EdgeRow> {
        until(async || {
            let rows = self.rows().await;
            (rows.len() >= count).then_some(rows)
        })
        .await
    }

    /// What the center shows of the edge's device.
    pub(crate) fn value(&self, point: &str) -> Option<f64> {
        let (table, _) = self.hub.table(&StreamName::Device("north:board-1".parse().unwrap()))?;
        table.points.get(point)?.value?.number()
    }

    pub(crate) fn is_reached(&self) -> bool {
        let table = self.hub.table(&StreamName::Device("north:board-1".parse().unwrap()));
        table.is_some_and(|(table, _)| table.links.is_some_and(|links| links.board))
    }
}

/// As the server's assembly does.
async fn hand_down(mut jobs: mpsc::Receiver<Job>, edges: Edges, hub: Hub) {
    while let Some(job) = jobs.recv().await {
        let key = job.key.clone();
        if let Err(not_done) = edges.order(job) {
            let result = Err(not_done);
            let execution = protocol::job::Execution { result, written_after: None };
            hub.tell(Event::Executed { key, execution }).await.unwrap();
        }
    }
}

/// A server in the role of an edge, with one board.
pub(crate) struct EdgeHouse {
    pub(crate) hub: Hub,
    pub(crate) jobs: mpsc::Receiver<Job>,
    pub(crate) backlog: Backlog,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    ascent: Option<JoinHandle<()>>,
}

impl EdgeHouse {
    /// An edge that does not dial yet.
    pub(crate) fn open(folder: &Path) -> Self {
        let Half { hub, jobs, commands: _, stop, mut tasks } = Half::start(&edge_plant(), folder);
        let (backlog, inbox) = Backlog::open();
        let policy = BacklogPolicy::default();
        let write = store::write_backlog(folder.into(), inbox, policy, stop.clone(), conditions());
        tasks.push(tokio::spawn(write));
        Self { hub, jobs, backlog, stop, tasks, ascent: None }
    }

    pub(crate) fn dial(&mut self, center: SocketAddr, token: &str) {
        let ascent = Ascent {
            url: format!("ws://{center}/ws/uplink"),
            edge: "north".parse().unwrap(),
            token: token.into(),
            devices: vec!["board-1".parse().unwrap()],
        };
        let (hub, backlog) = (self.hub.clone(), self.backlog.clone());
        let run = gateway::run_edge(ascent, hub, backlog, self.stop.clone());
        self.ascent = Some(tokio::spawn(run));
    }

    /// Puts rows with these times on record.
    pub(crate) async fn happen(&self, times: impl IntoIterator<Item = u64>) {
        times.into_iter().for_each(|at| self.backlog.append(row(at)));
        assert!(self.backlog.flushed().await);
    }

    pub(crate) async fn has_uploaded_all(&self) {
        until(async || (self.backlog.pending().count == 0).then_some(())).await;
    }

    /// A poll of its board.
    pub(crate) async fn poll(&self) {
        let results = vec![(0, Ok(Value::Number(30.0)))];
        let device = "board-1".parse().unwrap();
        let report = Report { device, reach: Reach::Answered, results };
        self.hub.report(report, Instant::now()).await.unwrap();
    }

    pub(crate) fn is_reaching(&self) -> bool {
        let table = self.hub.table(&StreamName::Device("board-1".parse().unwrap()));
        table.is_some_and(|(table, _)| table.links.is_some_and(|links| links.system_server))
    }

    pub(crate) async fn close(self) {
        self.stop.cancel();
        let Self { hub, backlog, tasks, ascent, jobs, .. } = self;
        if let Some(ascent) = ascent {
            ascent.await.unwrap();
        }
        drop((hub, backlog, jobs));
        for task in tasks {
            let _ = task.await;
        }
    }
}

pub(crate) fn row(at: u64) -> StatusRow {
    StatusRow {
        bit_position: None,
        device_id: "board-1".parse().unwrap(),
        new_value: at.to_string(),
        old_value: "OFF".into(),
        record_time: Timestamp::from_millis(at),
        status_name: "门锁".into(),
        status_type: "InputStatus".into(),
        timestamp: Timestamp::from_millis(at),
    }
}

/// The times of rows, in the order in which they were told.
pub(crate) fn times(rows: &[EdgeRow]) -> Vec<u64> {
    rows.iter().map(|row| row.row.row.timestamp.as_millis()).collect()
}

/// Waits until there is an answer; not for ever.
pub(crate) async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, asked).await.expect("it never came about")
}

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn settings() -> Settings {
    Settings {
        seal: Seal::new(Algorithm::Md5, "key"),
        former_seal: None,
        heartbeat_interval: Duration::from_secs(10),
        push: PushStrategy::default(),
        server_version: "0.0.0".into(),
        timed: false,
    }
}

fn device(id: &str, points: &[&str], action: CommandAction) -> Device {
    let point = |key: &&str| Point::new(key.parse().unwrap(), PointKind::Telemetry);
    let spec = CommandSpec {
        name: "SET_TEMP_THRESHOLD".into(),
        title: Name::default(),
        risk: Risk::C,
        action,
    };
    Device {
        id: id.parse().unwrap(),
        site: "plant".parse().unwrap(),
        channel: ChannelId(9),
        name: Name::default(),
        points: points.iter().map(point).collect(),
        commands: vec![spec],
        overview: Vec::new(),
        has_pscada: false,
        has_system_server: true,
    }
}

fn plant(device: Device) -> Plant {
    let site = Site { id: "plant".parse().unwrap(), name: Name::default(), zone: "UTC".into() };
    Plant { sites: vec![site], devices: vec![device], demo: false }
}

fn center_plant() -> Plant {
    plant(device("north:board-1", &["backlog", "delay", "received"], CommandAction::Forward))
}

fn edge_plant() -> Plant {
    let action = CommandAction::Write {
        point: "threshold".parse().unwrap(),
        value: protocol::command::Setting::Param,
        verify: protocol::command::Check::Same,
    };
    plant(device("board-1", &["threshold"], action))
}
