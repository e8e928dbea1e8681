//! PSCADA's link: what its masters read comes from the streams, what they write becomes an order.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use dialect::View as _;
use engine::Event;
use field::slave::{SlaveConfig, Surroundings, Verdict, Wish};
use gateway::Hub;
use protocol::command::{Order, OrderKey, Origin};
use protocol::device::Peer;
use protocol::id::{DeviceId, PointKey};
use protocol::reading::Reading;
use protocol::stream::StreamName;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::supervise::keep_running;

/// Serves PSCADA until `stop`; a port that is taken is tried again.
pub(super) fn start_slave(
    config: SlaveConfig,
    hub: &Hub,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let (wishes, inbox) = mpsc::channel(WISHES);
    let (reach, reached) = watch::channel(BTreeSet::new());
    let source = {
        let hub = hub.clone();
        Arc::new(move |device: &DeviceId| readings(&hub, device))
    };
    let serve = {
        let stop = stop.clone();
        move || {
            let (source, wishes, reach) = (source.clone(), wishes.clone(), reach.clone());
            let surroundings = Surroundings { source, wishes, reach };
            let (config, stop) = (config.clone(), stop.clone());
            async move { field::slave::run(config, surroundings, stop).await.map_err(Unheard) }
        }
    };
    let stopped = stop.clone();
    tasks.spawn(async move { keep_running("PSCADA's link", stopped, serve).await });
    tasks.spawn(grant(inbox, hub.clone(), stop.clone()));
    tasks.spawn(tell_reach(reached, hub.clone(), stop.clone()));
}

/// Masters cannot be heard.
#[derive(Debug, thiserror::Error)]
#[error("PSCADA cannot be listened to: {0}")]
struct Unheard(io::Error);

fn readings(hub: &Hub, device: &DeviceId) -> Option<BTreeMap<PointKey, Reading>> {
    let window = hub.window(&StreamName::Device(device.clone()))?;
    Some(window.table().points.clone())
}

/// Has what masters want carried out; each of them waits for its own verdict.
async fn grant(mut wishes: mpsc::Receiver<Wish>, hub: Hub, stop: CancellationToken) {
    while let Some(Some(wish)) = stop.run_until_cancelled(wishes.recv()).await {
        let hub = hub.clone();
        tokio::spawn(async move {
            let Wish { device, command, param, via, answer } = wish;
            // No master names its orders: each write is another one.
            let id = uuid::Uuid::now_v7().to_string();
            let key = OrderKey { origin: Origin::Pscada, user: USER.into(), device, id };
            // A master that gave up writes again: what waited in a queue must not act beside it.
            let valid_until = Some(hub.time() + GIVEN_UP);
            let order = Order { key, command, param, valid_until, via };
            let verdict = match hub.order(order).await {
                Ok(reply) => Verdict::from(&reply),
                Err(_) => Verdict::Failed,
            };
            // The master may have gone.
            let _ = answer.send(verdict);
        });
    }
}

/// Lets everyone know whether PSCADA asks for anything (S0-8).
async fn tell_reach(
    mut reached: watch::Receiver<BTreeSet<DeviceId>>,
    hub: Hub,
    stop: CancellationToken,
) {
    let mut told = BTreeSet::new();
    while stop.run_until_cancelled(reached.changed()).await.is_some_and(|changed| changed.is_ok()) {
        let now = reached.borrow_and_update().clone();
        for device in told.symmetric_difference(&now) {
            let (device, reached) = (device.clone(), now.contains(device));
            let event = Event::Reached { device, peer: Peer::Pscada, reached };
            if hub.tell(event).await.is_err() {
                return;
            }
        }
        told = now;
    }
}

/// By then every order has its answer.
const GIVEN_UP: Duration = Duration::from_millis(450);

/// Under this name stands what PSCADA orders.
const USER: &str = "pscada";

/// Orders of masters that wait to be looked at; whoever finds no room waits.
const WISHES: usize = 64;
