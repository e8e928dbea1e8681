//! The handshake of `/ws/uplink`.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use dialect::View as _;
use dialect::uplink::{self, Guest, Uplink};
use futures_util::FutureExt as _;
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use hyper::upgrade::OnUpgrade;
use protocol::id::{ConnectionId, DeviceId, EdgeId};
use protocol::stream::StreamName;
use protocol::wire::CloseCode;
use protocol::wire::native::FailReason;
use protocol::wire::uplink::{SUB_PROTOCOL, seal};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tracing::Instrument as _;

use super::desk::{Call, Edges};
use super::down::{Counts, Descent};
use super::line::{Refusal, examine, offers_ours};
use super::{Neighbour, Post};
use crate::error::ApiError;
use crate::origin;
use crate::trail::{self, Trail};
use crate::wire::Wire;

/// Answers a handshake; what follows goes on in a task of its own.
pub(super) async fn uplink(
    State(post): State<Post>,
    mut request: Request,
) -> Result<Response, ApiError> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    if !origin::is_welcome(request.headers(), &[]) {
        trail::refused(&post.gateway, "", "the page is another site's", peer);
        return Err(ApiError::ForeignOrigin);
    }
    let mut response = create_response_with_body(&request, axum::body::Body::empty)
        .map_err(|error| ApiError::NoHandshake(error.to_string()))?;
    if offers_ours(request.headers()) == Some(true) {
        let ours = HeaderValue::from_static(SUB_PROTOCOL);
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, ours);
    }
    let on_upgrade = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    let caller = examine(&parts, &post.edges);
    let span = tracing::info_span!(
        target: "WebSocket",
        "uplink",
        edge = tracing::field::Empty,
        peer = peer.map(tracing::field::display),
    );
    let tasks = post.gateway.tasks.clone();
    tasks.spawn(attend(post, caller, on_upgrade, peer).instrument(span));
    Ok(response.into_response())
}

async fn attend(
    post: Post,
    caller: Result<Neighbour, Refusal>,
    on_upgrade: OnUpgrade,
    peer: Option<SocketAddr>,
) {
    let Ok(Ok(upgraded)) = timeout(UPGRADE_WITHIN, on_upgrade).await else { return };
    let wire = Wire::new(upgraded).await;
    match caller {
        Ok(edge) => admit(post, &edge, wire, peer).await,
        Err(refusal) => dismiss(&post, &refusal, wire, peer).await,
    }
}

async fn dismiss(post: &Post, refusal: &Refusal, mut wire: Wire, peer: Option<SocketAddr>) {
    let Refusal { reason, detail, edge } = refusal;
    let why = format!("edge `{edge}`: {detail}");
    match reason {
        FailReason::Unauthorized => trail::unauthorized(&post.gateway, edge, &why, peer),
        _ => trail::refused(&post.gateway, edge, &why, peer),
    }
    // The close code says it too.
    let _ = wire.say(&uplink::refusal(*reason, detail, edge, post.gateway.hub.time()));
    let code = match reason {
        FailReason::UnsupportedVersion => CloseCode::Refused,
        _ => CloseCode::Unauthorized,
    };
    wire.hang_up(code).await;
}

async fn admit(post: Post, edge: &Neighbour, wire: Wire, peer: Option<SocketAddr>) {
    let gateway = post.gateway;
    tracing::Span::current().record("edge", tracing::field::display(&edge.id));
    let epoch = gateway.hub.window(&StreamName::System).map(|window| window.epoch().clone());
    let Some(epoch) = epoch else { return wire.hang_up(CloseCode::Restart).await };
    let socket = fresh_id();
    let (letters, inbox) = mpsc::channel(LETTERS);
    let arrived = Call::Arrived { edge: edge.id.clone(), socket: socket.clone(), letters };
    if post.edges.say(arrived).await.is_err() {
        return wire.hang_up(CloseCode::Restart).await;
    }
    let trail = trail(&gateway, edge, &socket);
    trail.opened(peer);
    let guest = Guest {
        edge: edge.id.clone(),
        connection: socket.clone(),
        seal: seal(edge.token.secret()),
        epoch,
        heartbeat_interval: gateway.native.heartbeat_interval,
        server_version: gateway.native.server_version.clone(),
    };
    let descent = Box::new(Descent {
        uplink: Uplink::new(guest, gateway.hub.stopwatch().now()),
        hub: gateway.hub,
        edges: post.edges,
        history: post.history,
        edge: edge.id.clone(),
        socket,
        wire,
        letters: inbox,
        trail,
        stop: gateway.stop,
        storing: None,
        counts: Counts::default(),
    });
    let (edges, leaving) = (descent.edges.clone(), (edge.id.clone(), descent.socket.clone()));
    // A task of its own: what the handshake needed is not held for as long as it lasts.
    gateway.tasks.spawn(serve(descent, edges, leaving).in_current_span());
}

/// Serves an edge; a connection that panics leaves its seat all the same.
async fn serve(descent: Box<Descent>, edges: Edges, (edge, socket): (EdgeId, ConnectionId)) {
    if AssertUnwindSafe(descent.run()).catch_unwind().await.is_err() {
        tracing::error!(target: "WebSocket", "the uplink of {edge} failed: its task panicked");
        // Without a desk there is nobody to tell.
        let _ = edges.say(Call::Departed { edge, socket }).await;
    }
}

/// On record an edge is a device and a user of its own name.
fn trail(gateway: &crate::Gateway, edge: &Neighbour, socket: &ConnectionId) -> Trail {
    let device: DeviceId = edge.id.as_str().parse().expect("edges are named as devices are");
    let guest = dialect::native::Guest {
        device,
        connection: socket.clone(),
        resumed: None,
        user: edge.id.to_string(),
        role: "edge".into(),
        rights: dialect::native::Rights::default(),
    };
    Trail::new(gateway, &guest)
}

fn fresh_id() -> ConnectionId {
    uuid::Uuid::new_v4().to_string().parse().expect("a UUID is an identifier")
}

/// Orders that may wait for an edge; those beyond are refused.
const LETTERS: usize = 64;

/// The edge has its answer at once; only a broken line takes longer.
const UPGRADE_WITHIN: Duration = Duration::from_secs(10);
