//! What lock-outs promise (IEC 62443 CR 1.11), by table and by chance.

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn lockout() -> Lockout {
    Lockout::new(Policy::default())
}

fn start() -> Instant {
    Instant::from_millis(1_000_000)
}

fn remote(last: u8) -> IpAddr {
    [10, 0, 0, last].into()
}

fn known(name: &UserId, address: IpAddr) -> Attempt<'_> {
    let account = Account::Known { name, is_last_admin: false };
    Attempt { account, address, is_local: false }
}

fn unknown(name: &str, address: IpAddr) -> Attempt<'_> {
    Attempt { account: Account::Unknown(name), address, is_local: false }
}

/// The last administrator, at the machine.
fn console(name: &UserId) -> Attempt<'_> {
    let account = Account::Known { name, is_last_admin: true };
    Attempt { account, address: [127, 0, 0, 1].into(), is_local: true }
}

fn li() -> UserId {
    "li".parse().unwrap()
}

/// Fails once, as early as it is let; when that was.
fn fail(lockout: &mut Lockout, attempt: &Attempt<'_>, mut now: Instant) -> Instant {
    while let Err(wait) = lockout.admit(attempt, now) {
        now = now + wait.length;
    }
    lockout.failed(attempt, now);
    now
}

#[test]
fn the_same_address_waits_longer_each_time_and_never_too_long() {
    let (mut lockout, li) = (lockout(), li());
    let attempt = console(&li);
    let mut now = start();
    let mut waits = Vec::new();
    for _ in 0..10 {
        now = fail(&mut lockout, &attempt, now);
        waits.push(lockout.check(&attempt, now).map_or_else(|wait| wait.length.as_secs(), |()| 0));
    }
    assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 30, 30, 30]);
    assert_eq!(lockout.check(&attempt, now + SECOND * 30), Ok(()), "and it ends");
    lockout.succeeded(&attempt);
    assert_eq!(lockout.check(&attempt, now), Ok(()), "and a right password ends it");
    let later = now + MINUTE * 15;
    assert_eq!(fail(&mut lockout, &attempt, later), later);
    assert_eq!(lockout.check(&attempt, later), Ok(()), "it begins anew");
}

#[test]
fn five_failures_in_a_row_lock_an_account_from_wherever_they_come() {
    let (mut lockout, li) = (lockout(), li());
    let mut locked = Vec::new();
    for last in 1..=5 {
        let attempt = known(&li, remote(last));
        assert_eq!(lockout.admit(&attempt, start()), Ok(()));
        locked.push(lockout.failed(&attempt, start()));
    }
    assert_eq!(locked, [None, None, None, None, Some(MINUTE * 15)]);
    let attempt = known(&li, remote(6));
    let wait = lockout.admit(&attempt, start() + MINUTE).unwrap_err();
    assert_eq!(wait, Wait { length: MINUTE * 14, why: Why::Locked });
    assert_eq!(wait.retry_after(), 840);
    assert_eq!(lockout.locked_until(&li, start()), Some(start() + MINUTE * 15));
    assert_eq!(lockout.locked_until(&li, start() + MINUTE * 15), None);
    let again = (0..5).map(|_| fail(&mut lockout, &attempt, start() + MINUTE * 15)).last().unwrap();
    assert!(lockout.locked_until(&li, again).is_some(), "and each time");
    lockout.unlock(&li);
    assert_eq!(lockout.locked_until(&li, again), None);
    assert_eq!(lockout.check(&known(&li, remote(7)), again), Ok(()));
}

#[test]
fn a_right_password_in_between_starts_the_row_anew() {
    let (mut lockout, li) = (lockout(), li());
    for last in 1..=20 {
        let attempt = known(&li, remote(last));
        fail(&mut lockout, &attempt, start());
        if last % 4 == 0 {
            assert_eq!(lockout.admit(&attempt, start()), Ok(()));
            lockout.succeeded(&attempt);
        }
    }
    assert_eq!(lockout.locked_until(&li, start()), None);
}

#[test]
fn an_address_has_ten_failures_a_minute_and_this_machine_any_number() {
    let mut lockout = lockout();
    let names: Vec<String> = (0..20).map(|n| format!("user-{n}")).collect();
    for name in &names[..10] {
        assert_eq!(fail(&mut lockout, &unknown(name, remote(1)), start()), start());
    }
    let eleventh = unknown(&names[10], remote(1));
    let wait = lockout.admit(&eleventh, start() + SECOND * 20).unwrap_err();
    assert_eq!(wait, Wait { length: SECOND * 40, why: Why::Address });
    assert_eq!(lockout.check(&unknown(&names[10], remote(2)), start()), Ok(()));
    assert_eq!(lockout.check(&eleventh, start() + MINUTE), Ok(()));
    for name in &names {
        let local = Attempt { is_local: true, ..unknown(name, [127, 0, 0, 1].into()) };
        assert_eq!(fail(&mut lockout, &local, start()), start());
    }
}

#[test]
fn one_owner_of_many_ipv6_addresses_is_one_address() {
    let mut lockout = lockout();
    let names: Vec<String> = (0..11).map(|n| format!("user-{n}")).collect();
    for (n, name) in names.iter().enumerate().take(10) {
        let address = format!("2001:db8::{n}").parse().unwrap();
        fail(&mut lockout, &unknown(name, address), start());
    }
    let other = "2001:db8::ffff".parse().unwrap();
    assert!(lockout.check(&unknown(&names[10], other), start()).is_err());
    assert_eq!(net("::ffff:10.0.0.1".parse().unwrap()), net(remote(1)));
    assert_ne!(net(remote(1)), net(remote(2)));
}

#[test]
fn many_tries_at_once_are_not_more_than_one_after_the_other() {
    let (mut lockout, li) = (lockout(), li());
    let attempts: Vec<_> = (1..=64).map(|last| known(&li, remote(last))).collect();
    let admitted: Vec<_> =
        attempts.iter().filter(|attempt| lockout.admit(attempt, start()).is_ok()).collect();
    assert_eq!(admitted.len(), 5);
    let wait = lockout.check(&attempts[9], start()).unwrap_err();
    assert_eq!(wait.why, Why::Undecided);
    lockout.withdrawn(admitted[0]);
    assert_eq!(lockout.check(&attempts[9], start()), Ok(()), "one was not looked at");
    for attempt in &admitted[1..] {
        lockout.failed(attempt, start());
    }
    assert_eq!(lockout.locked_until(&li, start()), None, "four were");
}

#[test]
fn a_try_that_nobody_told_the_end_of_is_forgotten() {
    let (mut lockout, li) = (lockout(), li());
    for last in 1..=5 {
        assert_eq!(lockout.admit(&known(&li, remote(last)), start()), Ok(()));
    }
    let attempt = known(&li, remote(9));
    assert!(lockout.check(&attempt, start() + SECOND * 59).is_err());
    assert_eq!(lockout.check(&attempt, start() + MINUTE), Ok(()));
}

#[test]
fn a_flood_of_a_million_names_is_bounded_and_lifts_no_lock() {
    let (mut lockout, li) = (lockout(), li());
    for last in 1..=5 {
        fail(&mut lockout, &known(&li, remote(last)), start());
    }
    for n in 0..1_000_000_u32 {
        let name = format!("nobody-{n}");
        let [a, b, c, d] = n.to_be_bytes();
        let attempt = unknown(&name, [a | 11, b, c, d].into());
        assert_eq!(lockout.admit(&attempt, start()), Ok(()));
        lockout.failed(&attempt, start());
    }
    let Names { accounts, pairs } = &lockout.unknown;
    assert_eq!((accounts.len(), pairs.len(), lockout.addresses.len()), (10_000, 10_000, 10_000));
    assert!(lockout.locked_until(&li, start()).is_some());
    assert_eq!(lockout.check(&known(&li, remote(9)), start()).unwrap_err().why, Why::Locked);
}

#[test]
fn a_name_that_nobody_has_is_held_up_like_an_account() {
    let (mut lockout, li) = (lockout(), li());
    let mut now = start();
    for n in 0..10 {
        let here = known(&li, remote(n));
        let there = unknown("nobody", remote(100 + n));
        assert_eq!(lockout.check(&here, now), lockout.check(&there, now));
        now = fail(&mut lockout, &here, now);
        assert_eq!(fail(&mut lockout, &there, now), now);
    }
    assert!(lockout.check(&unknown("nobody", remote(99)), now).is_err());
}

#[test]
fn a_megabyte_of_a_name_costs_what_a_short_one_does() {
    let megabyte = "x".repeat(1_000_000);
    let mut lockout = lockout();
    for _ in 0..100_000 {
        lockout.succeeded(&unknown(&megabyte, remote(1)));
    }
    assert_eq!(key(&megabyte), key(&megabyte[..LONGEST_NAME]));
    assert_ne!(key(&megabyte), key(&megabyte[..LONGEST_NAME - 1]), "which could be somebody");
}

/// One step of whoever tries: how long after the one before, from where, and what becomes of it.
fn step() -> impl Strategy<Value = (u64, u8, u8)> {
    (0..40_000_u64, 0..4_u8, 0..8_u8)
}

proptest! {
    #[test]
    fn the_last_admin_is_never_locked_out_at_the_machine(steps in prop::collection::vec(step(), 1..200)) {
        let (mut lockout, admin, mut now) = (lockout(), li(), start());
        for (pause, from, _) in steps {
            now = now + Duration::from_millis(pause);
            let attempt = if from == 0 { console(&admin) } else { known(&admin, remote(from)) };
            if lockout.admit(&attempt, now).is_ok() {
                lockout.failed(&attempt, now);
            }
            let wait = lockout.check(&console(&admin), now).map_or_else(|wait| wait.length, |()| Duration::ZERO);
            prop_assert!(wait <= SECOND * 30, "{:?}", wait);
        }
    }

    #[test]
    fn whoever_has_no_password_looks_at_few_in_an_hour(steps in prop::collection::vec(step(), 1..400)) {
        let (mut lockout, li, mut now) = (lockout(), li(), start());
        let mut tried = Vec::new();
        for (pause, from, _) in steps {
            now = now + Duration::from_millis(pause);
            let attempt = known(&li, remote(from));
            if lockout.admit(&attempt, now).is_ok() {
                lockout.failed(&attempt, now);
                tried.push(now);
            }
        }
        for first in &tried {
            let hour = tried.iter().filter(|at| *at >= first && at.since(*first) < MINUTE * 60);
            prop_assert!(hour.count() <= 25);
        }
    }

    #[test]
    fn every_wait_ends(steps in prop::collection::vec(step(), 1..200)) {
        let (mut lockout, li, mut now) = (lockout(), li(), start());
        for (pause, from, outcome) in steps {
            now = now + Duration::from_millis(pause);
            let attempt = known(&li, remote(from));
            if lockout.admit(&attempt, now).is_ok() {
                match outcome {
                    0 => lockout.succeeded(&attempt),
                    1 => lockout.withdrawn(&attempt),
                    // The end of it is never told.
                    2 => {}
                    _ => drop(lockout.failed(&attempt, now)),
                }
            }
        }
        prop_assert_eq!(lockout.check(&known(&li, remote(0)), now + MINUTE * 16), Ok(()));
    }

    #[test]
    fn a_right_password_forgives_what_went_wrong_before(failures in 0..4_usize, from in 0..4_u8) {
        let (mut lockout, li, mut now) = (lockout(), li(), start());
        let attempt = known(&li, remote(from));
        for _ in 0..failures {
            now = fail(&mut lockout, &attempt, now);
        }
        now = now + SECOND * 30;
        prop_assert_eq!(lockout.admit(&attempt, now), Ok(()));
        lockout.succeeded(&attempt);
        for _ in 0..4 {
            now = fail(&mut lockout, &attempt, now);
        }
        prop_assert_eq!(lockout.locked_until(&li, now), None);
    }
}
