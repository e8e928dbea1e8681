//! Holds up whoever tries one password after the other, and bounds what remembering that costs.
//!
//! A failure makes the same address wait for the same account, longer each time; too many in a row
//! lock the account for everybody, and an address has only so many failures a minute. Names that
//! nobody has are held up as accounts are, so that they cannot be told apart, and are remembered
//! apart from them, so that no flood of names makes a lock forgotten.

mod rows;

use std::net::IpAddr;
use std::time::Duration;

use protocol::id::UserId;
use protocol::time::Instant;
use sha2::{Digest as _, Sha256};

use self::rows::{AccountRow, AddressRow, PairRow};
use crate::memory::Memory;

#[derive(Debug)]
pub struct Lockout {
    policy: Policy,
    accounts: Names,
    /// Names that nobody has.
    unknown: Names,
    addresses: Memory<Net, AddressRow>,
}

#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// So many failures in a row lock an account.
    pub failures: u32,
    /// For so long.
    pub lock: Duration,
    /// Nobody waits longer than this between two tries at an account that is not locked.
    pub longest_wait: Duration,
    /// So many failures a minute are open to one address.
    pub failures_a_minute: usize,
    /// So many names and addresses are remembered, of each kind.
    pub remembered: usize,
}

/// Somebody tries to sign in.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub account: Account<'a>,
    pub address: IpAddr,
    /// From this very machine, not through a proxy on it.
    pub is_local: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Account<'a> {
    Known {
        name: &'a UserId,
        /// There is no other administrator who could unlock it.
        is_last_admin: bool,
    },
    /// A name that nobody has, or nobody could have.
    Unknown(&'a str),
}

/// Nobody looks at the password before this time is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{why}; try again in {} s", .length.as_secs_f64().ceil())]
pub struct Wait {
    pub length: Duration,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Why {
    #[error("the password was wrong a moment ago")]
    BackedOff,
    #[error("the account is locked after too many wrong passwords")]
    Locked,
    #[error("too many wrong passwords from this address")]
    Address,
    #[error("other tries at this account are not decided yet")]
    Undecided,
}

/// What is remembered of names.
#[derive(Debug)]
struct Names {
    accounts: Memory<Key, AccountRow>,
    pairs: Memory<(Key, Net), PairRow>,
}

/// A name, in the same few bytes however long it is.
type Key = [u8; 16];

/// An address as far as one owner can be told by it: of IPv6 the first half.
type Net = u128;

impl Lockout {
    pub fn new(policy: Policy) -> Self {
        let names = || Names {
            accounts: Memory::new(policy.remembered),
            pairs: Memory::new(policy.remembered),
        };
        let addresses = Memory::new(policy.remembered);
        Self { policy, accounts: names(), unknown: names(), addresses }
    }

    /// Whether a try would be admitted.
    pub fn check(&self, attempt: &Attempt<'_>, now: Instant) -> Result<(), Wait> {
        let (key, net) = (attempt.account.key(), net(attempt.address));
        let names = if attempt.account.is_known() { &self.accounts } else { &self.unknown };
        if !attempt.is_local
            && let Some(row) = self.addresses.get(&net)
        {
            row.check(&self.policy, now)?;
        }
        if !attempt.cannot_be_locked_out()
            && let Some(row) = names.accounts.get(&key)
        {
            row.check(&self.policy, now)?;
        }
        names.pairs.get(&(key, net)).map_or(Ok(()), |row| row.check(now))
    }

    /// Admits a try, right before its password is looked at. It is then told by
    /// [`Self::failed`], [`Self::succeeded`] or [`Self::withdrawn`] what became of it; until then
    /// it counts as a failure, so that many at once are not more than one after the other.
    pub fn admit(&mut self, attempt: &Attempt<'_>, now: Instant) -> Result<(), Wait> {
        self.check(attempt, now)?;
        let key = attempt.account.key();
        self.names(attempt).accounts.touch(&key).undecided.add(now);
        if !attempt.is_local {
            self.addresses.touch(&net(attempt.address)).undecided.add(now);
        }
        Ok(())
    }

    /// The password was wrong, or the account takes none; for how long it is locked now, if this
    /// was one failure too many.
    pub fn failed(&mut self, attempt: &Attempt<'_>, now: Instant) -> Option<Duration> {
        let (key, net) = (attempt.account.key(), net(attempt.address));
        let policy = self.policy;
        if !attempt.is_local {
            self.addresses.touch(&net).fail(&policy, now);
        }
        let names = self.names(attempt);
        names.pairs.touch(&(key, net)).fail(&policy, now);
        let is_locked = names.accounts.touch(&key).fail(&policy, now);
        is_locked.then_some(policy.lock)
    }

    /// The password was right: what went wrong before is forgiven, but to the address.
    pub fn succeeded(&mut self, attempt: &Attempt<'_>) {
        let (key, net) = (attempt.account.key(), net(attempt.address));
        self.names(attempt).accounts.remove(&key);
        self.names(attempt).pairs.remove(&(key, net));
        self.decide_address(net);
    }

    /// Nobody looked at the password after all.
    pub fn withdrawn(&mut self, attempt: &Attempt<'_>) {
        let key = attempt.account.key();
        if let Some(row) = self.names(attempt).accounts.get_mut(&key) {
            row.undecided.decide();
        }
        self.decide_address(net(attempt.address));
    }

    /// Ends the lock of an account, and whatever wait there is for it.
    pub fn unlock(&mut self, name: &UserId) {
        let key = key(name.as_str());
        self.accounts.accounts.remove(&key);
        self.accounts.pairs.remove_all(|(of, _)| *of == key);
    }

    pub fn locked_until(&self, name: &UserId, now: Instant) -> Option<Instant> {
        self.accounts.accounts.get(&key(name.as_str()))?.locked_until(now)
    }

    fn names(&mut self, attempt: &Attempt<'_>) -> &mut Names {
        if attempt.account.is_known() { &mut self.accounts } else { &mut self.unknown }
    }

    fn decide_address(&mut self, net: Net) {
        let Some(row) = self.addresses.get_mut(&net) else { return };
        row.undecided.decide();
        if row.is_clean() {
            self.addresses.remove(&net);
        }
    }
}

impl Attempt<'_> {
    /// The last administrator, at the machine itself: somebody has to be able to help.
    fn cannot_be_locked_out(&self) -> bool {
        self.is_local && matches!(self.account, Account::Known { is_last_admin: true, .. })
    }
}

impl Account<'_> {
    fn is_known(&self) -> bool {
        matches!(self, Self::Known { .. })
    }

    fn key(&self) -> Key {
        match self {
            Self::Known { name, .. } => key(name.as_str()),
            Self::Unknown(name) => key(name),
        }
    }
}

impl Wait {
    /// In whole seconds, for the header `Retry-After`.
    pub fn retry_after(&self) -> u64 {
        u64::try_from(self.length.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX).max(1)
    }
}

impl Default for Policy {
    /// `operations.md` B3, CR 1.11.
    fn default() -> Self {
        Self {
            failures: 5,
            lock: Duration::from_secs(15 * 60),
            longest_wait: Duration::from_secs(30),
            failures_a_minute: 10,
            remembered: 10_000,
        }
    }
}

fn key(name: &str) -> Key {
    let bytes = name.as_bytes();
    let head = &bytes[..bytes.len().min(LONGEST_NAME)];
    let digest: [u8; 32] = Sha256::new().chain_update(head).finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

fn net(address: IpAddr) -> Net {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits() & (u128::MAX << 64),
    }
}

/// No account's name is longer: those that are longer are held up together.
const LONGEST_NAME: usize = 65;

#[cfg(test)]
mod tests;
