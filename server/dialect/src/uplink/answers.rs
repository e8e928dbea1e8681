//! What an edge answers to an order, as what came of a job.

use protocol::command::Failure;
use protocol::id::DeviceId;
use protocol::job::{Done, Execution, NotDone};
use protocol::wire::native::{CommandResult, ConflictHighPriority, Invalid};
use protocol::wire::uplink::EdgeMessage;

/// The device, the order's id and its outcome; `None` where the frame answers no order.
pub(super) fn execution(
    device: Option<String>,
    answer: EdgeMessage,
) -> Option<(DeviceId, String, Execution)> {
    let device = device?.parse().ok()?;
    let (id, result) = match answer {
        EdgeMessage::CommandResult(result) => (result.command_id.clone(), outcome(result)),
        EdgeMessage::ConflictHighPriority(conflict) => {
            (conflict.command_id.clone(), Err(held(&conflict)))
        }
        EdgeMessage::InvalidCommandFormat(Invalid { command_id, detail, .. }) => {
            let failure = Failure::InvalidParam;
            (command_id?, Err(NotDone { failure, detail: Some(detail), found: None }))
        }
        EdgeMessage::Heartbeat | EdgeMessage::Standing(_) | EdgeMessage::Upload(_) => return None,
    };
    Some((device, id, Execution { result, written_after: None }))
}

fn outcome(result: CommandResult) -> Result<Done, NotDone> {
    let CommandResult { detail, new, old, reason, .. } = result;
    match reason {
        None => Ok(Done { old, new }),
        Some(failure) => Err(NotDone { failure, detail, found: new }),
    }
}

fn held(conflict: &ConflictHighPriority) -> NotDone {
    let ConflictHighPriority { holder, until, .. } = conflict;
    let detail = format!("{} {} holds it at the edge until {until}", holder.origin, holder.user);
    NotDone { failure: Failure::ConflictHighPriority, detail: Some(detail), found: None }
}
