//! What higher origins keep from lower ones for a while after an order.

use std::collections::BTreeMap;

use protocol::command::{Hold, Order, OrderLine, Origin, Stage};
use protocol::id::DeviceId;
use protocol::time::{Clock, Instant, Timestamp};

use super::plan::Target;

/// Each target, and the order that was carried out on it last.
#[derive(Debug, Default)]
pub(super) struct Holds(BTreeMap<Target, Held>);

#[derive(Debug)]
struct Held {
    order: Order,
    since: Timestamp,
    until: Instant,
}

impl Holds {
    /// An order holds its targets; one of the lowest origin keeps nobody away.
    pub(super) fn set(
        &mut self,
        targets: Vec<Target>,
        order: &Order,
        since: Timestamp,
        until: Instant,
    ) {
        if order.key.origin == Origin::Local {
            return;
        }
        for target in targets {
            let order = order.clone();
            self.0.insert(target, Held { order, since, until });
        }
    }

    /// Whoever above `origin` holds one of the targets.
    pub(super) fn above(
        &self,
        origin: Origin,
        targets: &[Target],
        at: Timestamp,
        now: Instant,
    ) -> Option<Hold> {
        let held = targets.iter().filter_map(|target| self.0.get(target));
        let held = held.filter(|held| held.order.key.origin > origin && held.until > now);
        let held = held.max_by_key(|held| (held.order.key.origin, held.until))?;
        let key = &held.order.key;
        let until = at + held.until.since(now);
        Some(Hold { origin: key.origin, user: key.user.clone(), until })
    }

    /// When the first hold ends.
    pub(super) fn until(&self) -> Option<Instant> {
        self.0.values().map(|held| held.until).min()
    }

    /// Ends what is over; the devices that have fewer holds by it.
    pub(super) fn forget(&mut self, now: Instant) -> Vec<DeviceId> {
        let mut freed = Vec::new();
        self.0.retain(|_, held| {
            let is_over = held.until <= now;
            let device = &held.order.key.device;
            if is_over && !freed.contains(device) {
                freed.push(device.clone());
            }
            !is_over
        });
        freed
    }

    /// The orders that hold something of a device, each once.
    pub(super) fn lines(&self, device: &DeviceId, clock: &Clock) -> Vec<OrderLine> {
        let mut lines: Vec<OrderLine> = Vec::new();
        for held in self.0.values().filter(|held| held.order.key.device == *device) {
            let line = line(held, clock);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }
}

fn line(held: &Held, clock: &Clock) -> OrderLine {
    let Held { order, since, until } = held;
    OrderLine {
        command: order.command.clone(),
        command_id: order.key.id.clone(),
        origin: order.key.origin,
        param: order.param.clone(),
        since: *since,
        stage: Stage::Holding,
        until: Some(clock.at(*until)),
        user: order.key.user.clone(),
    }
}
