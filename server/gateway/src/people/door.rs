//! At the door: whose password is looked at, who is let in, and for how long.

use std::collections::BTreeMap;

use identity::lockout::{Account as Tried, Attempt, Why};
use identity::session::Renewal;
use identity::{Digest, Hashed, Person, RefreshToken, SessionId, Wait, name};
use protocol::id::UserId;
use store::SignInRow;
use store::{AccountRow, Action, Kind};
use tokio::sync::oneshot;

use super::call::{Denied, Granted, Origin};
use super::hashing::{Found, Task};
use super::sessions::{begin, grant, is_last_admin, renewed};

use super::desk::{Knock, Knocked, Pens, PeopleDesk, Purpose, complain, random};

impl PeopleDesk {
    /// Somebody wants in: a password is looked at, unless there is a reason not to.
    pub(super) fn knock(&mut self, knock: Knock, pens: &Pens) {
        match self.admit(&knock.knocked, pens) {
            Err(Denied::Wait(Wait { why: Why::Undecided, .. }))
                if self.waiting.len() < MOST_WAITING =>
            {
                self.waiting.push(knock);
            }
            Err(denied) => drop(knock.answer.send(Err(denied))),
            Ok(kept) => {
                let task = Task { check: Some((kept, knock.digest.clone())), make: None };
                self.hashing.begin(Purpose::SignIn(knock), task);
            }
        }
    }

    /// Others have been decided meanwhile: ten sockets of one client come at the same time.
    pub(super) fn knock_again(&mut self, pens: &Pens) {
        for knock in std::mem::take(&mut self.waiting) {
            self.knock(knock, pens);
        }
    }

    /// Somebody who is in says the password once more; `make` is hashed if it is right.
    pub(super) fn ask_again(
        &mut self,
        knocked: Knocked,
        digest: Digest,
        make: Option<Digest>,
        answer: oneshot::Sender<Result<(), Denied>>,
        about: impl FnOnce(Knocked, oneshot::Sender<Result<(), Denied>>) -> Purpose,
        pens: &Pens,
    ) {
        let admitted = self.admit(&knocked, pens);
        let made = make.map(|make| Ok((make, random()?))).transpose();
        match (admitted, made) {
            (Err(denied), _) | (_, Err(denied)) => drop(answer.send(Err(denied))),
            (Ok(kept), Ok(make)) => {
                let task = Task { check: Some((kept, digest)), make };
                self.hashing.begin(about(knocked, answer), task);
            }
        }
    }

    /// What the password is to be compared with; or why nobody looks at it now.
    fn admit(&mut self, knocked: &Knocked, pens: &Pens) -> Result<Option<Hashed>, Denied> {
        if self.hashing.is_full() {
            return Err(Denied::Busy);
        }
        let now = pens.hub.stopwatch().now();
        let account = self.accounts.get(knocked.name.as_str());
        let attempt = attempt(knocked, account, &self.accounts);
        match self.lockout.admit(&attempt, now) {
            Ok(()) => {}
            Err(wait) if wait.why == Why::Undecided => return Err(Denied::Wait(wait)),
            Err(wait) => return Err(held_up(knocked, wait, pens)),
        }
        let open = account.filter(|account| !account.is_disabled);
        Ok(open.and_then(|account| account.hash.parse().ok()))
    }

    pub(super) async fn found(&mut self, purpose: Purpose, found: Found, pens: &Pens) {
        match purpose {
            Purpose::SignIn(knock) => {
                let outcome = match self.judge(&knock.knocked, found.is_right, pens).await {
                    Ok(account) => self.let_in(&account, &knock, pens).await,
                    Err(denied) => Err(denied),
                };
                drop(knock.answer.send(outcome));
            }
            Purpose::Confirm { knock, answer } => {
                let outcome = self.judge(&knock, found.is_right, pens).await;
                drop(answer.send(outcome.map(drop)));
            }
            Purpose::Change { knock, by, answer } => {
                let outcome = match (self.judge(&knock, found.is_right, pens).await, found.made) {
                    (Ok(account), Some(made)) => self.own_password(account, made, &by, pens).await,
                    (Err(denied), _) => Err(denied),
                    (Ok(_), None) => Err(Denied::Unavailable),
                };
                drop(answer.send(outcome));
            }
            Purpose::Add { by, account, answer } => {
                drop(answer.send(self.added(&by, account, found.made, pens).await));
            }
            Purpose::Set { by, account, answer } => {
                drop(answer.send(self.set(&by, account, found.made, pens).await));
            }
            Purpose::Upgrade(name) => self.upgrade(&name, found.made).await,
        }
    }

    /// Whether it was the right password, which is remembered either way.
    async fn judge(
        &mut self,
        knocked: &Knocked,
        is_right: bool,
        pens: &Pens,
    ) -> Result<AccountRow, Denied> {
        let now = pens.hub.stopwatch().now();
        let account = self.accounts.get(knocked.name.as_str()).cloned();
        let attempt = attempt(knocked, account.as_ref(), &self.accounts);
        if let Some(account) = account.clone().filter(|account| is_right && !account.is_disabled) {
            self.lockout.succeeded(&attempt);
            return Ok(account);
        }
        let locked = self.lockout.failed(&attempt, now);
        let shown = name::shown(&knocked.name);
        pens.record(Kind::SignInFailed, &shown, &knocked.origin);
        if locked.is_some() {
            pens.record(Kind::LockedOut, &shown, &knocked.origin);
            let detail = "too many wrong passwords";
            pens.deed((&shown, None), &knocked.origin, Action::LockedOut, &shown, detail);
        }
        if let Some(account) = account {
            self.note(&account.name, &knocked.origin, Some("WRONG_PASSWORD"), pens).await;
        }
        Err(Denied::WrongCredentials)
    }

    async fn let_in(
        &mut self,
        account: &AccountRow,
        knock: &Knock,
        pens: &Pens,
    ) -> Result<Granted, Denied> {
        let Knock { knocked, digest, is_for_socket, .. } = knock;
        let now = pens.hub.time();
        let (sid, refresh) = (SessionId::new(random()?), RefreshToken::new(random()?));
        let origin = knocked.origin.address.to_string();
        let (mut row, person) = begin(account, (sid, refresh.clone()), origin, &self.rules, now);
        if *is_for_socket {
            row.refresh_until = row.until;
        }
        // Whoever knows the password gets in while the disk fails, until the next start.
        if let Err(error) = self.book.put_session(&row).await {
            complain(&error);
        } else if let Err(error) = self.book.note_signed_in(&account.name, now).await {
            complain(&error);
        }
        if let Some(known) = self.accounts.get_mut(&account.name) {
            known.signed_in_at = Some(now);
        }
        self.sessions.insert(row.clone(), person.clone());
        self.note(&account.name, &knocked.origin, None, pens).await;
        pens.record(Kind::SignedIn, account.name.as_str(), &knocked.origin);
        let who = (account.name.as_str(), Some(account.role));
        pens.deed(who, &knocked.origin, Action::SignIn, account.name.as_str(), "");
        self.make_anew(account, digest);
        Ok(grant(&row, &person, Some(refresh), (&self.signer, &self.rules), now))
    }

    /// A hash of other costs than today's is replaced while its password is at hand.
    fn make_anew(&mut self, account: &AccountRow, digest: &Digest) {
        let is_outdated = account.hash.parse().is_ok_and(|hash: Hashed| hash.is_outdated());
        if let (true, Ok(salt)) = (is_outdated && !self.hashing.is_full(), random()) {
            let task = Task { check: None, make: Some((digest.clone(), salt)) };
            self.hashing.begin(Purpose::Upgrade(account.name.clone()), task);
        }
    }

    pub(super) async fn renew(
        &mut self,
        token: &RefreshToken,
        origin: Origin,
        pens: &Pens,
    ) -> Result<Granted, Denied> {
        let now = pens.hub.time();
        let (sid, worth) = self.sessions.find(token, now).ok_or(Denied::Ended)?;
        let (row, person) = self.sessions.get(sid).ok_or(Denied::Ended)?;
        let (row, person) = (row.clone(), person.clone());
        match worth {
            Renewal::Renewed => {
                let refresh = RefreshToken::new(random()?);
                let row = renewed(&row, &refresh, &self.rules, now);
                if let Err(error) = self.book.put_session(&row).await {
                    complain(&error);
                }
                self.sessions.prolong(sid, row.clone());
                Ok(grant(&row, &person, Some(refresh), (&self.signer, &self.rules), now))
            }
            Renewal::Repeated => Ok(grant(&row, &person, None, (&self.signer, &self.rules), now)),
            Renewal::Stolen => {
                self.over(sid).await;
                pens.record(Kind::TokenRefused, person.user.as_str(), &origin);
                let who = (person.user.as_str(), Some(person.role));
                let detail = "a refresh token was shown a second time: its sign-in is over";
                pens.deed(who, &origin, Action::TokenStolen, person.user.as_str(), detail);
                Err(Denied::Ended)
            }
            Renewal::Ended | Renewal::Foreign => Err(Denied::Ended),
        }
    }

    pub(super) async fn sign_out(
        &mut self,
        person: &Person,
        origin: Origin,
        pens: &Pens,
    ) -> Result<(), Denied> {
        let sid = person.sid.ok_or(Denied::NoAccount)?;
        self.over(sid).await;
        pens.record(Kind::SignedOut, person.user.as_str(), &origin);
        let who = (person.user.as_str(), Some(person.role));
        pens.deed(who, &origin, Action::SignOut, person.user.as_str(), "");
        Ok(())
    }

    async fn upgrade(&mut self, name: &UserId, made: Option<Hashed>) {
        let (Some(account), Some(made)) = (self.accounts.get_mut(name), made) else { return };
        // Where it cannot be written, or was changed meanwhile, the next sign-in will do.
        match self.book.replace_hash(name, &account.hash, made.as_str()).await {
            Ok(true) => account.hash = made.as_str().into(),
            Ok(false) => {}
            Err(error) => complain(&error),
        }
    }

    /// What a person may look up about the own account.
    async fn note(&mut self, account: &UserId, origin: &Origin, reason: Option<&str>, pens: &Pens) {
        let (at, reason) = (pens.hub.time(), reason.map(String::from));
        let row =
            SignInRow { at, account: account.clone(), origin: origin.address.to_string(), reason };
        if let Err(error) = self.book.note_sign_in(&row).await {
            complain(&error);
        }
    }
}

fn attempt<'a>(
    knocked: &'a Knocked,
    account: Option<&'a AccountRow>,
    accounts: &BTreeMap<UserId, AccountRow>,
) -> Attempt<'a> {
    let account = match account {
        Some(account) => {
            Tried::Known { name: &account.name, is_last_admin: is_last_admin(account, accounts) }
        }
        None => Tried::Unknown(&knocked.name),
    };
    let Origin { address, is_local } = knocked.origin;
    Attempt { account, address, is_local }
}

fn held_up(knocked: &Knocked, wait: Wait, pens: &Pens) -> Denied {
    pens.record(Kind::SignInFailed, &name::shown(&knocked.name), &knocked.origin);
    Denied::Wait(wait)
}

/// Those beyond are told to come again.
const MOST_WAITING: usize = 64;
