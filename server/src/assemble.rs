//! Makes the tasks and the queues between them, in the order of the road.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use dialect::native::Settings;
use engine::{Event, Limits, Setup, Station};
use field::map::ChannelConfig;
use field::{poller, simulator::Board};
use gateway::{Gateway, Hub, Stopwatch};
use leptos::config::LeptosOptions;
use protocol::digest::Seal;
use protocol::id::{ChannelId, Epoch};
use protocol::part::{Condition, PartState};
use protocol::time::Timestamp;
use protocol::wire::session::Integrity;
use store::Records;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Configuration, key, reload};
use crate::first_page::FirstPage;
use crate::pages;
use crate::supervise::keep_running;

/// Everything that runs, and the way to change what may change.
pub(crate) struct Running {
    pub address: SocketAddr,
    paces: Paces<watch::Sender<Duration>>,
    tasks: TaskTracker,
}

impl Running {
    /// Polls a channel at another pace from now on, and pushes at the same (S0-11).
    pub(crate) fn set_pace(&self, channel: ChannelId, interval: Duration) {
        if let Some(pace) = self.paces.get(&channel) {
            pace.send_replace(interval);
        }
    }

    /// Waits until every task has ended, once they have been told to stop.
    pub(crate) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Starts everything that is configured; it runs until `stop`.
pub(crate) async fn start(
    configuration: &Configuration,
    boards: Vec<Board>,
    stop: CancellationToken,
) -> anyhow::Result<Running> {
    let listener = gateway::bind(configuration.listen)
        .with_context(|| format!("cannot listen on {}", configuration.listen))?;
    let address = listener.local_addr()?;
    let integrity = integrity(configuration)?;
    let stopwatch = Stopwatch::start();
    let plant = Arc::new(configuration.plant.clone());
    let tasks = TaskTracker::new();

    for board in boards {
        tasks.spawn(board.run(stop.clone()));
    }
    let hub = start_station(configuration, stopwatch, &tasks, &stop);
    let (senders, paces) = paces(configuration);
    start_pollers(&configuration.channels, &paces, &hub, &tasks, &stop);
    let first_page = FirstPage {
        hub: hub.clone(),
        plant: Arc::clone(&plant),
        paces: Arc::new(paces),
        snapshot_interval: configuration.push.full_snapshot_interval,
        stopwatch,
        clock: stopwatch.clock(),
    };
    let setup = gateway::Setup {
        hub,
        plant,
        native: settings(configuration, &integrity, stopwatch),
        records: start_records(configuration, &tasks, &stop),
        config: gateway::Config { origins: configuration.origins.clone(), integrity },
    };
    start_serving(listener, Gateway::new(setup, stop), first_page, &tasks);
    Ok(Running { address, paces: senders, tasks })
}

/// The one writer of all streams. Without it nothing is worth running.
fn start_station(
    configuration: &Configuration,
    stopwatch: Stopwatch,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Hub {
    let setup = Setup {
        plant: configuration.plant.clone(),
        intervals: reload::poll_intervals(configuration),
        push: configuration.push,
        limits: Limits::default(),
        clock: stopwatch.clock(),
    };
    let station = Station::new(setup, stopwatch.now());
    let (hub, desk) = Hub::open(&station, &epoch(), stopwatch);
    let stop_all = stop.clone().drop_guard();
    let running = gateway::run_station(station, desk, stop.clone());
    tasks.spawn(async move {
        running.await;
        drop(stop_all);
    });
    hub
}

/// One poller a channel, each started again if it fails.
fn start_pollers(
    channels: &[ChannelConfig],
    paces: &BTreeMap<ChannelId, watch::Receiver<Duration>>,
    hub: &Hub,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let (outbox, mut inbox) = mpsc::channel(REPORTS);
    for config in channels {
        let Some(pace) = paces.get(&config.id).cloned() else { continue };
        let name = format!("poller of channel {}", config.id);
        let poll = {
            let (config, pace, outbox, stop) =
                (config.clone(), pace.clone(), outbox.clone(), stop.clone());
            move || {
                let polling =
                    poller::run(config.clone(), pace.clone(), outbox.clone(), stop.clone());
                async move {
                    polling.await;
                    Ok::<_, Infallible>(())
                }
            }
        };
        let stopped = stop.clone();
        tasks.spawn(async move { keep_running(&name, stopped, poll).await });
        tasks.spawn(tell_pace(config.id, pace, hub.clone(), stop.clone()));
    }
    let hub = hub.clone();
    tasks.spawn(async move {
        while let Some(report) = inbox.recv().await {
            if hub.report(report).await.is_err() {
                return;
            }
        }
    });
}

/// Lets the Station know how often it may expect a report.
async fn tell_pace(
    channel: ChannelId,
    mut pace: watch::Receiver<Duration>,
    hub: Hub,
    stop: CancellationToken,
) {
    while stop.run_until_cancelled(pace.changed()).await.is_some_and(|changed| changed.is_ok()) {
        let interval = *pace.borrow_and_update();
        if hub.tell(Event::Paced { channel, interval }).await.is_err() {
            return;
        }
    }
}

/// The one writer of records. It opens the database too: nothing on the live road waits for a disk.
///
/// It ends after the last connection has.
fn start_records(
    configuration: &Configuration,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Records {
    let (records, inbox) = Records::open();
    let (directory, stopped) = (configuration.data_dir.clone(), stop.clone());
    let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
    let (conditions, _) = watch::channel(works);
    let write = move || {
        let policy = store::Policy::default();
        let writing = store::write_records(
            directory.clone(),
            inbox.clone(),
            policy,
            stopped.clone(),
            conditions.clone(),
        );
        async move {
            writing.await;
            Ok::<_, Infallible>(())
        }
    };
    let stop = stop.clone();
    tasks.spawn(async move { keep_running("writer of records", stop, write).await });
    records
}

fn settings(
    configuration: &Configuration,
    integrity: &Integrity,
    stopwatch: Stopwatch,
) -> Settings {
    Settings {
        seal: Seal::new(integrity.algorithm, &integrity.key),
        heartbeat_interval: HEARTBEAT,
        push: configuration.push,
        server_version: env!("CARGO_PKG_VERSION").into(),
        clock: stopwatch.clock(),
    }
}

fn start_serving(
    listener: TcpListener,
    gateway: Gateway,
    first_page: FirstPage,
    tasks: &TaskTracker,
) {
    let options = LeptosOptions::builder().output_name("gapless").build();
    let pages = pages::router(options, move |request| first_page.make(request));
    let router = gateway::router(gateway.clone()).merge(pages);
    tasks.spawn(gateway::serve(listener, router, gateway));
}

type Paces<End> = BTreeMap<ChannelId, End>;

fn paces(
    configuration: &Configuration,
) -> (Paces<watch::Sender<Duration>>, Paces<watch::Receiver<Duration>>) {
    let pairs = configuration.channels.iter().map(|config| {
        let (sender, receiver) = watch::channel(config.poll_interval);
        ((config.id, sender), (config.id, receiver))
    });
    pairs.unzip()
}

fn integrity(configuration: &Configuration) -> anyhow::Result<Integrity> {
    let key = key::integrity_key(&configuration.integrity, &configuration.data_dir)?;
    Ok(Integrity { algorithm: configuration.integrity.algorithm, key })
}

/// New at each start, and later ones sort behind earlier ones.
fn epoch() -> Epoch {
    uuid::Uuid::now_v7().to_string().parse().expect("a UUID is an identifier")
}

/// S0-37: a sign of life every ten seconds.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Reports on their way to the Station; a poller that finds no room waits with its next poll.
const REPORTS: usize = 256;
