//! The way up to a center, and the way down from one.

use std::sync::Arc;

use config::Configuration;
use gateway::{Ascent, Edges, Hub, Neighbour};
use protocol::part::Part;
use store::{Backlog, BacklogInbox, Center};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::parts::tell_condition;
use crate::supervise::keep_alive;

/// Keeps what the center is to be told, and tells it until `stop`. The backlog's writer ends after
/// the Station has `ended`.
pub(super) fn start_edge(
    configuration: &Configuration,
    (backlog, inbox): (Backlog, BacklogInbox),
    hub: &Hub,
    tasks: &TaskTracker,
    ended: &CancellationToken,
    stop: &CancellationToken,
) {
    let Some(uplink) = configuration.uplink.clone() else { return };
    let conditions = tell_condition(Part::Backlog, hub, tasks, ended);
    let (directory, stopped) = (configuration.data_dir.clone(), ended.clone());
    let write = move || {
        let policy = store::BacklogPolicy::default();
        let (directory, inbox) = (directory.clone(), inbox.clone());
        store::write_backlog(directory, inbox, policy, stopped.clone(), conditions.clone())
    };
    let stopped = ended.clone();
    tasks.spawn(async move { keep_alive("writer of the backlog", stopped, write).await });
    let devices = configuration.plant.devices.iter().map(|device| device.id.clone()).collect();
    let config::Uplink { url, edge, token, .. } = uplink;
    let ascent = Ascent { url, edge, token, devices };
    let (hub, stopped) = (hub.clone(), stop.clone());
    let climb =
        move || gateway::run_edge(ascent.clone(), hub.clone(), backlog.clone(), stopped.clone());
    let stop = stop.clone();
    tasks.spawn(async move { keep_alive("uplink", stop, climb).await });
}

/// The desk for edges, and the one writer of what they tell; `None` where this is no center. Both
/// end after the last connection has.
pub(super) fn start_center(
    configuration: &Configuration,
    hub: &Hub,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Option<(Edges, Center)> {
    if configuration.role != config::Role::Center {
        return None;
    }
    let (history, inbox) = Center::open();
    let conditions = tell_condition(Part::History, hub, tasks, stop);
    let (directory, stopped) = (configuration.data_dir.clone(), stop.clone());
    let write = move || {
        let policy = store::CenterPolicy::default();
        let (directory, inbox) = (directory.clone(), inbox.clone());
        store::write_center(directory, inbox, policy, stopped.clone(), conditions.clone())
    };
    let stopped = stop.clone();
    tasks.spawn(async move { keep_alive("writer of edges' history", stopped, write).await });
    let neighbour = |edge: &config::Edge| Neighbour {
        id: edge.id.clone(),
        token: gateway::Token::new(edge.token.clone()),
        devices: edge.devices.clone(),
    };
    let neighbours = configuration.edges.iter().map(neighbour).collect();
    let (edges, desk) = Edges::open(neighbours, history.clone());
    let (desk, hub, stopped) = (Arc::new(Mutex::new(desk)), hub.clone(), stop.clone());
    let run = move || gateway::run_edge_desk(Arc::clone(&desk), hub.clone(), stopped.clone());
    let stop = stop.clone();
    tasks.spawn(async move { keep_alive("desk for edges", stop, run).await });
    Some((edges, history))
}
