//! The porter: lets people in, prolongs their stay, and keeps the book.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use identity::lockout::{Account as Tried, Attempt, Why};
use identity::session::Renewal;
use identity::{
    Digest, Hashed, Lockout, Person, Policy, RefreshToken, SessionId, Signer, Wait, name,
};
use protocol::id::UserId;
use protocol::time::{Instant, Timestamp};
use store::{AccountRow, Action, Audit, Deed, Kind, People as Book, PeopleError, Record, Records};
use store::{SessionRow, SignInRow};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Rules;
use super::call::{By, Call, Denied, Granted, Origin};
use super::hashing::{Found, Hashing, Task};
use super::sessions::{Present, Sessions, begin, grant, is_last_admin, renewed};
use crate::hub::Hub;

/// The porter's desk. It outlives a porter that fails.
pub struct PeopleDesk {
    pub(super) book: Book,
    pub(super) rules: Rules,
    signer: Signer,
    calls: mpsc::Receiver<Call>,
    pub(super) accounts: BTreeMap<UserId, AccountRow>,
    pub(super) sessions: Sessions,
    pub(super) lockout: Lockout,
    pub(super) hashing: Hashing<Purpose>,
    /// Those who knock while others at the same account are not decided yet.
    waiting: Vec<Knock>,
    version: Option<i64>,
    forget_at: u32,
}

/// What a password is looked at for.
pub(super) enum Purpose {
    SignIn(Knock),
    Confirm {
        knock: Knocked,
        answer: oneshot::Sender<Result<(), Denied>>,
    },
    Change {
        knock: Knocked,
        by: By,
        answer: oneshot::Sender<Result<(), Denied>>,
    },
    Add {
        by: By,
        account: AccountRow,
        answer: oneshot::Sender<Result<(), Denied>>,
    },
    Set {
        by: By,
        account: AccountRow,
        answer: oneshot::Sender<Result<(), Denied>>,
    },
    /// Made anew at today's costs, where somebody has just signed in.
    Upgrade(UserId),
}

/// Somebody at the door, with a name and a password.
pub(super) struct Knock {
    knocked: Knocked,
    digest: Digest,
    is_for_socket: bool,
    answer: oneshot::Sender<Result<Granted, Denied>>,
}

/// Who knocked.
pub(super) struct Knocked {
    pub(super) name: String,
    pub(super) origin: Origin,
}

/// What the porter writes to, beside the book.
#[derive(Clone)]
pub(super) struct Pens {
    pub(super) hub: Hub,
    pub(super) records: Records,
    pub(super) audit: Audit,
}

/// Lets people in until `stop`. A porter that fails leaves the desk to the next one, and nobody who
/// is in has to leave.
pub async fn run_people(
    desk: Arc<Mutex<PeopleDesk>>,
    hub: Hub,
    records: Records,
    audit: Audit,
    stop: CancellationToken,
) {
    let mut desk = desk.lock().await;
    let desk = &mut *desk;
    let pens = Pens { hub, records, audit };
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => desk.look(&pens).await,
            (purpose, found) = desk.hashing.next() => {
                desk.found(purpose, found, &pens).await;
                desk.knock_again(&pens);
            }
            call = desk.calls.recv() => match call {
                Some(call) => desk.take(call, &pens).await,
                None => return,
            },
        }
    }
}

impl PeopleDesk {
    pub(super) fn new(
        book: Book,
        rules: Rules,
        signer: Signer,
        calls: mpsc::Receiver<Call>,
        publish: watch::Sender<Arc<Present>>,
    ) -> Self {
        Self {
            book,
            rules,
            signer,
            calls,
            accounts: BTreeMap::new(),
            sessions: Sessions::new(publish),
            lockout: Lockout::new(Policy::default()),
            hashing: Hashing::new(),
            waiting: Vec::new(),
            version: None,
            forget_at: 0,
        }
    }

    /// Looks for what another process has changed, and forgets what has ended.
    async fn look(&mut self, pens: &Pens) {
        match self.book.version().await {
            Ok(version) if self.version == Some(version) => {}
            Ok(_) => {
                if let Err(error) = self.read().await {
                    return complain(&error);
                }
            }
            Err(error) => return complain(&error),
        }
        self.forget_at = self.forget_at.wrapping_add(1);
        if self.forget_at.is_multiple_of(FORGET_EVERY) {
            let now = pens.hub.time();
            self.sessions.forget(now);
            if let Err(error) = self.book.forget_sessions(now).await {
                complain(&error);
            }
        }
    }

    pub(super) async fn read(&mut self) -> Result<(), PeopleError> {
        let version = self.book.version().await?;
        let accounts = self.book.accounts().await?;
        let sessions = self.book.sessions().await?;
        for account in &accounts {
            let known = self.accounts.get(&account.name);
            if known.is_some_and(|known| known.unlocked_at != account.unlocked_at) {
                self.lockout.unlock(&account.name);
            }
        }
        self.accounts =
            accounts.into_iter().map(|account| (account.name.clone(), account)).collect();
        self.sessions.take_up(sessions, &self.accounts);
        self.version = Some(version);
        Ok(())
    }

    async fn take(&mut self, call: Call, pens: &Pens) {
        match call {
            Call::SignIn { name, digest, origin, is_for_socket, answer } => {
                let knocked = Knocked { name, origin };
                self.knock(Knock { knocked, digest, is_for_socket, answer }, pens);
            }
            Call::Renew { token, origin, answer } => {
                // Who no longer waits has lost the token, and signs in again.
                drop(answer.send(self.renew(&token, origin, pens).await));
            }
            Call::SignOut { person, origin, answer } => {
                drop(answer.send(self.sign_out(&person, origin, pens).await));
            }
            Call::Confirm { person, digest, origin, answer } => {
                let knock = Knocked { name: person.user.to_string(), origin };
                let about = |knock, answer| Purpose::Confirm { knock, answer };
                self.ask_again(knock, digest, None, answer, about, pens);
            }
            Call::ChangePassword { by, old, new, answer } => {
                self.change_password(by, old, &new, answer, pens);
            }
            Call::Accounts { answer } => drop(answer.send(Ok(self.list(pens)))),
            Call::Add { by, account, answer } => self.add(by, account, answer, pens),
            Call::Change { by, name, change, answer } => {
                self.change(by, &name, change, answer, pens).await;
            }
            Call::Remove { by, name, answer } => {
                drop(answer.send(self.remove(&by, &name, pens).await));
            }
            Call::Unlock { by, name, answer } => {
                drop(answer.send(self.unlock(&by, &name, pens).await));
            }
            Call::End { by, sid, answer } => drop(answer.send(self.end(&by, sid, pens).await)),
            Call::SignIns { user, answer } => drop(answer.send(self.sign_ins(&user).await)),
        }
    }

    /// Somebody wants in: a password is looked at, unless there is a reason not to.
    fn knock(&mut self, knock: Knock, pens: &Pens) {
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
    fn knock_again(&mut self, pens: &Pens) {
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

    async fn found(&mut self, purpose: Purpose, found: Found, pens: &Pens) {
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

    async fn renew(
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

    async fn sign_out(
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

    /// Ends a sign-in, in memory first: whatever the disk does, it is over now.
    pub(super) async fn over(&mut self, sid: SessionId) -> Option<SessionRow> {
        let ended = self.sessions.end(sid)?;
        if let Err(error) = self.book.remove_session(&ended.id).await {
            complain(&error);
        }
        Some(ended)
    }

    /// Writes an account down, here and in the book.
    pub(super) async fn put(&mut self, account: AccountRow) -> Result<(), Denied> {
        let put = self.book.put_account(&account).await;
        put.map_err(|error| unavailable(&error))?;
        self.accounts.insert(account.name.clone(), account);
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

impl Pens {
    pub(super) fn record(&self, kind: Kind, user: &str, origin: &Origin) {
        self.records.append(Record {
            at: self.hub.time(),
            kind,
            connection: None,
            device: None,
            user: Some(user.into()),
            detail: format!("from {}", origin.address),
            sent: None,
        });
    }

    pub(super) fn deed(
        &self,
        (user, role): (&str, Option<protocol::user::Role>),
        origin: &Origin,
        action: Action,
        target: &str,
        detail: &str,
    ) {
        let is_done = action != Action::LockedOut && action != Action::TokenStolen;
        self.audit.append(Deed {
            at: self.hub.time(),
            user: user.into(),
            role,
            origin: origin.address.to_string(),
            action,
            target: target.into(),
            before: None,
            after: None,
            is_done,
            detail: detail.into(),
        });
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

pub(super) fn unavailable(error: &PeopleError) -> Denied {
    complain(error);
    Denied::Unavailable
}

fn complain(error: &PeopleError) {
    tracing::error!("the book of people: {error}");
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], Denied> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!("the system gives no random numbers: {error}");
        Denied::Unavailable
    })?;
    Ok(bytes)
}

/// How long an account is locked from now on, as a moment of the wall clock.
pub(super) fn locked_until(
    lockout: &Lockout,
    name: &UserId,
    (now, wall): (Instant, Timestamp),
) -> Option<Timestamp> {
    lockout.locked_until(name, now).map(|until| wall + until.since(now))
}

/// What another process changes counts within a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Those beyond are told to come again.
const MOST_WAITING: usize = 64;

/// Looks between two clearings of what has ended.
const FORGET_EVERY: u32 = 120;
