//! How an order ends, in the words of its outcome.

use protocol::command::{CommandRecord, Failure, Hold, OrderLine, Outcome, Stage, Steps};
use protocol::frame::{CommandExecuted, CommandStatus};
use protocol::job::{Done, NotDone};
use protocol::reading::Value;
use protocol::time::{Instant, Timestamp};

use super::{Pending, millis};

pub(super) fn failed(
    at: Timestamp,
    failure: Failure,
    detail: String,
    old: Option<Value>,
    ms: u32,
) -> Outcome {
    let failure = Some(failure);
    Outcome { at, failure, detail: Some(detail), verified: None, old, new: None, ms }
}

pub(super) fn conflict(hold: &Hold, at: Timestamp, old: Option<Value>, ms: u32) -> Outcome {
    let detail = format!("{} {} holds it", hold.origin, hold.user);
    failed(at, Failure::ConflictHighPriority, detail, old, ms)
}

pub(super) fn interrupted(record: &CommandRecord, at: Timestamp) -> Outcome {
    let detail = "the server was stopped before the outcome was known".into();
    let ms = millis(at.since(record.accepted_at));
    failed(at, Failure::Interrupted, detail, None, ms)
}

pub(super) fn outcome(
    pending: &Pending,
    result: Result<Done, NotDone>,
    at: Timestamp,
    now: Instant,
) -> Outcome {
    let (old, ms) = (pending.old, pending.elapsed(now));
    match result {
        Ok(Done { old: found, new }) => {
            let (old, verified) = (found.or(old), Some(true));
            Outcome { at, failure: None, detail: None, verified, old, new, ms }
        }
        Err(NotDone { failure, detail, found }) => {
            let verified = (failure == Failure::NotVerified).then_some(false);
            Outcome { at, failure: Some(failure), detail, verified, old, new: found, ms }
        }
    }
}

/// Why there is no outcome yet, by how far an order has come.
pub(super) fn overdue(steps: &Steps) -> (Failure, &'static str) {
    match (steps.recorded, steps.sent) {
        (_, Some(_)) => (Failure::DeviceTimeout, "whether it was written is not known"),
        (Some(_), None) => (Failure::Expired, "the channel was busy until its time had passed"),
        (None, None) => (Failure::NotRecorded, "the intent could not be put on record in time"),
    }
}

/// Whether it changed something, or may have.
pub(super) fn has_effect(outcome: &Outcome) -> bool {
    matches!(
        outcome.failure,
        None | Some(Failure::DeviceTimeout | Failure::Interrupted | Failure::NotVerified)
    )
}

/// What everyone is told of an order that has come to its end.
pub(super) fn executed(record: &CommandRecord) -> Option<CommandExecuted> {
    let (key, outcome) = (&record.order.key, record.outcome.as_ref()?);
    Some(CommandExecuted {
        at: outcome.at,
        command: record.order.command.clone(),
        command_id: key.id.clone(),
        ms: outcome.ms,
        new: outcome.new,
        old: outcome.old,
        origin: key.origin,
        param: record.order.param.clone(),
        reason: outcome.failure,
        status: CommandStatus::of(outcome.failure),
        user: key.user.clone(),
    })
}

pub(super) fn line(pending: &Pending) -> OrderLine {
    let CommandRecord { order, accepted_at, steps, .. } = &pending.record;
    OrderLine {
        command: order.command.clone(),
        command_id: order.key.id.clone(),
        origin: order.key.origin,
        param: order.param.clone(),
        since: *accepted_at,
        stage: if steps.sent.is_some() { Stage::Executing } else { Stage::Waiting },
        until: None,
        user: order.key.user.clone(),
    }
}
