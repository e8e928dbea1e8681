//! What is remembered of one account, of one address, and of one address at one account.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::time::Instant;

use super::{Policy, Wait, Why};

#[derive(Debug, Default)]
pub(super) struct AccountRow {
    failures: u32,
    failed_at: Instant,
    locked_until: Option<Instant>,
    pub(super) undecided: Undecided,
}

#[derive(Debug, Default)]
pub(super) struct PairRow {
    failures: u32,
    failed_at: Instant,
    waits_until: Instant,
}

#[derive(Debug, Default)]
pub(super) struct AddressRow {
    /// The last ones, oldest first.
    failures: VecDeque<Instant>,
    pub(super) undecided: Undecided,
}

/// Tries whose password is being looked at.
#[derive(Debug, Default)]
pub(super) struct Undecided {
    count: u32,
    last: Instant,
}

impl AccountRow {
    pub(super) fn check(&self, policy: &Policy, now: Instant) -> Result<(), Wait> {
        if let Some(until) = self.locked_until(now) {
            return Err(Wait { length: until.since(now), why: Why::Locked });
        }
        let failures = self.failures_at(now).saturating_add(self.undecided.at(now));
        if failures < policy.failures { Ok(()) } else { Err(UNDECIDED) }
    }

    /// Whether the account is locked by it.
    pub(super) fn fail(&mut self, policy: &Policy, now: Instant) -> bool {
        self.undecided.decide();
        self.failures = self.failures_at(now).saturating_add(1);
        self.failed_at = now;
        let is_locked = self.failures >= policy.failures;
        if is_locked {
            self.failures = 0;
            self.locked_until = Some(now + policy.lock);
        }
        is_locked
    }

    pub(super) fn locked_until(&self, now: Instant) -> Option<Instant> {
        self.locked_until.filter(|until| *until > now)
    }

    fn failures_at(&self, now: Instant) -> u32 {
        if now.since(self.failed_at) < A_ROW { self.failures } else { 0 }
    }
}

impl PairRow {
    pub(super) fn check(&self, now: Instant) -> Result<(), Wait> {
        let length = self.waits_until.since(now);
        if length.is_zero() { Ok(()) } else { Err(Wait { length, why: Why::BackedOff }) }
    }

    pub(super) fn fail(&mut self, policy: &Policy, now: Instant) {
        let is_old = now.since(self.failed_at) >= policy.lock;
        self.failures = if is_old { 1 } else { self.failures.saturating_add(1) };
        self.failed_at = now;
        self.waits_until = now + self.wait().min(policy.longest_wait);
    }

    /// 0, 0, 1, 2, 4, 8 … seconds.
    fn wait(&self) -> Duration {
        let doublings = self.failures.checked_sub(FREE + 1);
        doublings.map_or(Duration::ZERO, |n| SECOND.saturating_mul(1 << n.min(16)))
    }
}

impl AddressRow {
    pub(super) fn check(&self, policy: &Policy, now: Instant) -> Result<(), Wait> {
        let recent = self.failures.iter().filter(|at| now.since(**at) < MINUTE);
        let (count, oldest) = (recent.clone().count(), recent.min());
        if count >= policy.failures_a_minute {
            let until = oldest.map_or(now, |at| *at + MINUTE);
            return Err(Wait { length: until.since(now), why: Why::Address });
        }
        let undecided = usize::try_from(self.undecided.at(now)).unwrap_or(usize::MAX);
        if count.saturating_add(undecided) < policy.failures_a_minute {
            return Ok(());
        }
        Err(UNDECIDED)
    }

    pub(super) fn fail(&mut self, policy: &Policy, now: Instant) {
        self.undecided.decide();
        if self.failures.len() >= policy.failures_a_minute {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
    }

    /// There is nothing to remember.
    pub(super) fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.undecided.count == 0
    }
}

impl Undecided {
    pub(super) fn add(&mut self, now: Instant) {
        self.count = self.at(now).saturating_add(1);
        self.last = now;
    }

    pub(super) fn decide(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// What nobody told the end of is forgotten in the end.
    fn at(&self, now: Instant) -> u32 {
        if now.since(self.last) < MINUTE { self.count } else { 0 }
    }
}

/// A slip now and then is no row of failures: they are in a row within this time.
const A_ROW: Duration = Duration::from_secs(24 * 3_600);

/// So many wrong passwords are a slip, and nobody waits after them.
const FREE: u32 = 2;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A password is looked at in less.
const UNDECIDED: Wait = Wait { length: SECOND, why: Why::Undecided };
