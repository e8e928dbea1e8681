//! Sign-ins that hold, and what is published of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use identity::session::{Renewable, Renewal};
use identity::{Claims, Person, RefreshToken, SessionId, Signer};
use protocol::id::UserId;
use protocol::time::Timestamp;
use protocol::user::Role;
use store::{AccountRow, SessionRow};
use tokio::sync::watch;

use super::Rules;
use super::call::Granted;
use super::visitor::{Standing, Visitor};

/// The sign-ins that hold, for whoever looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Present(BTreeMap<SessionId, Ticket>);

/// A sign-in, as others see it.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) person: Person,
    pub(crate) since: Timestamp,
    pub(crate) origin: String,
    pub(crate) until: watch::Receiver<Timestamp>,
}

impl Present {
    pub(super) fn visitor(&self, sid: SessionId) -> Option<Visitor> {
        let ticket = self.0.get(&sid)?;
        let standing = Standing::Session(ticket.until.clone());
        Some(Visitor::new(ticket.person.clone(), standing))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SessionId, &Ticket)> {
        self.0.iter()
    }
}

/// The sign-ins themselves.
#[derive(Debug)]
pub(super) struct Sessions {
    held: BTreeMap<SessionId, Held>,
    publish: watch::Sender<Arc<Present>>,
}

#[derive(Debug)]
struct Held {
    row: SessionRow,
    person: Person,
    /// Whoever is let in by it looks at this; dropped, it lets nobody in any more.
    until: watch::Sender<Timestamp>,
}

impl Sessions {
    pub(super) fn new(publish: watch::Sender<Arc<Present>>) -> Self {
        Self { held: BTreeMap::new(), publish }
    }

    /// Takes up what is in the book: what is no longer there ends.
    pub(super) fn take_up(
        &mut self,
        rows: Vec<SessionRow>,
        accounts: &BTreeMap<UserId, AccountRow>,
    ) {
        let mut held = BTreeMap::new();
        for row in rows {
            let Ok(sid) = row.id.parse() else { continue };
            let Some(account) = accounts.get(&row.account) else { continue };
            let person = person_of(account, sid);
            let until = match self.held.remove(&sid) {
                // What it may do has changed under it: it has to sign in again.
                Some(old) if old.person.role != person.role || old.person.sites != person.sites => {
                    continue;
                }
                Some(old) => old.until,
                None => watch::Sender::new(row.until),
            };
            until.send_if_modified(|old| std::mem::replace(old, row.until) != row.until);
            held.insert(sid, Held { row, person, until });
        }
        self.held = held;
        self.publish();
    }

    pub(super) fn insert(&mut self, row: SessionRow, person: Person) {
        let Some(sid) = person.sid else { return };
        let until = watch::Sender::new(row.until);
        self.held.insert(sid, Held { row, person, until });
        self.publish();
    }

    pub(super) fn end(&mut self, sid: SessionId) -> Option<SessionRow> {
        let ended = self.held.remove(&sid).map(|held| held.row);
        self.publish();
        ended
    }

    /// Ends those of an account, but for one; their names.
    pub(super) fn end_all_of(
        &mut self,
        account: &UserId,
        but: Option<SessionId>,
    ) -> Vec<SessionId> {
        let is_over =
            |sid: &SessionId, held: &Held| held.row.account == *account && Some(*sid) != but;
        let over: Vec<_> = self.held.iter().filter(|(sid, held)| is_over(sid, held)).collect();
        let over: Vec<_> = over.into_iter().map(|(sid, _)| *sid).collect();
        over.iter().for_each(|sid| drop(self.held.remove(sid)));
        self.publish();
        over
    }

    /// The password is the person's own from now on.
    pub(super) fn is_settled(&mut self, sid: SessionId) {
        if let Some(held) = self.held.get_mut(&sid) {
            held.person.must_change_password = false;
        }
        self.publish();
    }

    /// Whose a refresh token is, and what it is worth.
    pub(super) fn find(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Option<(SessionId, Renewal)> {
        self.held.iter().find_map(|(sid, held)| {
            let renewable = Renewable {
                current: held.row.refresh_hash.parse().ok()?,
                spent: held.row.spent_hash.as_ref().and_then(|spent| spent.parse().ok()),
                renewed_at: held.row.renewed_at,
                until: held.row.refresh_until,
            };
            match renewable.renew(token, now) {
                Renewal::Foreign => None,
                worth => Some((*sid, worth)),
            }
        })
    }

    pub(super) fn get(&self, sid: SessionId) -> Option<(&SessionRow, &Person)> {
        self.held.get(&sid).map(|held| (&held.row, &held.person))
    }

    /// Holds longer from now on, as the row says.
    pub(super) fn prolong(&mut self, sid: SessionId, row: SessionRow) {
        if let Some(held) = self.held.get_mut(&sid) {
            held.until.send_replace(row.until);
            held.row = row;
        }
    }

    /// Forgets those that have ended and that nothing can prolong.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let before = self.held.len();
        self.held.retain(|_, held| now < held.row.until || now < held.row.refresh_until);
        if self.held.len() != before {
            self.publish();
        }
    }

    fn publish(&self) {
        let ticket = |held: &Held| Ticket {
            person: held.person.clone(),
            since: held.row.since,
            origin: held.row.origin.clone(),
            until: held.until.subscribe(),
        };
        let tickets = self.held.iter().map(|(sid, held)| (*sid, ticket(held)));
        self.publish.send_replace(Arc::new(Present(tickets.collect())));
    }
}

/// A new sign-in: what is kept of it, and what is given out.
pub(super) fn begin(
    account: &AccountRow,
    (sid, refresh): (SessionId, RefreshToken),
    origin: String,
    rules: &Rules,
    now: Timestamp,
) -> (SessionRow, Person) {
    let row = SessionRow {
        id: sid.to_string(),
        account: account.name.clone(),
        since: now,
        until: now + rules.access,
        renewed_at: now,
        refresh_until: now + rules.refresh,
        refresh_hash: refresh.hash().to_string(),
        spent_hash: None,
        origin,
    };
    (row, person_of(account, sid))
}

/// The same sign-in, prolonged under a new refresh token.
pub(super) fn renewed(
    row: &SessionRow,
    refresh: &RefreshToken,
    rules: &Rules,
    now: Timestamp,
) -> SessionRow {
    SessionRow {
        until: (now + rules.access).min(row.refresh_until),
        renewed_at: now,
        refresh_hash: refresh.hash().to_string(),
        spent_hash: Some(row.refresh_hash.clone()),
        ..row.clone()
    }
}

pub(super) fn grant(
    row: &SessionRow,
    person: &Person,
    refresh: Option<RefreshToken>,
    (signer, rules): (&Signer, &Rules),
    now: Timestamp,
) -> Granted {
    let claims = Claims {
        aud: None,
        exp: row.until.min(now + LONGEST),
        iat: now,
        iss: rules.issuer.clone(),
        role: person.role,
        sid: person.sid,
        sites: person.sites.clone(),
        sub: person.user.clone(),
    };
    Granted {
        person: person.clone(),
        access: signer.issue(&claims),
        until: row.until,
        refresh,
        refresh_until: row.refresh_until,
    }
}

pub(super) fn person_of(account: &AccountRow, sid: SessionId) -> Person {
    Person {
        must_change_password: account.must_change,
        role: account.role,
        sid: Some(sid),
        sites: account.sites.clone(),
        user: account.name.clone(),
    }
}

/// Whether nobody else could let this one in again.
pub(super) fn is_last_admin(account: &AccountRow, accounts: &BTreeMap<UserId, AccountRow>) -> bool {
    let is_admin = |account: &AccountRow| account.role == Role::Admin && !account.is_disabled;
    let others = accounts.values().filter(|other| other.name != account.name);
    is_admin(account) && !others.into_iter().any(is_admin)
}

/// S0-87.
const LONGEST: Duration = Duration::from_secs(3600);
