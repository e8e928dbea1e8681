//! The handshake of `/ws/device`: which version, who, for which device, and whether there is room.

mod entry;

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Query, Request, State};
use axum::response::{IntoResponse, Response};
use dialect::View as _;
use dialect::native::{self, Guest, Native, Rights};
use engine::{Admission, Arrival, Event};
use futures_util::FutureExt as _;
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::request::Parts;
use hyper::upgrade::OnUpgrade;
use protocol::id::{ConnectionId, DeviceId, IdError, SiteId};
use protocol::stream::StreamName;
use protocol::user::{Right, Scope};
use protocol::wire::CloseCode;
use protocol::wire::native::FailReason;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tracing::Instrument as _;

use crate::connection::Connection;
use crate::error::ApiError;
use crate::following::Following;
use crate::hub::{Hub, Letter, Seat, StationGone};
use crate::metrics::Handshake;
use crate::people::{Origin as From, Standing, Visitor};
use crate::portrait::Origin;
use crate::rest::signin;
use crate::tally::Tally;
use crate::trail::{self, Trail};
use crate::version::Offer;
use crate::wire::Wire;
use crate::{Gateway, insider, origin};
use entry::{Entered, Entry, SignedIn};

/// What a client asks for in the URL. Tokens are not read here, so that no log can show them.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    device_id: Option<String>,
    connection_id: Option<String>,
}

/// Someone at the door, as far as the request tells.
struct Caller {
    device: DeviceId,
    /// An id that cannot be one of ours is as good as none.
    known: Option<ConnectionId>,
    entry: Entry,
    origin: Option<From>,
}

/// When a request came, and from where.
#[derive(Clone, Copy, Debug)]
struct Came {
    at: Instant,
    from: Option<SocketAddr>,
}

/// Why a caller is sent away; said to them once the socket stands.
struct Refusal {
    reason: FailReason,
    detail: String,
    /// The device, as the client wrote it.
    device: String,
}

/// Why no conversation came about.
enum Dismissal {
    Refused(Refusal),
    StationGone,
}

/// Answers a handshake; what follows goes on in a task of its own.
pub(crate) async fn device(
    State(gateway): State<Gateway>,
    mut request: Request,
) -> Result<Response, ApiError> {
    let came = Came { at: Instant::now(), from: from(&request) };
    let metrics = Arc::clone(gateway.hub.metrics());
    if !origin::is_welcome(request.headers(), &gateway.config.origins) {
        trail::refused(&gateway, "", "the page is another site's", came.from);
        metrics.shook_hands(Handshake::ForeignOrigin, came.at.elapsed());
        return Err(ApiError::ForeignOrigin);
    }
    let mut response =
        create_response_with_body(&request, axum::body::Body::empty).map_err(|error| {
            metrics.shook_hands(Handshake::Malformed, came.at.elapsed());
            ApiError::NoHandshake(error.to_string())
        })?;
    let offer = Offer::of(request.headers());
    if let Some(selected) = offer.selected().and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, selected);
    }
    let on_upgrade = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    let caller = examine(&gateway, &parts, &offer);
    if gateway.is_flooded(&parts, caller.as_ref().err(), caller.as_ref().ok()) {
        metrics.shook_hands(Handshake::Unauthorized, came.at.elapsed());
        return Err(ApiError::TooMany);
    }
    let span = tracing::info_span!(
        target: "WebSocket",
        "connection",
        id = tracing::field::Empty,
        peer = came.from.map(tracing::field::display),
    );
    let tasks = gateway.tasks.clone();
    tasks.spawn(attend(gateway, caller, on_upgrade, came).instrument(span));
    Ok(response.into_response())
}

fn examine(gateway: &Gateway, parts: &Parts, offer: &Offer) -> Result<Caller, Refusal> {
    let asked = Query::<Asked>::try_from_uri(&parts.uri).map(|Query(asked)| asked);
    let written = asked.as_ref().ok().and_then(|asked| asked.device_id.as_deref());
    let device: String = written.unwrap_or_default().chars().take(SHOWN).collect();
    let refuse = |reason, detail| Refusal { reason, detail, device: device.clone() };
    if let Offer::Unknown(version) = offer {
        let version: String = version.chars().take(SHOWN).collect();
        let detail = format!("sub-protocol `{version}` is not spoken here");
        return Err(refuse(FailReason::UnsupportedVersion, detail));
    }
    let entry = Entry::of(gateway, parts);
    let entry = entry.map_err(|why| refuse(FailReason::Unauthorized, why))?;
    let not_found = |detail| refuse(FailReason::DeviceNotFound, detail);
    let asked = asked.map_err(|_| not_found("the query cannot be read".into()))?;
    let missing = || not_found("query parameter `device_id` is missing".into());
    let id = asked.device_id.as_deref().ok_or_else(missing)?;
    let id: DeviceId = id.parse().map_err(|error: IdError| not_found(error.to_string()))?;
    if !gateway.hub.has(&StreamName::Device(id.clone())) {
        return Err(not_found(format!("device `{id}` is not configured here")));
    }
    let known = asked.connection_id.and_then(|id| id.parse().ok());
    Ok(Caller { device: id, known, entry, origin: signin::origin(parts).ok() })
}

async fn attend(
    gateway: Gateway,
    caller: Result<Caller, Refusal>,
    on_upgrade: OnUpgrade,
    came: Came,
) {
    let (metrics, peer) = (Arc::clone(gateway.hub.metrics()), came.from);
    let Ok(Ok(upgraded)) = timeout(UPGRADE_WITHIN, on_upgrade).await else {
        return metrics.shook_hands(Handshake::Broken, came.at.elapsed());
    };
    let mut wire = Wire::new(upgraded).await;
    let (letters, inbox) = mpsc::channel(LETTERS);
    let admitted = match caller {
        Ok(caller) => admit(&gateway, caller, &mut wire, letters).await,
        Err(refusal) => Err(Dismissal::Refused(refusal)),
    };
    metrics.shook_hands(result(&admitted), came.at.elapsed());
    match admitted {
        Ok((guest, seat, Stay { standing, signed_in })) => {
            let (tasks, hub) = (gateway.tasks.clone(), gateway.hub.clone());
            let leaving = seat.clone();
            let place = Place { seat, standing, peer };
            let connection = Box::new(connection(gateway, guest, place, wire, inbox));
            // A task of its own: what the handshake needed is not held for as long as it lasts.
            let serve = async move {
                serve(connection, hub, leaving).await;
                drop(signed_in);
            };
            tasks.spawn(serve.in_current_span());
        }
        Err(Dismissal::Refused(refusal)) => {
            let Refusal { reason, detail, device } = refusal;
            match reason {
                FailReason::Unauthorized => trail::unauthorized(&gateway, &device, &detail, peer),
                _ => trail::refused(&gateway, &device, &detail, peer),
            }
            let at = gateway.hub.clock().at(gateway.hub.stopwatch().now());
            // The close code says it too.
            let _ = wire.say(&native::refusal(reason, &detail, &device, at));
            wire.hang_up(code(reason)).await;
        }
        Err(Dismissal::StationGone) => {
            trail::refused(&gateway, "", &StationGone.to_string(), peer);
            wire.hang_up(CloseCode::Restart).await;
        }
    }
}

/// Serves a connection; one that panics leaves its seat all the same.
///
/// In a box: a task that was given it would hold it once for each that it passes through.
async fn serve(connection: Box<Connection>, hub: Hub, seat: Seat) {
    let served = AssertUnwindSafe(connection.run()).catch_unwind().await;
    if served.is_err() {
        tracing::error!(target: "WebSocket", "a connection failed: its task panicked");
        let departed = Event::Departed(seat.connection.clone());
        // Without a Station there is nobody to tell.
        let _ = hub.say(&seat, departed).await;
    }
}

/// Until when somebody is let in, and the sign-in that ends with the socket.
struct Stay {
    standing: Standing,
    signed_in: Option<Box<SignedIn>>,
}

/// Where a socket sits, until when, and from where it came.
struct Place {
    seat: Seat,
    standing: Standing,
    peer: Option<SocketAddr>,
}

async fn admit(
    gateway: &Gateway,
    caller: Caller,
    wire: &mut Wire,
    letters: mpsc::Sender<Letter>,
) -> Result<(Guest, Seat, Stay), Dismissal> {
    let Caller { device, known, entry, origin } = caller;
    let refuse =
        |reason, detail| Dismissal::Refused(Refusal { reason, detail, device: device.to_string() });
    let entered = entry.resolve(gateway, wire, origin).await;
    let Entered { visitor, signed_in } =
        entered.map_err(|why| refuse(FailReason::Unauthorized, why))?;
    let Visitor { person, standing } = visitor;
    let rights = gateway.rights(&person);
    let own = StreamName::Device(device.clone());
    if rights.streams.as_ref().is_some_and(|streams| !streams.contains(&own)) {
        let detail = "this device is not among the sites of this account";
        return Err(refuse(FailReason::Unauthorized, detail.into()));
    }
    let user = gateway.people.is_login_on().then(|| person.user.clone());
    let socket = fresh_id();
    let arrival = Arrival { fresh: socket.clone(), known, device: device.clone(), user };
    match gateway.hub.arrive(arrival, letters).await {
        Err(StationGone) => Err(Dismissal::StationGone),
        Ok(Admission::Full) => {
            let detail = "as many connections as are allowed are open";
            Err(refuse(FailReason::Limit, detail.into()))
        }
        Ok(Admission::Admitted { connection, resumed, .. }) => {
            let seat = Seat { connection: connection.clone(), socket };
            let (user, role) = (person.user.to_string(), person.role.to_string());
            let guest = Guest { device, connection, resumed, user, role, rights };
            Ok((guest, seat, Stay { standing, signed_in }))
        }
    }
}

fn connection(
    gateway: Gateway,
    guest: Guest,
    place: Place,
    wire: Wire,
    letters: mpsc::Receiver<Letter>,
) -> Connection {
    let Place { seat, standing, peer } = place;
    tracing::Span::current().record("id", tracing::field::display(&seat.connection));
    let (device, trail) = (guest.device.clone(), Trail::new(&gateway, &guest));
    let now = gateway.hub.stopwatch().now();
    let origin = Origin::new(&guest, peer, gateway.hub.time());
    // Followed from the start: the stream may have nothing to join yet.
    let mut following = Following::default();
    let own = StreamName::Device(device.clone());
    if let Some(window) = gateway.hub.follow(&own) {
        following.add(own, window);
    }
    Connection {
        dialect: Box::new(Native::new(Arc::clone(&gateway.native), guest, now)),
        tally: Tally::new(Arc::clone(gateway.hub.metrics()), now),
        hub: gateway.hub,
        seat,
        standing,
        device,
        wire,
        letters,
        following,
        origin,
        trail,
        stop: gateway.stop,
    }
}

impl Gateway {
    /// What a person may do on a connection.
    fn rights(&self, person: &identity::Person) -> Rights {
        let in_scope = |site: &SiteId| person.sites.holds(site);
        let is_open = |stream: &StreamName| match stream {
            StreamName::Device(id) => {
                let device = self.plant.devices.iter().find(|device| device.id == *id);
                device.is_some_and(|device| in_scope(&device.site))
            }
            StreamName::Site(site) => in_scope(site),
            _ => true,
        };
        let streams = match person.sites {
            Scope::All => None,
            Scope::Sites(_) => Some(Arc::new(
                self.hub.streams().filter(|stream| is_open(stream)).cloned().collect(),
            )),
        };
        Rights { may_command: person.may(Right::Command), streams }
    }

    /// Whether an address knocks too often without being let in; this machine may.
    fn is_flooded(
        &self,
        request: &Parts,
        refusal: Option<&Refusal>,
        caller: Option<&Caller>,
    ) -> bool {
        let is_unauthorized =
            refusal.is_some_and(|refusal| refusal.reason == FailReason::Unauthorized);
        let is_anonymous = caller.is_some_and(|caller| caller.entry.is_anonymous());
        let Some(peer) = insider::peer(request) else { return false };
        let address = peer.ip().to_canonical();
        (is_unauthorized || is_anonymous)
            && !address.is_loopback()
            && self.knocks.check_key(&address).is_err()
    }
}

fn from(request: &Request) -> Option<SocketAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0)
}

fn result(admitted: &Result<(Guest, Seat, Stay), Dismissal>) -> Handshake {
    match admitted {
        Ok((guest, ..)) if guest.resumed.is_some() => Handshake::Resumed,
        Ok(_) => Handshake::Admitted,
        Err(Dismissal::Refused(refusal)) => Handshake::refused(refusal.reason),
        Err(Dismissal::StationGone) => Handshake::StationGone,
    }
}

fn code(reason: FailReason) -> CloseCode {
    match reason {
        FailReason::DeviceNotFound => CloseCode::UnknownDevice,
        FailReason::Limit => CloseCode::Limit,
        FailReason::Unauthorized => CloseCode::Unauthorized,
        FailReason::UnsupportedVersion => CloseCode::Refused,
    }
}

fn fresh_id() -> ConnectionId {
    uuid::Uuid::new_v4().to_string().parse().expect("a UUID is an identifier")
}

/// As much of a foreign text as an answer repeats.
const SHOWN: usize = 80;

/// Letters of the Station that may wait for one connection; who leaves more unread is closed.
const LETTERS: usize = 16;

/// The client has its answer at once; only a broken line takes longer.
const UPGRADE_WITHIN: Duration = Duration::from_secs(10);
