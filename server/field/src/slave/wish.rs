//! An order on its way to whoever decides about it, and what a master hears of it.

use std::time::Duration;

use protocol::command::{Failure, Reply};
use protocol::id::DeviceId;
use tokio::sync::{mpsc, oneshot};
use tokio::time;

use crate::pdu::Exception;

/// What a write orders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wished {
    pub device: DeviceId,
    pub command: String,
    pub param: Option<String>,
}

/// An order that waits for its verdict.
#[derive(Debug)]
pub struct Wish {
    pub device: DeviceId,
    pub command: String,
    pub param: Option<String>,
    /// From where it came, for the record: the master's address, or the serial line.
    pub via: String,
    pub answer: oneshot::Sender<Verdict>,
}

/// What became of an order, as far as Modbus can tell it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Done,
    /// The value cannot be: exception 03.
    Invalid,
    /// A higher origin holds what it would have changed: exception 06.
    Conflict,
    /// Too much waits already: exception 06.
    Busy,
    /// It was not carried out, or nobody knows: exception 04.
    Failed,
}

impl From<&Reply> for Verdict {
    fn from(reply: &Reply) -> Self {
        match reply {
            Reply::Conflict(_) => Self::Conflict,
            Reply::MissingParam => Self::Invalid,
            Reply::IdReused => Self::Failed,
            Reply::Done(outcome) => match outcome.failure {
                None => Self::Done,
                Some(Failure::Busy) => Self::Busy,
                Some(Failure::ConflictHighPriority) => Self::Conflict,
                Some(Failure::InvalidParam) => Self::Invalid,
                Some(_) => Self::Failed,
            },
        }
    }
}

/// Has the orders carried out, in their order; the first that fails is the last.
pub(super) async fn carry_out(
    wished: Vec<Wished>,
    via: &str,
    wishes: &mpsc::Sender<Wish>,
) -> Result<(), Exception> {
    for Wished { device, command, param } in wished {
        let (answer, answered) = oneshot::channel();
        let wish = Wish { device, command, param, via: via.into(), answer };
        let verdict = async {
            wishes.send(wish).await.ok()?;
            answered.await.ok()
        };
        match time::timeout(PATIENCE, verdict).await {
            Ok(Some(Verdict::Done)) => {}
            Ok(Some(Verdict::Invalid)) => return Err(Exception::IllegalValue),
            Ok(Some(Verdict::Busy | Verdict::Conflict)) => return Err(Exception::DeviceBusy),
            Ok(Some(Verdict::Failed) | None) | Err(_) => return Err(Exception::DeviceFailure),
        }
    }
    Ok(())
}

/// Outcomes are promised within half a second: who has heard nothing for twice as long will not.
pub const PATIENCE: Duration = Duration::from_secs(1);
