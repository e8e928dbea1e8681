//! The record of orders: the Station hears which intents are on the disk, and only then acts.

use config::Configuration;
use engine::Event;
use gateway::Hub;
use protocol::command::OrderKey;
use protocol::part::Part;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::parts::tell_condition;
use super::station::Orders;
use crate::supervise::keep_alive;

/// The one writer of orders. It ends after the Station has, and with the last outcome written.
pub(super) fn start_commands(
    configuration: &Configuration,
    orders: Orders,
    hub: &Hub,
    tasks: &TaskTracker,
) {
    let Orders { inbox, durable, ended, .. } = orders;
    let conditions = tell_condition(Part::Commands, hub, tasks, &ended);
    let (directory, stopped) = (configuration.data_dir.clone(), ended.clone());
    let write = move || {
        let policy = store::CommandsPolicy::default();
        store::write_commands(
            directory.clone(),
            inbox.clone(),
            policy,
            stopped.clone(),
            conditions.clone(),
        )
    };
    tasks.spawn(async move { keep_alive("writer of orders", ended, write).await });
    tasks.spawn(tell_recorded(durable, hub.clone()));
}

async fn tell_recorded(mut durable: mpsc::Receiver<OrderKey>, hub: Hub) {
    while let Some(key) = durable.recv().await {
        if hub.tell(Event::Recorded(key)).await.is_err() {
            return;
        }
    }
}
