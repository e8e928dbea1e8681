//! Makes the tasks and the queues between them, in the order of the road.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use config::Configuration;
use dialect::native::Settings;
use engine::{Event, Journal, Limits, Setup};
use field::map::ChannelConfig;
use field::{poller, simulator::Board};
use gateway::{Gateway, Hub, Stopwatch};
use leptos::config::LeptosOptions;
use protocol::digest::Seal;
use protocol::id::ChannelId;
use protocol::journal::Past;
use protocol::part::{Condition, Part, PartState};
use protocol::wire::session::Integrity;
use store::Records;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::first_page::FirstPage;
use crate::supervise::keep_running;
use crate::{key, pages};

/// Everything that runs, and the way to change what may change.
pub(crate) struct Running {
    pub address: SocketAddr,
    pub hub: Hub,
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

/// Starts everything that is configured; it runs until `stop`. `None` where that came first.
pub(crate) async fn start(
    configuration: &Configuration,
    boards: Vec<Board>,
    timed: bool,
    stop: CancellationToken,
) -> anyhow::Result<Option<Running>> {
    let listener = gateway::bind_patiently(configuration.listen, &stop)
        .await
        .with_context(|| format!("cannot listen on {}", configuration.listen))?;
    let Some(listener) = listener else { return Ok(None) };
    let address = listener.local_addr()?;
    let integrity = integrity(configuration)?;
    let stopwatch = Stopwatch::start();
    let plant = Arc::new(configuration.plant.clone());
    let tasks = TaskTracker::new();

    for board in boards {
        tasks.spawn(board.run(stop.clone()));
    }
    let (senders, paces) = paces(configuration);
    // The last sockets are closed by a Station that still runs.
    let stop_station = CancellationToken::new();
    let hub = start_station(configuration, &paces, stopwatch, &tasks, &stop_station).await;
    start_pollers(&configuration.channels, &paces, &hub, &tasks, &stop);
    tasks.spawn(follow_clock(hub.clone(), stop.clone()));
    let first_page = FirstPage {
        hub: hub.clone(),
        plant: Arc::clone(&plant),
        paces: Arc::new(paces),
        snapshot_interval: configuration.push.full_snapshot_interval,
    };
    let setup = gateway::Setup {
        records: start_records(configuration, &hub, &tasks, &stop),
        hub: hub.clone(),
        plant,
        native: Settings { timed, ..settings(configuration, &integrity) },
        config: gateway_config(configuration, integrity),
    };
    let gateway = Gateway::new(setup, stop.clone());
    if let Some(address) = configuration.metrics.listen {
        start_watching(address, &gateway, &tasks, &stop_station);
    }
    start_serving(listener, address, gateway, first_page, &tasks, stop_station);
    Ok(Some(Running { address, hub, paces: senders, tasks }))
}

/// The one writer of all streams, started again where it fails; and the journal that lets it, and
/// the next process, go on where it was.
async fn start_station(
    configuration: &Configuration,
    paces: &BTreeMap<ChannelId, watch::Receiver<Duration>>,
    stopwatch: Stopwatch,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Hub {
    let (disk, inbox) = store::Journal::open();
    let past = store::read_past(&configuration.data_dir, READ_PAST_WITHIN).await;
    let past = past.unwrap_or_else(|error| {
        tracing::error!("nothing of the time before is known: {error}");
        Past::default()
    });
    let journal = Journal::after(past, stopwatch.clock().at(stopwatch.now()));
    let (hub, desk) = Hub::open(&configuration.plant, journal, disk, stopwatch);
    let desk = Arc::new(Mutex::new(desk));
    let setup = {
        let (plant, push) = (configuration.plant.clone(), configuration.push);
        let paces = paces.clone();
        move || Setup {
            plant: plant.clone(),
            intervals: paces.iter().map(|(id, pace)| (*id, *pace.borrow())).collect(),
            push,
            limits: Limits::default(),
        }
    };
    let stopped = stop.clone();
    let run = move || {
        let running = gateway::run_station(Arc::clone(&desk), setup(), stopped.clone());
        async move {
            running.await;
            Ok::<_, Infallible>(())
        }
    };
    let (stopped, ended) = (stop.clone(), CancellationToken::new());
    start_journal(configuration, inbox, &hub, tasks, ended.clone());
    tasks.spawn(async move {
        keep_running("station", stopped, run).await;
        ended.cancel();
    });
    hub
}

/// Brings to the disk what the Station keeps. It ends by itself once the Station has `ended` and all
/// is written; a disk that fails just then is not waited for much longer.
fn start_journal(
    configuration: &Configuration,
    inbox: store::JournalInbox,
    hub: &Hub,
    tasks: &TaskTracker,
    ended: CancellationToken,
) {
    let conditions = tell_condition(Part::Journal, hub, tasks, &ended);
    let stop = CancellationToken::new();
    let (directory, stopped) = (configuration.data_dir.clone(), stop.clone());
    let write = move || {
        let policy = store::JournalPolicy::default();
        let writing = store::write_journal(
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
    tasks.spawn(async move {
        let mut writing = pin!(keep_running("writer of the journal", stop.clone(), write));
        let last_moment = async {
            ended.cancelled().await;
            sleep(LAST_WRITE).await;
        };
        tokio::select! {
            () = &mut writing => return,
            () = last_moment => stop.cancel(),
        }
        writing.await;
    });
}

/// Lets everyone who follows the stream `system` know how a part of the server fares.
fn tell_condition(
    part: Part,
    hub: &Hub,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> watch::Sender<Condition> {
    let working = Condition { since: hub.time(), state: PartState::Working, why: None };
    let (sender, mut receiver) = watch::channel(working);
    let (hub, stop) = (hub.clone(), stop.clone());
    tasks.spawn(async move {
        loop {
            let condition = receiver.borrow_and_update().clone();
            if hub.tell(Event::Fared { part, condition }).await.is_err() {
                return;
            }
            let changed = stop.run_until_cancelled(receiver.changed()).await;
            if changed.is_none_or(|changed| changed.is_err()) {
                return;
            }
        }
    });
    sender
}

/// Follows the machine's wall clock, which somebody may set.
async fn follow_clock(hub: Hub, stop: CancellationToken) {
    let stopwatch = hub.stopwatch();
    while stop.run_until_cancelled(sleep(LOOK_AT_CLOCK)).await.is_some() {
        let (clock, now) = (stopwatch.clock(), stopwatch.now());
        let (told, shown) = (hub.time(), clock.at(now));
        if told.since(shown).max(shown.since(told)) < CLOCK_TOLERANCE {
            continue;
        }
        tracing::warn!("the clock was set from {told} to {shown}");
        if hub.tell(Event::ClockSet(clock)).await.is_err() {
            return;
        }
    }
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
        while let Some(polled) = inbox.recv().await {
            hub.metrics().polled(&polled.report, polled.took);
            if hub.report(polled.report, polled.at).await.is_err() {
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
    hub: &Hub,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Records {
    let (records, inbox) = Records::open();
    let conditions = tell_condition(Part::Records, hub, tasks, stop);
    let (directory, stopped) = (configuration.data_dir.clone(), stop.clone());
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

fn settings(configuration: &Configuration, integrity: &Integrity) -> Settings {
    Settings {
        seal: Seal::new(integrity.algorithm, &integrity.key),
        heartbeat_interval: HEARTBEAT,
        push: configuration.push,
        server_version: env!("CARGO_PKG_VERSION").into(),
        timed: false,
    }
}

/// Serves those who watch over the process at an address of their own, up to the last goodbye.
fn start_watching(
    address: SocketAddr,
    gateway: &Gateway,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let (router, stopped) = (gateway::watchers_router(gateway.clone()), stop.clone());
    let serve = move || {
        let (router, stop) = (router.clone(), stopped.clone());
        async move {
            if let Some(listener) = gateway::bind_patiently(address, &stop).await? {
                gateway::serve_aside(listener, router, stop).await;
            }
            Ok::<_, io::Error>(())
        }
    };
    let stop = stop.clone();
    tasks.spawn(async move { keep_running("listener of the metrics", stop, serve).await });
}

/// Serves pages and sockets; a listener that fails opens its port again. The Station stops when the
/// last socket has been closed.
fn start_serving(
    listener: TcpListener,
    address: SocketAddr,
    gateway: Gateway,
    first_page: FirstPage,
    tasks: &TaskTracker,
    stop_station: CancellationToken,
) {
    let options = LeptosOptions::builder().output_name("gapless").build();
    let pages = pages::router(options, move |request| first_page.make(request));
    let router = gateway::router(gateway.clone()).merge(pages);
    let stop = gateway.stopped().clone();
    let first = Arc::new(Mutex::new(Some(listener)));
    let serve = {
        let stop = stop.clone();
        move || {
            let (first, stop) = (Arc::clone(&first), stop.clone());
            let (router, gateway) = (router.clone(), gateway.clone());
            async move {
                let listener = match first.lock().await.take() {
                    Some(listener) => Some(listener),
                    None => gateway::bind_patiently(address, &stop).await?,
                };
                if let Some(listener) = listener {
                    gateway::serve(listener, router, gateway).await;
                }
                Ok::<_, io::Error>(())
            }
        }
    };
    tasks.spawn(async move {
        let _stop_station = stop_station.drop_guard();
        keep_running("listener", stop, serve).await;
    });
}

fn gateway_config(configuration: &Configuration, integrity: Integrity) -> gateway::Config {
    let token = configuration.metrics.token.clone().map(gateway::Token::new);
    gateway::Config { origins: configuration.origins.clone(), integrity, token }
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

/// S0-37: a sign of life every ten seconds.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// A disk that takes longer to be read keeps nobody waiting: the server has to be back within three
/// seconds (S0-69).
const READ_PAST_WITHIN: Duration = Duration::from_millis(1500);

/// How long a disk that fails may hold up the end of the process.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// How soon a clock that was set is noticed, and how far it may drift unnoticed.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(1);
const CLOCK_TOLERANCE: Duration = Duration::from_millis(500);

/// Reports on their way to the Station; a poller that finds no room waits with its next poll.
const REPORTS: usize = 256;
