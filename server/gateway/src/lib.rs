//! Northbound: every route over HTTP and WebSockets, in one table.

mod caller;
mod connection;
mod deed;
mod driver;
mod error;
mod following;
mod hub;
mod identity;
mod insider;
mod meter;
mod metrics;
mod origin;
mod portrait;
mod rest;
mod serve;
mod stopwatch;
mod tally;
mod tls;
mod trail;
mod upgrade;
mod uplink;
mod version;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, any, get};
use dialect::native;
use http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use ipnet::IpNet;
use jiff::tz::TimeZone;
use prometheus_client::registry::Registry;
use protocol::point::Plant;
use protocol::wire::session::Integrity;
use store::{Audit, CommandHistory, Records};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

pub use caller::Encrypted;
pub use driver::run_station;
pub use hub::{Desk, Hub, NotReady, Shelf, StationGone};
pub use insider::Token;
pub use metrics::Metrics;
pub use serve::{bind, bind_patiently, serve, serve_aside};
pub use stopwatch::Stopwatch;
pub use tls::{Exchange, Source, Tls, TlsError, keep_certificate, usual_names};
pub use uplink::{
    Ascent, EdgeDesk, Edges, Neighbour, center_router, device_here, run_edge, run_edge_desk,
};

/// What the operator may set about the gateway.
#[derive(Clone, Debug)]
pub struct Config {
    /// Origins beside the server's own whose pages may open sockets, such as `https://host:8443`.
    pub origins: Vec<String>,
    pub integrity: Integrity,
    /// Which proxies are believed when they say for whom they ask.
    pub proxies: Vec<IpNet>,
    /// `None` where callers speak in the open.
    pub tls: Option<Tls>,
    /// What opens `/metrics` and `/api/connections` to more than this machine.
    pub token: Option<Token>,
}

/// What a gateway is given to start with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub hub: Hub,
    pub plant: Arc<Plant>,
    pub native: native::Settings,
    pub records: Records,
    pub commands: CommandHistory,
    pub audit: Audit,
    pub config: Config,
}

/// What every handler shares. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway {
    hub: Hub,
    plant: Arc<Plant>,
    native: Arc<native::Settings>,
    records: Records,
    commands: CommandHistory,
    audit: Audit,
    config: Arc<Config>,
    registry: Arc<Registry>,
    /// Everything that must have ended before the process does.
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Gateway {
    /// A gateway that serves until `stop`.
    pub fn new(setup: Setup, stop: CancellationToken) -> Self {
        let Setup { hub, plant, native, records, commands, audit, config } = setup;
        let (native, config) = (Arc::new(native), Arc::new(config));
        let registry = Arc::new(metrics::registry(&hub, &stop));
        let tasks = TaskTracker::new();
        Self { hub, plant, native, records, commands, audit, config, registry, tasks, stop }
    }

    /// The zone of what concerns the server as a whole: that of its first site.
    fn zone(&self) -> Option<TimeZone> {
        self.plant.sites.first().and_then(|site| TimeZone::get(&site.zone).ok())
    }

    /// Cancelled when it is time to stop.
    pub fn stopped(&self) -> &CancellationToken {
        &self.stop
    }
}

/// Every route but the pages; it has no fallback.
pub fn router(gateway: Gateway) -> Router {
    let routes = watched()
        .route("/api/audit", inside(rest::audit::page))
        .route("/api/audit.csv", inside(rest::audit::sheet))
        .route("/api/commands", get(rest::commands::page))
        .route("/api/commands.csv", get(rest::commands::sheet))
        .route("/api/connections", inside(rest::connections::slowest))
        .route("/api/devices", get(rest::devices::list))
        .route("/api/devices/{id}", get(rest::devices::one))
        .route("/api/logs/websocket", inside(rest::logs::page))
        .route("/api/logs/websocket.csv", inside(rest::logs::sheet))
        .route("/api/session", get(rest::session::grant))
        .route("/ws/device", any(upgrade::device));
    finish(routes, gateway)
}

/// Only what those need who watch over the process.
pub fn watchers_router(gateway: Gateway) -> Router {
    finish(watched(), gateway)
}

fn watched() -> Router<Gateway> {
    Router::new()
        .route("/livez", get(rest::health::livez))
        .route("/metrics", inside(rest::metrics::text))
        .route("/readyz", get(rest::health::readyz))
}

/// A route that gives itself away to nobody, whatever they try.
fn inside<H: Handler<T, Gateway>, T: 'static>(handler: H) -> MethodRouter<Gateway> {
    get(handler).fallback(async || StatusCode::NOT_FOUND)
}

fn finish(routes: Router<Gateway>, gateway: Gateway) -> Router {
    let header = SetResponseHeaderLayer::overriding;
    routes
        .layer(header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(header(REFERRER_POLICY, HeaderValue::from_static("no-referrer")))
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_WITHIN))
        .with_state(gateway)
}

/// No request of ours has a body worth more.
const LARGEST_BODY: usize = 64 * 1024;

/// Nothing here takes long; whoever waits longer is told so.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
