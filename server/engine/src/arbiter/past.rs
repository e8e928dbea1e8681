//! What an arbiter takes up of the run before: outcomes that stand, and orders that were cut short.

use std::collections::BTreeMap;

use protocol::command::{CommandRecord, Outcome, Reply, Steps};
use protocol::point::Plant;
use protocol::time::{Clock, Instant, Timestamp};

use super::ending::{executed, has_effect, interrupted};
use super::hold::Holds;
use super::memory::Memory;
use super::plan::plan;
use super::{Arbiter, ArbiterPolicy, Verdict};

impl Arbiter {
    /// An arbiter that knows the orders of an earlier run.
    pub fn new(
        policy: ArbiterPolicy,
        mut past: Vec<CommandRecord>,
        plant: &Plant,
        clock: &Clock,
        now: Instant,
    ) -> Self {
        let wall = clock.at(now);
        let mut arbiter = Self {
            policy,
            pending: BTreeMap::new(),
            lanes: BTreeMap::new(),
            holds: Holds::default(),
            memory: Memory::default(),
            interrupted: Vec::new(),
        };
        // The later order of two holds their target, whatever the order of the records.
        past.sort_by(|a, b| (a.accepted_at, &a.order.key).cmp(&(b.accepted_at, &b.order.key)));
        for mut record in past {
            let since = now - wall.since(record.accepted_at);
            let is_refused = record.outcome.is_some() && record.steps == Steps::default();
            if record.outcome.is_none() {
                record.outcome = Some(interrupted(&record, wall));
                arbiter.interrupted.push(record.clone());
            }
            let Some(outcome) = record.outcome.clone() else { continue };
            arbiter.hold_again(&record, &outcome, plant, wall, now);
            let reply = Reply::Done(outcome);
            if is_refused {
                arbiter.memory.note_briefly(record.order, reply, since);
            } else {
                arbiter.memory.note(record.order, reply, since);
            }
        }
        arbiter
    }

    /// An order that was carried out before the restart holds its target for the time that is left.
    fn hold_again(
        &mut self,
        record: &CommandRecord,
        outcome: &Outcome,
        plant: &Plant,
        wall: Timestamp,
        now: Instant,
    ) {
        let left = self.policy.hold.saturating_sub(wall.since(outcome.at));
        if left.is_zero() {
            return;
        }
        let Some(device) = plant.device(&record.order.key.device) else { return };
        if let Ok(plan) = plan(device, &record.order, "", wall)
            && has_effect(outcome)
        {
            self.holds.set(plan.targets, &record.order, outcome.at, now + left);
        }
    }

    /// Tells what the last run left without an outcome; once.
    pub fn begin(&mut self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for record in std::mem::take(&mut self.interrupted) {
            let device = record.order.key.device.clone();
            verdicts.extend(executed(&record).map(|event| Verdict::Publish(device, event)));
            verdicts.push(Verdict::Record(record));
        }
        verdicts
    }
}
