//! Northbound: every route over HTTP and WebSockets, in one table.

mod caller;
mod connection;
mod deed;
mod driver;
mod error;
mod following;
mod gate;
mod hub;
mod insider;
mod meter;
mod metrics;
mod origin;
mod page_visitor;
mod people;
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

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use dialect::native;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use identity::Need;
use ipnet::IpNet;
use jiff::tz::TimeZone;
use prometheus_client::registry::Registry;
use protocol::point::Plant;
use protocol::user::Right;
use protocol::wire::session::Integrity;
use store::{Audit, CommandHistory, Records};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use gate::Routes;

pub use caller::Encrypted;
pub use driver::run_station;
pub use gate::Rule;
pub use hub::{Desk, Hub, NotReady, Shelf, StationGone};
pub use insider::Token;
pub use metrics::Metrics;
pub use page_visitor::PageVisitor;
pub use people::{
    Denied, FIRST_PASSWORD_FILE, FirstError, FirstSignIn, Keys, People, PeopleDesk, Rules,
    first_sign_in, run_people,
};
pub use rest::logs::{log_heading, log_lines};
pub use serve::{bind, bind_patiently, serve, serve_aside};
pub use stopwatch::Stopwatch;
pub use tls::{Exchange, Source, Tls, TlsError, Trust, keep_certificate, usual_names};
pub use uplink::{
    Ascent, EdgeDesk, Edges, Neighbour, center_router, center_rules, device_here, run_edge,
    run_edge_desk,
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
    pub people: People,
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
    people: People,
    config: Arc<Config>,
    registry: Arc<Registry>,
    /// Handshakes that nobody was let in by, by address.
    knocks: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    /// Everything that must have ended before the process does.
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Gateway {
    /// A gateway that serves until `stop`.
    pub fn new(setup: Setup, stop: CancellationToken) -> Self {
        let Setup { hub, plant, native, records, commands, audit, people, config } = setup;
        let (native, config) = (Arc::new(native), Arc::new(config));
        let registry = Arc::new(metrics::registry(&hub, &stop));
        let knocks = Arc::new(RateLimiter::keyed(Quota::per_minute(KNOCKS)));
        let tasks = TaskTracker::new();
        Self {
            hub,
            plant,
            native,
            records,
            commands,
            audit,
            people,
            config,
            registry,
            knocks,
            tasks,
            stop,
        }
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
    let routes = routes(&gateway);
    finish(routes.into_router(), gateway)
}

/// Every route but the pages, and whom each is for.
pub fn rules(gateway: &Gateway) -> Vec<Rule> {
    routes(gateway).rules().to_vec()
}

/// Only what those need who watch over the process.
pub fn watchers_router(gateway: Gateway) -> Router {
    finish(watched(&gateway).into_router(), gateway)
}

fn routes(gateway: &Gateway) -> Routes<Gateway> {
    let (watch, admin) = (Need::Right(Right::Watch), Need::Right(Right::Administer));
    let records = Need::Right(Right::Records);
    watched(gateway)
        .get("/api/audit", records, rest::audit::page)
        .get("/api/audit.csv", records, rest::audit::sheet)
        .get("/api/commands", watch, rest::commands::page)
        .get("/api/commands.csv", watch, rest::commands::sheet)
        .get("/api/connections", Need::Insider, rest::connections::slowest)
        .get("/api/devices", watch, rest::devices::list)
        .get("/api/devices/{id}", watch, rest::devices::one)
        .post("/api/login", Need::Nobody, rest::signin::login)
        .post("/api/logout", Need::Own, rest::signin::logout)
        .get("/api/logs/websocket", records, rest::logs::page)
        .get("/api/logs/websocket.csv", records, rest::logs::sheet)
        .post("/api/password", Need::Own, rest::signin::password)
        .post("/api/refresh", Need::Nobody, rest::signin::refresh)
        .get("/api/session", Need::Own, rest::session::grant)
        .get("/api/sessions", admin, rest::accounts::sessions)
        .delete("/api/sessions/{id}", admin, rest::accounts::end)
        .get("/api/sign-ins", Need::Own, rest::signin::sign_ins)
        .post("/api/tokens", admin, rest::tokens::issue)
        .post("/api/unlock", Need::Own, rest::signin::unlock)
        .get("/api/users", admin, rest::accounts::list)
        .post("/api/users", admin, rest::accounts::add)
        .put("/api/users/{name}", admin, rest::accounts::change)
        .delete("/api/users/{name}", admin, rest::accounts::remove)
        .post("/api/users/{name}/unlock", admin, rest::accounts::unlock)
        .socket("/ws/device", watch, upgrade::device)
}

fn watched(gateway: &Gateway) -> Routes<Gateway> {
    Routes::new(gateway)
        .get("/livez", Need::Nobody, rest::health::livez)
        .get("/metrics", Need::Insider, rest::metrics::text)
        .get("/readyz", Need::Nobody, rest::health::readyz)
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

/// So many handshakes a minute may fail from one address (`native-wire` 9).
const KNOCKS: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

/// No request of ours has a body worth more.
const LARGEST_BODY: usize = 64 * 1024;

/// Nothing here takes long; whoever waits longer is told so.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
