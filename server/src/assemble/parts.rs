//! The parts that work beside the road, and how each lets everyone know how it fares.

use config::Configuration;
use engine::Event;
use gateway::Hub;
use protocol::part::{Condition, Part, PartState};
use store::{AuditInbox, Records};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::supervise::keep_alive;

/// The one writer of records. It opens the database too: nothing on the live road waits for a disk.
///
/// It ends after the last connection has.
pub(super) fn start_records(
    configuration: &Configuration,
    hub: &Hub,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Records {
    let (records, inbox) = Records::open();
    let config::Records { keep, keep_security } = configuration.records;
    let conditions = tell_condition(Part::Records, hub, tasks, stop);
    let (directory, stopped) = (configuration.data_dir.clone(), stop.clone());
    let write = move || {
        let policy = store::Policy { keep, keep_security, ..store::Policy::default() };
        store::write_records(
            directory.clone(),
            inbox.clone(),
            policy,
            stopped.clone(),
            conditions.clone(),
        )
    };
    let stop = stop.clone();
    tasks.spawn(async move { keep_alive("writer of records", stop, write).await });
    records
}

/// The one writer of the audit trail; it ends once the Station has `ended`.
pub(super) fn start_audit(
    configuration: &Configuration,
    inbox: AuditInbox,
    hub: &Hub,
    tasks: &TaskTracker,
    ended: &CancellationToken,
) {
    let conditions = tell_condition(Part::Audit, hub, tasks, ended);
    let keep = configuration.records.keep_security;
    let (directory, stopped) = (configuration.data_dir.clone(), ended.clone());
    let write = move || {
        let policy = store::AuditPolicy { keep, ..store::AuditPolicy::default() };
        store::write_audit(
            directory.clone(),
            inbox.clone(),
            policy,
            stopped.clone(),
            conditions.clone(),
        )
    };
    let ended = ended.clone();
    tasks.spawn(async move { keep_alive("writer of the audit trail", ended, write).await });
}

/// Lets everyone who follows the stream `system` know how a part of the server fares.
pub(super) fn tell_condition(
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
