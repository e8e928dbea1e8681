//! Orders from above: each goes to the Station, and its one answer goes up.

use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use protocol::command::{Failure, Order, OrderKey, Origin, Outcome, Reply};
use protocol::id::DeviceId;
use protocol::wire::native::{CommandResult, ConflictHighPriority, Invalid, InvalidCode};
use protocol::wire::uplink::{Command, EdgeMessage};

use crate::hub::Hub;

/// The orders that are under way.
pub(super) struct Orders {
    hub: Hub,
    under_way: FuturesUnordered<Answer>,
}

type Answer = Pin<Box<dyn Future<Output = (DeviceId, EdgeMessage)> + Send>>;

impl Orders {
    pub(super) fn new(hub: Hub) -> Self {
        Self { hub, under_way: FuturesUnordered::new() }
    }

    /// Has an order carried out.
    pub(super) fn take(&mut self, command: Command) {
        let hub = self.hub.clone();
        let is_full = self.under_way.len() >= MOST;
        self.under_way.push(Box::pin(async move {
            let (device, id) = (command.device_id.clone(), command.command_id.clone());
            let reply = match is_full {
                true => failed(&hub, Failure::Busy, "too many orders are under way"),
                false => carry_out(&hub, command).await,
            };
            (device, answer(id, reply))
        }));
    }

    /// The next answer, and about which device it is.
    pub(super) async fn next(&mut self) -> (DeviceId, EdgeMessage) {
        match self.under_way.next().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

async fn carry_out(hub: &Hub, command: Command) -> Reply {
    let Command { command, command_id: id, device_id: device, param, user, within_ms } = command;
    let user = user.chars().take(LONGEST_USER).collect();
    let key = OrderKey { origin: Origin::SystemServer, user, device, id };
    let valid_until = Some(hub.time() + Duration::from_millis(within_ms));
    let order = Order { key, command, param, valid_until, via: VIA.into() };
    let gone = |_| failed(hub, Failure::Interrupted, "the station does not answer");
    hub.order(order).await.unwrap_or_else(gone)
}

fn failed(hub: &Hub, failure: Failure, detail: &str) -> Reply {
    Reply::Done(Outcome {
        at: hub.time(),
        failure: Some(failure),
        detail: Some(detail.into()),
        verified: None,
        old: None,
        new: None,
        ms: 0,
    })
}

/// In the words of the native wire (S0-23 to S0-27, S0-30).
fn answer(id: String, reply: Reply) -> EdgeMessage {
    let invalid = |id, invalid| {
        EdgeMessage::InvalidCommandFormat(Invalid { command_id: Some(id), ..invalid })
    };
    match reply {
        Reply::Done(outcome) => EdgeMessage::CommandResult(CommandResult::new(id, outcome)),
        Reply::Conflict(hold) => {
            EdgeMessage::ConflictHighPriority(ConflictHighPriority::new(id, hold))
        }
        Reply::MissingParam => invalid(id, Invalid::missing("param")),
        Reply::IdReused => {
            let detail = "the id was used for another command within ten minutes";
            invalid(id, Invalid::field(InvalidCode::IdReused, "command_id", detail))
        }
    }
}

/// From where such an order came, for the record.
const VIA: &str = "uplink";

/// More than any name has.
const LONGEST_USER: usize = 80;

/// A center has no more orders at once for all devices of an edge.
const MOST: usize = 64;
