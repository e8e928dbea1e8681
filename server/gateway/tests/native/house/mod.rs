//! A whole gateway on real sockets, with a plant whose boards are the test itself.

pub(crate) mod client;
pub(crate) mod web;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dialect::native::Settings;
use engine::{Limits, PushStrategy, Setup, Station};
use gateway::{Config, Gateway, Hub, Stopwatch};
use protocol::digest::{Algorithm, Seal};
use protocol::id::ChannelId;
use protocol::part::{Condition, PartState};
use protocol::point::{Device, Name, Plant, Point, PointKind, Site};
use protocol::reading::Value;
use protocol::report::{Reach, Report};
use protocol::time::Timestamp;
use protocol::wire::session::Integrity;
use store::{Inbox, Policy, Records, Store, write_records};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const KEY: &str = "a key for tests only";

/// What differs from house to house.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) heartbeat_interval: Duration,
    pub(crate) connections: usize,
    /// How many points each board has; the first is its temperature.
    pub(crate) points: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self { heartbeat_interval: Duration::from_secs(10), connections: 100, points: 1 }
    }
}

/// A running gateway.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Hub,
    pub(crate) stop: CancellationToken,
    pub(crate) served: JoinHandle<()>,
    inbox: Inbox,
    points: usize,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_with(Rules::default()).await
    }

    pub(crate) async fn open_with(rules: Rules) -> Self {
        let (stopwatch, stop) = (Stopwatch::start(), CancellationToken::new());
        let (push, clock) = (PushStrategy::default(), stopwatch.clock());
        let setup = Setup {
            plant: plant(rules.points),
            intervals: BTreeMap::new(),
            push,
            limits: Limits { connections: rules.connections, per_user: 10 },
            clock,
        };
        let station = Station::new(setup, stopwatch.now());
        let (hub, desk) = Hub::open(&station, &"e1".parse().unwrap(), stopwatch);
        tokio::spawn(gateway::run_station(station, desk, stop.clone()));
        let native = Settings {
            seal: Seal::new(Algorithm::Md5, KEY),
            heartbeat_interval: rules.heartbeat_interval,
            push,
            server_version: "0.0.0".into(),
            clock,
        };
        let integrity = Integrity { algorithm: Algorithm::Md5, key: KEY.into() };
        let config = Config { origins: vec!["https://console.example".into()], integrity };
        let (records, inbox) = Records::open();
        let (plant, hub_here) = (Arc::new(plant(rules.points)), hub.clone());
        let setup = gateway::Setup { hub: hub_here, plant, native, records, config };
        let gateway = Gateway::new(setup, stop.clone());
        let listener = gateway::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = TcpListener::local_addr(&listener).unwrap();
        let router = gateway::router(gateway.clone());
        let served = tokio::spawn(gateway::serve(listener, router, gateway));
        let house = Self { address, hub, stop, served, inbox, points: rules.points };
        house.becomes_ready().await;
        house
    }

    async fn becomes_ready(&self) {
        while !web::get(self.address, "/readyz", &[]).await.starts_with("HTTP/1.1 200") {
            tokio::task::yield_now().await;
        }
    }

    /// Closes, and puts on record in `folder` what happened.
    pub(crate) async fn close(self, folder: &Path) -> Store {
        self.stop.cancel();
        self.served.await.unwrap();
        let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
        let (conditions, _) = watch::channel(works);
        write_records(folder.into(), self.inbox, Policy::default(), self.stop, conditions).await;
        Store::open(folder).await.unwrap()
    }

    /// A board's answer to a poll: its temperature, and the same for its other points.
    pub(crate) async fn poll(&self, device: &str, temperature: f64) {
        let results = (0..self.points).map(|n| (n, Ok(Value::Number(temperature)))).collect();
        let device = device.parse().unwrap();
        self.hub.report(Report { device, reach: Reach::Answered, results }).await.unwrap();
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
