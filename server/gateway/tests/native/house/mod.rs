//! A whole gateway on real sockets, with a plant whose boards are the test itself.

pub(crate) mod client;
pub(crate) mod people;
pub(crate) mod web;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dialect::native::Settings;
use engine::{ArbiterPolicy, Journal, Limits, PushStrategy, Setup};
use gateway::{Config, Desk, Gateway, Hub, People, PeopleDesk, Shelf, Stopwatch, Tls, Token};
use protocol::command::OrderKey;
use protocol::digest::{Algorithm, Seal};
use protocol::id::ChannelId;
use protocol::job::Job;
use protocol::part::{Condition, PartState};
use protocol::point::{Device, Name, Plant, Point, PointKind, Site};
use protocol::reading::Value;
use protocol::report::{Reach, Report};
use protocol::time::Timestamp;
use protocol::wire::session::Integrity;
use store::{
    Audit, AuditInbox, AuditPolicy, Commands, CommandsInbox, CommandsPolicy, Inbox, JournalInbox,
    Policy, Records, Store, write_audit, write_commands, write_records,
};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) const KEY: &str = "a key for tests only";

pub(crate) const TOKEN: &str = "a-token-for-tests-only";

/// What differs from house to house.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) heartbeat_interval: Duration,
    pub(crate) connections: usize,
    /// How many points each board has; the first is its temperature.
    pub(crate) points: usize,
    /// Frames tell when they were made.
    pub(crate) timed: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_secs(10),
            connections: 100,
            points: 1,
            timed: false,
        }
    }
}

/// A running gateway.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Hub,
    pub(crate) gateway: Gateway,
    pub(crate) stop: CancellationToken,
    pub(crate) served: JoinHandle<()>,
    /// Where orders are put on record; on the disk once somebody writes them there.
    pub(crate) commands: Commands,
    inbox: Inbox,
    orders: CommandsInbox,
    deeds: AuditInbox,
    points: usize,
    station: Station,
    /// Nobody reads it: what is kept stays in memory.
    _journal: JournalInbox,
    /// Nobody carries them out.
    _jobs: mpsc::Receiver<Job>,
    _intents: mpsc::Receiver<OrderKey>,
}

/// The Station's task, and what the next one needs.
struct Station {
    running: JoinHandle<()>,
    desk: Arc<Mutex<Desk>>,
    setup: Setup,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_with(Rules::default()).await
    }

    pub(crate) async fn open_with(rules: Rules) -> Self {
        Self::open_behind(rules, None).await
    }

    /// Where callers have to speak TLS.
    pub(crate) async fn open_behind(rules: Rules, tls: Option<Tls>) -> Self {
        Self::open_to(rules, tls, None).await
    }

    /// Where only those get in who are in the book.
    async fn open_to(rules: Rules, tls: Option<Tls>, people: Option<(People, PeopleDesk)>) -> Self {
        let (people, porter) = people.unzip();
        let (stopwatch, stop) = (Stopwatch::start(), CancellationToken::new());
        let push = PushStrategy::default();
        let setup = Setup {
            plant: plant(rules.points),
            intervals: BTreeMap::new(),
            push,
            limits: Limits { connections: rules.connections, per_user: 10 },
            arbiter: ArbiterPolicy::default(),
        };
        let (disk, journal) = store::Journal::open();
        let (commands, orders, intents) = Commands::open();
        let (audit, trail) = Audit::open();
        let shelf = shelf(disk, &commands, &audit);
        let (hub, desk, jobs) = Hub::open(&setup.plant, shelf, stopwatch);
        let desk = Arc::new(Mutex::new(desk));
        let running = gateway::run_station(Arc::clone(&desk), setup.clone(), stop.clone());
        let station = Station { running: tokio::spawn(running), desk, setup };
        let (native, config) = (settings(rules), config(tls));
        let (records, inbox) = Records::open();
        let pens = (records.clone(), audit.clone());
        let setup = gateway::Setup {
            hub: hub.clone(),
            plant: Arc::new(plant(rules.points)),
            native,
            records,
            commands: commands.history(),
            audit,
            people: people.unwrap_or_else(People::anonymous),
            config,
        };
        let gateway = Gateway::new(setup, stop.clone());
        let listener = gateway::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = TcpListener::local_addr(&listener).unwrap();
        let router = gateway::router(gateway.clone());
        let served = tokio::spawn(gateway::serve(listener, router, gateway.clone()));
        let points = rules.points;
        let house = Self {
            address,
            hub,
            gateway,
            stop,
            served,
            commands,
            inbox,
            orders,
            deeds: trail,
            points,
            station,
            _journal: journal,
            _jobs: jobs,
            _intents: intents,
        };
        if let Some(porter) = porter {
            people::run(&house, porter, pens.0, pens.1);
        }
        house.becomes_ready().await;
        house
    }

    /// The Station's task ends in the middle of its work, and another takes its place.
    pub(crate) async fn restart_station(&mut self) {
        self.station.running.abort();
        let Station { desk, setup, .. } = &self.station;
        let running = gateway::run_station(Arc::clone(desk), setup.clone(), self.stop.clone());
        self.station.running = tokio::spawn(running);
    }

    async fn becomes_ready(&self) {
        while self.hub.ready().await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    /// Closes, and puts on record in `folder` what happened.
    pub(crate) async fn close(self, folder: &Path) -> Store {
        self.stop.cancel();
        self.served.await.unwrap();
        // The writer goes on as long as anyone could hand something in.
        drop(self.gateway);
        let conditions = conditions();
        write_records(folder.into(), self.inbox, Policy::default(), self.stop, conditions).await;
        Store::open(folder).await.unwrap()
    }

    /// Puts orders on record in `folder`, from now on.
    pub(crate) fn write_commands(&self, folder: &Path) -> JoinHandle<()> {
        let conditions = conditions();
        let policy = CommandsPolicy { keep: CENTURY, ..CommandsPolicy::default() };
        let inbox = self.orders.clone();
        let stop = self.stop.clone();
        tokio::spawn(write_commands(folder.into(), inbox, policy, stop, conditions))
    }

    /// Puts what happens to connections on record in `folder`, from now on.
    pub(crate) fn write_records(&self, folder: &Path) -> JoinHandle<()> {
        let conditions = conditions();
        let (inbox, stop) = (self.inbox.clone(), self.stop.clone());
        tokio::spawn(write_records(folder.into(), inbox, Policy::default(), stop, conditions))
    }

    /// Puts who did what on record in `folder`, from now on.
    pub(crate) fn write_audit(&self, folder: &Path) -> JoinHandle<()> {
        let conditions = conditions();
        let policy = AuditPolicy { keep: CENTURY, ..AuditPolicy::default() };
        let (inbox, stop) = (self.deeds.clone(), self.stop.clone());
        tokio::spawn(write_audit(folder.into(), inbox, policy, stop, conditions))
    }

    /// A board's answer to a poll: its temperature, and the same for its other points.
    pub(crate) async fn poll(&self, device: &str, temperature: f64) {
        let results = (0..self.points).map(|n| (n, Ok(Value::Number(temperature)))).collect();
        let device = device.parse().unwrap();
        let report = Report { device, reach: Reach::Answered, results };
        self.hub.report(report, Instant::now()).await.unwrap();
    }
}

fn conditions() -> watch::Sender<Condition> {
    let (since, why) = (Timestamp::default(), None);
    watch::Sender::new(Condition { since, state: PartState::Working, why })
}

fn shelf(disk: store::Journal, commands: &Commands, audit: &Audit) -> Shelf {
    let (commands, audit) = (commands.clone(), audit.clone());
    Shelf { journal: Journal::default(), disk, commands, backlog: None, audit }
}

fn settings(rules: Rules) -> Settings {
    Settings {
        seal: Seal::new(Algorithm::Md5, KEY),
        former_seal: None,
        heartbeat_interval: rules.heartbeat_interval,
        push: PushStrategy::default(),
        server_version: "0.0.0".into(),
        timed: rules.timed,
    }
}

fn config(tls: Option<Tls>) -> Config {
    Config {
        origins: vec!["https://console.example".into()],
        integrity: Integrity { algorithm: Algorithm::Md5, key: KEY.into() },
        proxies: Vec::new(),
        tls,
        token: Some(Token::new(TOKEN.into())),
    }
}

fn plant(points: usize) -> Plant {
    let site = "plant".parse().unwrap();
    let device = |id: &str| Device {
        id: id.parse().unwrap(),
        site: "plant".parse().unwrap(),
        channel: ChannelId(1),
        name: Name { zh: "控制板".into(), en: "Board".into() },
        points: (0..points).map(point).collect(),
        overview: vec!["temperature".parse().unwrap()],
        commands: Vec::new(),
        has_pscada: false,
        has_system_server: false,
    };
    Plant {
        sites: vec![Site { id: site, name: Name::default(), zone: "Asia/Shanghai".into() }],
        devices: vec![device("board-1"), device("board-2")],
        demo: false,
    }
}

fn point(n: usize) -> Point {
    let key = if n == 0 { "temperature".into() } else { format!("point_{n}") };
    Point { unit: "°C".into(), ..Point::new(key.parse().unwrap(), PointKind::Telemetry) }
}

/// The orders of tests are from any time.
const CENTURY: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);
