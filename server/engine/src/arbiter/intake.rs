//! What becomes of an order at the door: accepted, answered at once, or known already.

use protocol::command::{CommandRecord, Failure, Hold, Order, OrderKey, Reply, Risk, Steps};
use protocol::id::ChannelId;
use protocol::job::Task;
use protocol::point::Device;
use protocol::reading::Value;
use protocol::time::{Clock, Instant, Timestamp};

use super::ending::{conflict, failed};
use super::plan::{Plan, Refusal, Target, plan};
use super::{ANSWER_WITHIN, Arbiter, Asker, FIELD_SHARE, Ground, Pending, Verdict, said};

impl Arbiter {
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
        // IEC 62443 CR 2.10: what can do harm is done on record, or not at all.
        if !ground.is_audited && risk_of(ground.device, &order.command) == Some(Risk::C) {
            return Err(fail(Failure::NotRecorded, "the audit trail cannot be written"));
        }
        if let Some(hold) = self.in_the_way(order, &targets, at, now) {
            return Err(Answer::Conflict(hold));
        }
        if needs_board && !ground.is_reached {
            return Err(fail(Failure::DeviceOffline, "the board is not reached"));
        }
        let channel = ground.device.channel;
        // Lower orders do not stand before a higher one.
        let is_before = |pending: &&Pending| {
            pending.channel == channel && pending.record.order.key.origin >= order.key.origin
        };
        let waiting = self.pending.values().filter(is_before).count();
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
        let (accepted, share) = (now, now + FIELD_SHARE);
        let valid_until = record.order.valid_until.map(|until| now + until.since(at));
        let field_until = valid_until.map_or(share, |until| until.min(share));
        let pending =
            Pending { record, accepted, field_until, channel, task, targets, old, askers };
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
        // A flood of refused orders is answered, but not put on record.
        if !self.memory.note_briefly(order.clone(), reply, now) {
            return vec![answer];
        }
        let steps = Steps::default();
        let record = CommandRecord { order, accepted_at: at, steps, outcome: Some(outcome) };
        vec![answer, Verdict::Record(record)]
    }
}

fn risk_of(device: &Device, command: &str) -> Option<Risk> {
    let spec = device.commands.iter().find(|spec| spec.name == command);
    spec.map(|spec| spec.risk)
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

/// Orders of one channel, of one origin and those above it, that have no outcome yet.
pub(super) const MOST_WAITING: usize = 32;

/// An order that is repeated is answered as often, up to here.
const MOST_ASKERS: usize = 16;
