//! Brings orders before the arbiter, and has done what it decides.

use protocol::command::Order;
use protocol::frame::{Body, KeyEvent, Summary};
use protocol::id::DeviceId;
use protocol::part::Part;
use protocol::stream::StreamName;
use protocol::time::Instant;

use super::{Action, Station};
use crate::arbiter::{Asker, Ground, Verdict};

impl Station {
    pub(super) fn order(
        &mut self,
        order: Order,
        asker: Asker,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        let image = self.images.get(&order.key.device);
        let value = |point| image.and_then(|image| image.value(point));
        let ground = image.map(|image| Ground {
            device: image.device(),
            is_reached: image.is_reached(),
            value: &value,
            poll_interval: image.interval(),
            zone: self.zones.get(&image.device().site).map_or(UTC, String::as_str),
            is_audited: self.system.works(Part::Audit),
        });
        let verdicts = self.arbiter.take(order, asker, ground, &self.clock, now);
        self.follow(verdicts, now, actions);
    }

    /// Has done what the arbiter decided.
    pub(super) fn follow(
        &mut self,
        verdicts: Vec<Verdict>,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        for verdict in verdicts {
            match verdict {
                Verdict::Changed(device) => self.look_at_orders(&device, now),
                Verdict::Execute(job) => actions.push(Action::Execute(job)),
                Verdict::Publish(device, event) => {
                    let body = Body::Event(KeyEvent::CommandExecuted(event));
                    self.publish(StreamName::Device(device), body, now, actions);
                }
                Verdict::Record(record) => actions.push(Action::Record(Box::new(record))),
                Verdict::Reply { asker, id, reply } => {
                    actions.push(Action::Reply { asker, id, reply });
                }
            }
        }
    }

    /// The orders of a device are others than before.
    fn look_at_orders(&mut self, device: &DeviceId, now: Instant) {
        let Some(image) = self.images.get(device) else { return };
        let line = Summary { orders: self.arbiter.lines(device, &self.clock), ..image.summary() };
        if let Some(overview) = self.overviews.get_mut(&image.device().site) {
            overview.set(device, line, now);
        }
    }
}

/// Where a site has no zone of its own.
const UTC: &str = "UTC";
