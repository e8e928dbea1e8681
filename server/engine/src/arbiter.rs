//! Decides which order is carried out, when, and what whoever gave it is answered.
//!
//! An order is put on record, waits for its channel, is handed to the field, and ends: always
//! within 500 ms, and once. Repeated, it gets the answer it got (S0-60).

mod ending;
mod hold;
mod lane;
mod memory;
mod plan;

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::command::{
    CommandRecord, Failure, Hold, Order, OrderKey, OrderLine, Outcome, Reply, Steps,
};
use protocol::frame::CommandExecuted;
use protocol::id::{ChannelId, ConnectionId, DeviceId};
use protocol::job::{Execution, Job, Task};
use protocol::point::{Device, Plant};
use protocol::reading::Value;
use protocol::time::{Clock, Instant, Timestamp};

use self::ending::{conflict, executed, failed, has_effect, interrupted, line, outcome, overdue};
use self::hold::Holds;
use self::lane::Lane;
use self::memory::Memory;
use self::plan::{Plan, Refusal, Target, plan};

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
    /// An arbiter that knows the orders of an earlier run.
    pub fn new(
        policy: ArbiterPolicy,
        past: Vec<CommandRecord>,
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
        for mut record in past {
            let since = now - wall.since(record.accepted_at);
            if record.outcome.is_none() {
                record.outcome = Some(interrupted(&record, wall));
                arbiter.interrupted.push(record.clone());
            }
            let Some(outcome) = record.outcome.clone() else { continue };
            arbiter.hold_again(&record, &outcome, plant, wall, now);
            arbiter.memory.note(record.order, Reply::Done(outcome), since);
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

    /// Takes an order: carries it out in its turn, or answers at once why not.
    pub fn take(
        &mut self,
        order: Order,
        asker: Asker,
        ground: Option<Ground<'_>>,
        clock: &Clock,
        now: Instant,
    ) -> Vec<Verdict> {
        if let Some(verdicts) = self.take_known(&order, &asker) {
            return verdicts;
        }
        let at = clock.at(now);
        let examined = match ground {
            Some(ground) => self.examine(&order, ground, at, now),
            None => Err(refused(Failure::NotSupported, "there is no such device")),
        };
        match examined {
            Ok(plan) => self.accept(order, asker, plan, at, now),
            Err(Answer::MissingParam) => vec![said(asker, &order, Reply::MissingParam)],
            Err(Answer::Conflict(hold)) => {
                self.turn_down(order, asker, at, now, |_| Reply::Conflict(hold))
            }
            Err(Answer::Failed { failure, detail, old }) => {
                self.turn_down(order, asker, at, now, |at| {
                    Reply::Done(failed(at, failure, detail, old, 0))
                })
            }
        }
    }

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

    /// The same order again: the same answer, now or with the first one.
    fn take_known(&mut self, order: &Order, asker: &Asker) -> Option<Vec<Verdict>> {
        if let Some(pending) = self.pending.get_mut(&order.key) {
            if !pending.record.order.is_like(order) {
                return Some(vec![said(asker.clone(), order, Reply::IdReused)]);
            }
            if pending.askers.len() < MOST_ASKERS {
                pending.askers.push(asker.clone());
            }
            return Some(Vec::new());
        }
        let (known, reply) = self.memory.recall(&order.key)?;
        let reply = if known.is_like(order) { reply.clone() } else { Reply::IdReused };
        Some(vec![said(asker.clone(), order, reply)])
    }

    /// Whether an order can be carried out, and how.
    fn examine(
        &mut self,
        order: &Order,
        ground: Ground<'_>,
        at: Timestamp,
        now: Instant,
    ) -> Result<Examined, Answer> {
        let Plan { task, targets, verify, needs_board } =
            plan(ground.device, order, ground.zone, at)?;
        let old = match &task {
            Task::Pace(_) => Some(Value::Number(ground.poll_interval.as_secs_f64())),
            _ => verify.and_then(|point| (ground.value)(point)),
        };
        let fail = |failure, detail: &str| Answer::Failed { failure, detail: detail.into(), old };
        if order.valid_until.is_some_and(|until| until < at) {
            return Err(fail(Failure::Expired, "it came too late"));
        }
        if let Some(hold) = self.in_the_way(order, &targets, at, now) {
            return Err(Answer::Conflict(hold));
        }
        if needs_board && !ground.is_reached {
            return Err(fail(Failure::DeviceOffline, "the board is not reached"));
        }
        let channel = ground.device.channel;
        let waiting = self.pending.values().filter(|pending| pending.channel == channel).count();
        if waiting >= MOST_WAITING || self.memory.is_full(&order.key) {
            return Err(fail(Failure::Busy, "too many orders"));
        }
        Ok(Examined { channel, task, targets, old })
    }

    /// The order of a higher origin that this one would contradict (S0-29).
    fn in_the_way(
        &self,
        order: &Order,
        targets: &[Target],
        at: Timestamp,
        now: Instant,
    ) -> Option<Hold> {
        let is_above = |pending: &&Pending| {
            pending.record.order.key.origin > order.key.origin
                && pending.targets.iter().any(|target| targets.contains(target))
        };
        let pending = self.pending.values().filter(is_above);
        let pending = pending.max_by_key(|pending| pending.record.order.key.origin);
        let pending = pending.map(|pending| self.hold_of(&pending.record.order, at));
        pending.or_else(|| self.holds.above(order.key.origin, targets, at, now))
    }

    fn hold_of(&self, order: &Order, at: Timestamp) -> Hold {
        let until = at + (ANSWER_WITHIN + self.policy.hold);
        Hold { origin: order.key.origin, user: order.key.user.clone(), until }
    }

    fn accept(
        &mut self,
        order: Order,
        asker: Asker,
        examined: Examined,
        at: Timestamp,
        now: Instant,
    ) -> Vec<Verdict> {
        let Examined { channel, task, targets, old } = examined;
        let mut verdicts = self.displace(&order, &targets, at, now);
        let (key, device) = (order.key.clone(), order.key.device.clone());
        let record =
            CommandRecord { order, accepted_at: at, steps: Steps::default(), outcome: None };
        verdicts.push(Verdict::Record(record.clone()));
        verdicts.push(Verdict::Changed(device));
        let askers = vec![asker];
        let accepted = now;
        let pending = Pending { record, accepted, channel, task, targets, old, askers };
        self.pending.insert(key, pending);
        verdicts
    }

    /// Lower orders for the same target that still wait give way.
    fn displace(
        &mut self,
        order: &Order,
        targets: &[Target],
        at: Timestamp,
        now: Instant,
    ) -> Vec<Verdict> {
        let hold = self.hold_of(order, at);
        let gives_way = |pending: &Pending| {
            pending.record.order.key.origin < order.key.origin
                && pending.record.steps.sent.is_none()
                && pending.targets.iter().any(|target| targets.contains(target))
        };
        let lower = self.pending.iter().filter(|(_, pending)| gives_way(pending));
        let lower: Vec<OrderKey> = lower.map(|(key, _)| key.clone()).collect();
        let mut verdicts = Vec::new();
        for key in lower {
            let Some(pending) = self.pending.remove(&key) else { continue };
            let ms = pending.elapsed(now);
            let outcome = conflict(&hold, at, pending.old, ms);
            let Pending { mut record, askers, channel, accepted, .. } = pending;
            self.lane(channel).leave(&key);
            let reply = Reply::Conflict(hold.clone());
            self.memory.note(record.order.clone(), reply.clone(), accepted);
            let answer = |asker| said(asker, &record.order, reply.clone());
            verdicts.extend(askers.into_iter().map(answer));
            record.outcome = Some(outcome);
            verdicts.push(Verdict::Record(record));
            verdicts.push(Verdict::Changed(key.device));
        }
        verdicts
    }

    /// Answers an order that is not carried out. It is put on record all the same.
    fn turn_down(
        &mut self,
        order: Order,
        asker: Asker,
        at: Timestamp,
        now: Instant,
        reply: impl FnOnce(Timestamp) -> Reply,
    ) -> Vec<Verdict> {
        let reply = reply(at);
        let outcome = match &reply {
            Reply::Done(outcome) => outcome.clone(),
            Reply::Conflict(hold) => conflict(hold, at, None, 0),
            Reply::MissingParam | Reply::IdReused => return vec![said(asker, &order, reply)],
        };
        let answer = said(asker, &order, reply.clone());
        // A flood of refused orders is answered, but neither remembered nor put on record.
        if self.memory.is_full(&order.key) {
            return vec![answer];
        }
        self.memory.note(order.clone(), reply, now);
        let steps = Steps::default();
        let record = CommandRecord { order, accepted_at: at, steps, outcome: Some(outcome) };
        vec![answer, Verdict::Record(record)]
    }

    /// Hands the next order of a channel to the field, if that is free.
    fn advance(&mut self, channel: ChannelId, clock: &Clock, now: Instant) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        while let Some(key) = self.lanes.get_mut(&channel).and_then(Lane::next) {
            let Some(pending) = self.pending.get_mut(&key) else { continue };
            let within = (pending.accepted + FIELD_SHARE).since(now);
            if within < SHORTEST_JOB {
                let (old, ms) = (pending.old, pending.elapsed(now));
                let detail = "the channel was busy until its time had passed".into();
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

/// How an order that passed the examination is carried out.
struct Examined {
    channel: ChannelId,
    task: Task,
    targets: Vec<Target>,
    old: Option<Value>,
}

/// Why an order is not carried out.
enum Answer {
    MissingParam,
    Conflict(Hold),
    Failed { failure: Failure, detail: String, old: Option<Value> },
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::MissingParam => Self::MissingParam,
            Refusal::Failed(failure, detail) => Self::Failed { failure, detail, old: None },
        }
    }
}

fn refused(failure: Failure, detail: &str) -> Answer {
    Answer::Failed { failure, detail: detail.into(), old: None }
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

/// Orders of one channel that have no outcome yet.
const MOST_WAITING: usize = 32;

/// An order that is repeated is answered as often, up to here.
const MOST_ASKERS: usize = 16;

#[cfg(test)]
#[path = "arbiter/tests.rs"]
mod tests;
