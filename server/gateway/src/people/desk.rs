//! The porter: lets people in, prolongs their stay, and keeps the book.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use identity::{Digest, Lockout, Policy, SessionId, Signer};
use protocol::id::UserId;
use protocol::time::{Instant, Timestamp};
use store::SessionRow;
use store::{AccountRow, Action, Audit, Deed, Kind, People as Book, PeopleError, Record, Records};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Rules;
use super::call::{By, Call, Denied, Granted, Origin};
use super::hashing::Hashing;
use super::sessions::{Present, Sessions};
use crate::hub::Hub;

/// The porter's desk. It outlives a porter that fails.
pub struct PeopleDesk {
    pub(super) book: Book,
    pub(super) rules: Rules,
    pub(super) signer: Signer,
    calls: mpsc::Receiver<Call>,
    pub(super) accounts: BTreeMap<UserId, AccountRow>,
    pub(super) sessions: Sessions,
    pub(super) lockout: Lockout,
    pub(super) hashing: Hashing<Purpose>,
    /// Those who knock while others at the same account are not decided yet.
    pub(super) waiting: Vec<Knock>,
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
    pub(super) knocked: Knocked,
    pub(super) digest: Digest,
    pub(super) is_for_socket: bool,
    pub(super) answer: oneshot::Sender<Result<Granted, Denied>>,
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

pub(super) fn unavailable(error: &PeopleError) -> Denied {
    complain(error);
    Denied::Unavailable
}

pub(super) fn complain(error: &PeopleError) {
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

/// Looks between two clearings of what has ended.
const FORGET_EVERY: u32 = 120;
