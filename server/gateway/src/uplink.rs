//! Between an edge and its center: the edge dials up, and the center hands orders down.

mod center;
mod desk;
mod down;
mod edge;
mod line;
mod rest;

use axum::Router;
use axum::extract::FromRef;
use identity::Need;
use protocol::id::{DeviceId, EdgeId};
use protocol::user::Right;
use store::Center;

use crate::gate::{Routes, Rule};
use crate::insider::Token;
use crate::{Gateway, finish};

pub use desk::{EdgeDesk, Edges, run_edge_desk};
pub use edge::{Ascent, run_edge};

/// An edge that a center expects.
#[derive(Clone, Debug)]
pub struct Neighbour {
    pub id: EdgeId,
    pub token: Token,
    /// As the edge calls them; here each is called `<edge>:<device>`.
    pub devices: Vec<DeviceId>,
}

/// What the routes of a center share.
#[derive(Clone, Debug)]
struct Post {
    gateway: Gateway,
    edges: Edges,
    history: Center,
}

impl FromRef<Post> for Gateway {
    fn from_ref(post: &Post) -> Self {
        post.gateway.clone()
    }
}

/// The routes that only a center has.
pub fn center_router(gateway: Gateway, edges: Edges, history: Center) -> Router {
    let post = Post { gateway: gateway.clone(), edges, history };
    finish(center_routes(&gateway).into_router().with_state(post), gateway)
}

/// The routes that only a center has, and whom each is for.
pub fn center_rules(gateway: &Gateway) -> Vec<Rule> {
    center_routes(gateway).rules().to_vec()
}

fn center_routes(gateway: &Gateway) -> Routes<Post> {
    let watch = Need::Right(Right::Watch);
    Routes::new(gateway)
        .get("/api/edges", watch, rest::list)
        .get("/api/edges/{id}/history", watch, rest::history)
        // Edges have tokens of their own.
        .socket("/ws/uplink", Need::Nobody, center::uplink)
}

/// How a center calls a device of an edge.
pub fn device_here(edge: &EdgeId, device: &DeviceId) -> Option<DeviceId> {
    format!("{edge}:{device}").parse().ok()
}
