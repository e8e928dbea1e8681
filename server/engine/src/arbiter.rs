//! Decides which order is carried out, when, and what whoever gave it is answered.
//!
//! An order is put on record, waits for its channel, is handed to the field, and ends: always
//! within 500 ms, and once. Repeated, it gets the answer it got (S0-60).

mod ending;
mod hold;
mod intake;
mod lane;
mod memory;
mod past;
mod plan;

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::command::{CommandRecord, Failure, Order, OrderKey, OrderLine, Outcome, Reply};
use protocol::frame::CommandExecuted;
use protocol::id::{ChannelId, ConnectionId, DeviceId};
use protocol::job::{Execution, Job, Task};
use protocol::point::Device;
use protocol::reading::Value;
use protocol::time::{Clock, Instant};

use self::ending::{executed, failed, has_effect, line, outcome, overdue};
use self::hold::Holds;
use self::lane::Lane;
use self::memory::Memory;
use self::plan::Target;

/// What the operator may set about orders.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ArbiterPolicy {
    /// How long an order that was carried out keeps lower origins from what it changed.
    pub hold: Duration,
}

impl Default for ArbiterPolicy {
    fn default() -> Self {
        Self { hold: HOLD }
    }
}

/// Whoever waits for an answer.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Asker {
    Connection(ConnectionId),
    /// Somebody who has no connection, by a number of whoever runs the Station.
    Outside(u64),
}

/// What is known of an order's device at this moment.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub device: &'a Device,
    pub is_reached: bool,
    /// The last value of a point, by its place in the device.
    pub value: &'a dyn Fn(usize) -> Option<Value>,
    pub poll_interval: Duration,
    /// The zone that the device's clock shows.
    pub zone: &'a str,
    /// Whether it can be put on record who did what.
    pub is_audited: bool,
}

/// What the arbiter wants done, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The lines of a device's orders are others than before.
    Changed(DeviceId),
    Execute(Job),
    Publish(DeviceId, CommandExecuted),
    Record(CommandRecord),
    Reply {
        asker: Asker,
        id: String,
        reply: Reply,
    },
}

/// All orders of the last ten minutes.
#[derive(Debug)]
pub struct Arbiter {
    policy: ArbiterPolicy,
    pending: BTreeMap<OrderKey, Pending>,
    lanes: BTreeMap<ChannelId, Lane>,
    holds: Holds,
    memory: Memory,
    /// Orders whose outcome nobody knows: the run before this one ended over them.
    interrupted: Vec<CommandRecord>,
}

/// An order that has no outcome yet.
#[derive(Debug)]
struct Pending {
    record: CommandRecord,
    accepted: Instant,
    /// By then the field has to be done with it, and it must not be carried out any more.
    field_until: Instant,
    channel: ChannelId,
    task: Task,
    targets: Vec<Target>,
    old: Option<Value>,
    askers: Vec<Asker>,
}

impl Pending {
    fn deadline(&self) -> Instant {
        self.accepted + ANSWER_WITHIN
    }

    fn elapsed(&self, now: Instant) -> u32 {
        millis(now.since(self.accepted))
    }
}

impl Arbiter {
    /// The intent is on the disk: the order may be carried out.
    pub fn recorded(&mut self, key: &OrderKey, clock: &Clock, now: Instant) -> Vec<Verdict> {
        let Some(pending) = self.pending.get_mut(key) else { return Vec::new() };
        if pending.record.steps.recorded.is_some() {
            return Vec::new();
        }
        pending.record.steps.recorded = Some(pending.elapsed(now));
        let channel = pending.channel;
        self.lane(channel).wait(key.clone());
        self.advance(channel, clock, now)
    }

    /// The field tells what came of an order.
    pub fn executed(
        &mut self,
        key: &OrderKey,
        execution: Execution,
        clock: &Clock,
        now: Instant,
    ) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let lanes = self.lanes.iter_mut();
        let freed = lanes.filter_map(|(id, lane)| lane.finish(key).then_some(*id)).next();
        if let Some(pending) = self.pending.get_mut(key) {
            let sent = pending.record.steps.sent.unwrap_or_default();
            let written = execution.written_after.map(|after| sent.saturating_add(millis(after)));
            pending.record.steps.written = written;
            let outcome = outcome(pending, execution.result, clock.at(now), now);
            self.end(key, outcome, now, &mut verdicts);
        }
        if let Some(channel) = freed {
            verdicts.extend(self.advance(channel, clock, now));
        }
        verdicts
    }

    /// Time has passed: nobody waits for an answer for longer than promised.
    pub fn tick(&mut self, clock: &Clock, now: Instant) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let late = self.pending.iter().filter(|(_, pending)| pending.deadline() <= now);
        let late: Vec<OrderKey> = late.map(|(key, _)| key.clone()).collect();
        for key in late {
            let Some(pending) = self.pending.get(&key) else { continue };
            let (failure, detail) = overdue(&pending.record.steps);
            let ms = pending.elapsed(now);
            let outcome = failed(clock.at(now), failure, detail.into(), pending.old, ms);
            self.end(&key, outcome, now, &mut verdicts);
        }
        for device in self.holds.forget(now) {
            verdicts.push(Verdict::Changed(device));
        }
        self.memory.forget(now);
        let stuck = self.lanes.iter_mut().filter_map(|(id, lane)| lane.give_up(now).then_some(*id));
        let stuck: Vec<ChannelId> = stuck.collect();
        for channel in stuck {
            verdicts.extend(self.advance(channel, clock, now));
        }
        verdicts
    }

    /// When a tick will next matter.
    pub fn wake_at(&self) -> Option<Instant> {
        let deadlines = self.pending.values().map(Pending::deadline);
        let lanes = self.lanes.values().filter_map(Lane::given_up_at);
        deadlines.chain(lanes).chain(self.holds.until()).min()
    }

    /// The orders of a device that everyone may see, oldest first.
    pub fn lines(&self, device: &DeviceId, clock: &Clock) -> Vec<OrderLine> {
        let pending = self.pending.iter().filter(|(key, _)| key.device == *device);
        let mut lines: Vec<OrderLine> = pending.map(|(_, pending)| line(pending)).collect();
        lines.extend(self.holds.lines(device, clock));
        lines.sort_by(|a, b| (a.since, &a.command_id).cmp(&(b.since, &b.command_id)));
        lines
    }

    fn lane(&mut self, channel: ChannelId) -> &mut Lane {
        self.lanes.entry(channel).or_default()
    }

    /// Hands the next order of a channel to the field, if that is free.
    fn advance(&mut self, channel: ChannelId, clock: &Clock, now: Instant) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        while let Some(key) = self.lanes.get_mut(&channel).and_then(Lane::next) {
            let Some(pending) = self.pending.get_mut(&key) else { continue };
            let within = pending.field_until.since(now);
            if within < SHORTEST_JOB {
                let (old, ms) = (pending.old, pending.elapsed(now));
                let detail = "its time had passed before it was its turn".into();
                let outcome = failed(clock.at(now), Failure::Expired, detail, old, ms);
                self.end(&key, outcome, now, &mut verdicts);
                continue;
            }
            pending.record.steps.sent = Some(pending.elapsed(now));
            let (device, task) = (key.device.clone(), pending.task.clone());
            self.lane(channel).start(key.clone(), now + within + LATE);
            verdicts.push(Verdict::Changed(device.clone()));
            verdicts.push(Verdict::Execute(Job { key, device, channel, task, within }));
        }
        verdicts
    }

    /// The outcome is known: everyone who waits is answered, once.
    fn end(&mut self, key: &OrderKey, outcome: Outcome, now: Instant, verdicts: &mut Vec<Verdict>) {
        let Some(pending) = self.pending.remove(key) else { return };
        let Pending { mut record, accepted, channel, targets, askers, .. } = pending;
        self.lane(channel).leave(key);
        if has_effect(&outcome) {
            self.holds.set(targets, &record.order, outcome.at, now + self.policy.hold);
        }
        let reply = Reply::Done(outcome.clone());
        self.memory.note(record.order.clone(), reply.clone(), accepted);
        let answer = |asker| said(asker, &record.order, reply.clone());
        verdicts.extend(askers.into_iter().map(answer));
        record.outcome = Some(outcome);
        if record.steps.sent.is_some() {
            let event = executed(&record);
            verdicts.extend(event.map(|event| Verdict::Publish(key.device.clone(), event)));
        }
        verdicts.push(Verdict::Record(record));
        verdicts.push(Verdict::Changed(key.device.clone()));
    }
}

fn said(asker: Asker, order: &Order, reply: Reply) -> Verdict {
    Verdict::Reply { asker, id: order.key.id.clone(), reply }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

const HOLD: Duration = Duration::from_secs(10);

/// S0-22: whoever gave an order knows within 500 ms; the rest is for the way back.
const ANSWER_WITHIN: Duration = Duration::from_millis(450);

/// How long after its acceptance the field has to be done with an order.
const FIELD_SHARE: Duration = Duration::from_millis(420);

/// In less time no board can be written and read.
const SHORTEST_JOB: Duration = Duration::from_millis(20);

/// A channel that says nothing for so long after a job's time is free for the next.
const LATE: Duration = Duration::from_secs(1);

#[cfg(test)]
#[path = "arbiter/tests.rs"]
mod tests;
