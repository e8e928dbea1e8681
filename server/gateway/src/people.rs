//! Who may come in: one task, the porter, owns accounts and sign-ins; everybody else looks at what it
//! publishes, and asks it for changes.

mod accounts;
mod call;
mod desk;
mod door;
mod first;
mod hashing;
mod sessions;
mod visitor;

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use identity::{Keyring, Person, SessionId, Signer};
use protocol::time::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

pub use self::call::Denied;
pub(crate) use self::call::{By, Call, Granted, Origin};
pub use self::desk::{PeopleDesk, run_people};
pub use self::first::{FIRST_PASSWORD_FILE, FirstError, FirstSignIn, first_sign_in};
use self::sessions::Present;
pub(crate) use self::sessions::Ticket;
use self::visitor::token_in;
pub(crate) use self::visitor::{
    ACCESS_COOKIE, Absent, PLAIN_ACCESS_COOKIE, PLAIN_REFRESH_COOKIE, REFRESH_COOKIE, Standing,
    Visitor, cookie,
};

/// How people are let in.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who signs tokens, as they say.
    pub issuer: String,
    /// For how long a sign-in holds unless it is prolonged (S0-87).
    pub access: Duration,
    /// For how long it can be prolonged.
    pub refresh: Duration,
    /// After so long without a hand on it, a page asks for the password before it acts again.
    pub lock_after: Option<Duration>,
}

/// What tokens are made and checked with.
#[derive(Clone, Debug)]
pub struct Keys {
    pub signer: Signer,
    pub keyring: Keyring,
}

/// The way to the porter, and what it has published. Cheap to clone.
#[derive(Clone, Debug)]
pub struct People(Option<Arc<Door>>);

#[derive(Debug)]
struct Door {
    rules: Rules,
    keys: Keys,
    present: watch::Receiver<Arc<Present>>,
    calls: mpsc::Sender<Call>,
}

impl People {
    /// Nobody has to sign in: everyone acts as the operator `anonymous`.
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// Those who are in the book, and the desk of whoever lets them in. Whoever was signed in before
    /// a restart still is.
    pub async fn open(
        book: store::People,
        rules: Rules,
        keys: Keys,
    ) -> Result<(Self, PeopleDesk), store::PeopleError> {
        let (calls, inbox) = mpsc::channel(CALLS);
        let (publish, present) = watch::channel(Arc::default());
        let mut desk = PeopleDesk::new(book, rules.clone(), keys.signer.clone(), inbox, publish);
        desk.read().await?;
        Ok((Self(Some(Arc::new(Door { rules, keys, present, calls }))), desk))
    }

    /// Whether anybody has to sign in.
    pub fn is_login_on(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn rules(&self) -> Option<&Rules> {
        self.0.as_ref().map(|door| &door.rules)
    }

    pub(crate) fn signer(&self) -> Option<&Signer> {
        self.0.as_ref().map(|door| &door.keys.signer)
    }

    /// Who makes this request.
    pub(crate) fn who(&self, request: &Parts, now: Timestamp) -> Result<Visitor, Absent> {
        let Some(door) = &self.0 else { return Ok(Visitor::anonymous()) };
        let token = token_in(request).ok_or(Absent::NoToken)?;
        door.who(&token, now)
    }

    /// The sign-in of that name, if it holds.
    pub(crate) fn signed_in(&self, sid: SessionId) -> Option<Visitor> {
        let door = self.0.as_ref()?;
        door.present.borrow().visitor(sid)
    }

    pub(crate) fn present(&self) -> Option<Arc<Present>> {
        self.0.as_ref().map(|door| Arc::clone(&door.present.borrow()))
    }

    /// Asks the porter.
    pub(crate) async fn ask<T>(
        &self,
        call: impl FnOnce(oneshot::Sender<Result<T, Denied>>) -> Call,
    ) -> Result<T, Denied> {
        let door = self.0.as_ref().ok_or(Denied::LoginIsOff)?;
        let (answer, answered) = oneshot::channel();
        door.calls.try_send(call(answer)).map_err(|_| Denied::Busy)?;
        answered.await.unwrap_or(Err(Denied::Unavailable))
    }
}

impl Door {
    fn who(&self, token: &str, now: Timestamp) -> Result<Visitor, Absent> {
        let claims = self.keys.keyring.verify(token, now)?;
        match claims.sid {
            None => Ok(Visitor::new(Person::from(&claims), Standing::Until(claims.exp))),
            Some(sid) => {
                let visitor = self.present.borrow().visitor(sid).ok_or(Absent::Ended)?;
                if visitor.standing.has_ended(now) { Err(Absent::Ended) } else { Ok(visitor) }
            }
        }
    }
}

/// Questions on their way to the porter; whoever finds no room is told to come again.
const CALLS: usize = 256;
