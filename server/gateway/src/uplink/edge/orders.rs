//! Orders from above: each goes to the Station, and its one answer goes up.

use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use protocol::command::{Failure, Order, OrderKey, Origin, Outcome, Reply};
use protocol::id::DeviceId;
use protocol::time::Timestamp;
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

    /// Has an order carried out, unless it is too old, or may be.
    pub(super) fn take(&mut self, command: Command, age: Option<Duration>) {
        let hub = self.hub.clone();
        let is_full = self.under_way.len() >= MOST;
        let valid_until = left(&command, age).map(|left| hub.time() + left);
        self.under_way.push(Box::pin(async move {
            let (device, id) = (command.device_id.clone(), command.command_id.clone());
            let reply = match valid_until {
                None => failed(&hub, Failure::Expired, "it was on its way for too long"),
                Some(_) if is_full => failed(&hub, Failure::Busy, "too many orders are under way"),
                Some(until) => carry_out(&hub, command, until).await,
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

/// How much is left of an order's time; `None` where nothing is.
///
/// This is safe because an age is the center's clock at its latest (`latest_server_time`) less what
/// stands on the order under its seal: held up or said again, an order is at least as old as it is
/// taken to be. Where nobody knows its age, its time is up.
fn left(command: &Command, age: Option<Duration>) -> Option<Duration> {
    let left = Duration::from_millis(command.within_ms).checked_sub(age?)?;
    (!left.is_zero()).then_some(left)
}

async fn carry_out(hub: &Hub, command: Command, until: Timestamp) -> Reply {
    let Command { command, command_id: id, device_id: device, param, user, within_ms: _ } = command;
    let user = user.chars().take(LONGEST_USER).collect();
    let key = OrderKey { origin: Origin::SystemServer, user, device, id };
    let order = Order { key, command, param, valid_until: Some(until), via: VIA.into() };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_loses_the_time_it_was_on_its_way() {
        let millis = Duration::from_millis;
        let command = Command {
            command: "START".into(),
            command_id: "c-1".into(),
            device_id: "board-1".parse().unwrap(),
            param: None,
            user: "li".into(),
            within_ms: 420,
        };
        let table = [
            (Some(millis(0)), Some(millis(420))),
            (Some(millis(20)), Some(millis(400))),
            (Some(millis(420)), None),
            (Some(Duration::MAX), None),
            (None, None),
        ];
        for (age, expected) in table {
            assert_eq!(left(&command, age), expected, "{age:?}");
        }
    }
}
