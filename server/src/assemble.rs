//! Makes the tasks and the queues between them, in the order of the road.

mod jobs;
mod orders;
mod parts;
mod people;
mod pscada;
mod station;
mod tls;
mod uplink;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use config::Configuration;
use dialect::native::Settings;
use engine::Event;
use field::map::ChannelConfig;
use field::poller::{self, News};
use field::simulator::Board;
use field::work::Jobs;
use gateway::{FirstSignIn, Gateway, Hub, People, Stopwatch, Tls};
use leptos::config::LeptosOptions;
use protocol::digest::Seal;
use protocol::id::ChannelId;
use protocol::point::Plant;
use protocol::wire::session::Integrity;
use store::{Action, Audit, CommandHistory, Deed, Records};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::jobs::{Ways, hand_out};
use self::orders::start_commands;
use self::parts::{start_audit, start_records};
use self::people::open_people;
use self::pscada::start_slave;
use self::station::{Orders, follow_clock, start_station};
use self::tls::{open_tls, start_certificate};
use self::uplink::{start_center, start_edge};
use crate::first_page::FirstPage;
use crate::paces::Paces;
use crate::supervise::{keep_alive, keep_running};
use crate::{key, pages};

/// Everything that runs, and the way to change what may change.
pub(crate) struct Running {
    pub address: SocketAddr,
    pub is_encrypted: bool,
    /// How the first administrator signs in, where there was nobody.
    pub first: Option<FirstSignIn>,
    pub hub: Hub,
    audit: Audit,
    paces: Paces,
    tasks: TaskTracker,
}

impl Running {
    /// Polls a channel at another pace from now on, and pushes at the same (S0-11).
    pub(crate) fn set_pace(&self, channel: ChannelId, interval: Duration) {
        let before = self.paces.all().get(&channel).map(|pace| format!("{pace:?}"));
        self.audit.append(Deed {
            before,
            after: Some(format!("{interval:?}")),
            ..deed(Action::Configured, &format!("channel {channel} poll_interval"), &self.hub)
        });
        self.paces.set(channel, interval);
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
    let Some(listener) = open_port(configuration, &stop).await? else { return Ok(None) };
    let address = listener.local_addr()?;
    let integrity = integrity(configuration)?;
    let stopwatch = Stopwatch::start();
    let now = stopwatch.clock().at(stopwatch.now());
    let entrance = open_people(configuration, now).await?;
    let (tls, exchange) = open_tls(configuration, now)?.unzip();
    let plant = Arc::new(configuration.plant.clone());
    let tasks = TaskTracker::new();

    boards.into_iter().for_each(|board| drop(tasks.spawn(board.run(stop.clone()))));
    // The last sockets are closed by a Station that still runs.
    let stop_station = CancellationToken::new();
    let backlog = configuration.uplink.as_ref().map(|_| store::Backlog::open());
    let rows = backlog.as_ref().map(|(backlog, _)| backlog.clone());
    let (audit, deeds) = Audit::open();
    let (orders, shelf) = Orders::open(configuration, rows, audit.clone(), stopwatch).await;
    let (paces, commands) = (orders.paces.clone(), orders.commands.history());
    let ended = orders.ended.clone();
    let (hub, todo) =
        start_station(configuration, shelf, &orders, stopwatch, &tasks, &stop_station);
    start_commands(configuration, orders, &hub, &tasks);
    start_audit(configuration, deeds, &hub, &tasks, &ended);
    let boards = start_pollers(&configuration.channels, &paces, &hub, &tasks, &stop);
    if let Some(backlog) = backlog {
        start_edge(configuration, backlog, &hub, &tasks, &ended, &stop);
    }
    let center = start_center(configuration, &hub, &tasks, &stop_station);
    let edges = center.as_ref().map(|(edges, _)| edges.clone());
    let ways = Ways { boards, edges, paces: paces.clone() };
    tasks.spawn(hand_out(todo, ways, hub.clone()));
    if let Some(config) = configuration.pscada.clone() {
        start_slave(config, &hub, &tasks, &stop);
    }
    tasks.spawn(follow_clock(hub.clone(), stop.clone()));
    let records = start_records(configuration, &hub, &tasks, &stop);
    let (people, first) = entrance.open(&hub, (&records, &audit), &tasks, &stop);
    if let Some(exchange) = exchange {
        start_certificate(exchange, &hub, &tasks, &stop);
    }
    let first_page = first_page(configuration, &hub, &plant, &paces);
    let native = Settings { timed, ..settings(configuration, &integrity) };
    let config = gateway_config(configuration, integrity, tls.clone());
    let (hub_here, audit_here) = (hub.clone(), audit.clone());
    let parts = (hub_here, plant, native, records);
    let setup = setup(parts, (commands, audit_here, people, config));
    let gateway = Gateway::new(setup, stop.clone());
    if let Some(address) = configuration.metrics.listen {
        start_watching(address, &gateway, &tasks, &stop_station);
    }
    let mut router = gateway::router(gateway.clone());
    if let Some((edges, history)) = center {
        router = router.merge(gateway::center_router(gateway.clone(), edges, history));
    }
    start_serving((listener, address), gateway, router, first_page, &tasks, stop_station);
    audit.append(deed(Action::Started, env!("CARGO_PKG_VERSION"), &hub));
    let is_encrypted = tls.is_some();
    Ok(Some(Running { address, is_encrypted, first, hub, audit, paces, tasks }))
}

fn setup(
    (hub, plant, native, records): (Hub, Arc<Plant>, Settings, Records),
    (commands, audit, people, config): (CommandHistory, Audit, People, gateway::Config),
) -> gateway::Setup {
    gateway::Setup { hub, plant, native, records, commands, audit, people, config }
}

async fn open_port(
    configuration: &Configuration,
    stop: &CancellationToken,
) -> anyhow::Result<Option<TcpListener>> {
    let bound = gateway::bind_patiently(configuration.listen, stop).await;
    bound.with_context(|| format!("cannot listen on {}", configuration.listen))
}

fn first_page(
    configuration: &Configuration,
    hub: &Hub,
    plant: &Arc<Plant>,
    paces: &Paces,
) -> FirstPage {
    FirstPage {
        hub: hub.clone(),
        plant: Arc::clone(plant),
        paces: paces.clone(),
        snapshot_interval: configuration.push.full_snapshot_interval,
        notice: configuration.auth.notice.clone().unwrap_or_default(),
        is_login_on: configuration.auth.enabled,
        lock_after: configuration.auth.lock_after,
    }
}

/// What the server does by itself, for the audit trail.
fn deed(action: Action, target: &str, hub: &Hub) -> Deed {
    Deed {
        at: hub.time(),
        user: "gapless".into(),
        role: None,
        origin: "this server".into(),
        action,
        target: target.into(),
        before: None,
        after: None,
        is_done: true,
        detail: String::new(),
    }
}

/// One poller a channel, each started again if it fails; the answer is where each takes its jobs.
fn start_pollers(
    channels: &[ChannelConfig],
    paces: &Paces,
    hub: &Hub,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> BTreeMap<ChannelId, Jobs> {
    let (outbox, inbox) = mpsc::channel(REPORTS);
    let mut boards = BTreeMap::new();
    for config in channels {
        let Some(pace) = paces.follow(config.id) else { continue };
        let (jobs, todo) = Jobs::open();
        boards.insert(config.id, jobs);
        let name = format!("poller of channel {}", config.id);
        let poll = {
            let (config, pace, outbox, stop) =
                (config.clone(), pace.clone(), outbox.clone(), stop.clone());
            move || {
                let (pace, todo, outbox) = (pace.clone(), todo.clone(), outbox.clone());
                poller::run(config.clone(), pace, todo, outbox, stop.clone())
            }
        };
        let stopped = stop.clone();
        tasks.spawn(async move { keep_alive(&name, stopped, poll).await });
        tasks.spawn(tell_pace(config.id, pace, hub.clone(), stop.clone()));
    }
    tasks.spawn(bring(inbox, hub.clone()));
    boards
}

/// Brings the Station what pollers tell, in their order.
async fn bring(mut inbox: mpsc::Receiver<News>, hub: Hub) {
    while let Some(news) = inbox.recv().await {
        let told = match news {
            News::Polled(polled) => {
                hub.metrics().polled(&polled.report, polled.took);
                hub.report(polled.report, polled.at).await
            }
            News::ReadBack { report, at } => hub.report(report, at).await,
            News::Executed { key, execution } => hub.tell(Event::Executed { key, execution }).await,
        };
        if told.is_err() {
            return;
        }
    }
}

/// Lets the Station know how often it may expect a report.
async fn tell_pace(
    channel: ChannelId,
    mut pace: tokio::sync::watch::Receiver<Duration>,
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

fn settings(configuration: &Configuration, integrity: &Integrity) -> Settings {
    let previous = configuration.integrity.previous_key.as_ref();
    Settings {
        seal: Seal::new(integrity.algorithm, &integrity.key),
        former_seal: previous.map(|key| Seal::new(integrity.algorithm, key)),
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
    (listener, address): (TcpListener, SocketAddr),
    gateway: Gateway,
    router: Router,
    first_page: FirstPage,
    tasks: &TaskTracker,
    stop_station: CancellationToken,
) {
    let options = LeptosOptions::builder().output_name("gapless").build();
    let doorkeeper = gateway.clone();
    let who = move |request: &_| doorkeeper.page_visitor(request);
    let pages = pages::router(options, who, move |request| first_page.make(request));
    let router = router.merge(pages);
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

fn gateway_config(
    configuration: &Configuration,
    integrity: Integrity,
    tls: Option<Tls>,
) -> gateway::Config {
    let token = configuration.metrics.token.clone().map(gateway::Token::new);
    let (origins, proxies) = (configuration.origins.clone(), configuration.trusted_proxies.clone());
    gateway::Config { origins, integrity, proxies, tls, token }
}

fn integrity(configuration: &Configuration) -> anyhow::Result<Integrity> {
    let key = key::integrity_key(&configuration.integrity, &configuration.data_dir)?;
    Ok(Integrity { algorithm: configuration.integrity.algorithm, key })
}

/// S0-37: a sign of life every ten seconds.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Reports on their way to the Station; a poller that finds no room waits with its next poll.
const REPORTS: usize = 256;
