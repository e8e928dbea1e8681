//! What the porter is asked, and what it answers.

use std::net::IpAddr;

use identity::{Digest, Person, RefreshToken, SessionId, Wait};
use protocol::id::UserId;
use protocol::time::Timestamp;
use protocol::wire::people::{Account, AccountChange, NewAccount, SignInLine};
use tokio::sync::oneshot;

type Answer<T> = oneshot::Sender<Result<T, Denied>>;

/// What the porter is asked.
#[derive(Debug)]
pub(crate) enum Call {
    SignIn {
        name: String,
        digest: Digest,
        origin: Origin,
        /// It ends with the socket that it is for, and nothing prolongs it.
        is_for_socket: bool,
        answer: Answer<Granted>,
    },
    Renew {
        token: RefreshToken,
        origin: Origin,
        answer: Answer<Granted>,
    },
    SignOut {
        person: Person,
        origin: Origin,
        answer: Answer<()>,
    },
    /// The password once more.
    Confirm {
        person: Person,
        digest: Digest,
        origin: Origin,
        answer: Answer<()>,
    },
    ChangePassword {
        by: By,
        old: Digest,
        new: String,
        answer: Answer<()>,
    },
    Accounts {
        answer: Answer<Vec<Account>>,
    },
    Add {
        by: By,
        account: NewAccount,
        answer: Answer<()>,
    },
    Change {
        by: By,
        name: UserId,
        change: AccountChange,
        answer: Answer<()>,
    },
    Remove {
        by: By,
        name: UserId,
        answer: Answer<()>,
    },
    Unlock {
        by: By,
        name: UserId,
        answer: Answer<()>,
    },
    /// Ends a sign-in.
    End {
        by: By,
        sid: SessionId,
        answer: Answer<()>,
    },
    SignIns {
        user: UserId,
        answer: Answer<Vec<SignInLine>>,
    },
}

/// From where somebody asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) address: IpAddr,
    /// From this very machine, not through a proxy on it.
    pub(crate) is_local: bool,
}

/// Who wants something done.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub(crate) person: Person,
    pub(crate) origin: Origin,
}

/// What somebody who signed in is given.
#[derive(Clone)]
pub(crate) struct Granted {
    pub(crate) person: Person,
    pub(crate) access: String,
    pub(crate) until: Timestamp,
    /// `None` where another page of the same browser has it already.
    pub(crate) refresh: Option<RefreshToken>,
    pub(crate) refresh_until: Timestamp,
}

/// The tokens stay out of logs.
impl std::fmt::Debug for Granted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { person, until, .. } = self;
        let mut shown = f.debug_struct("Granted");
        shown.field("person", person).field("until", until).finish_non_exhaustive()
    }
}

/// Why something is not done.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Denied {
    /// Whichever of both it is (IEC 62443 CR 1.10).
    #[error("the name or the password is wrong")]
    WrongCredentials,
    #[error(transparent)]
    Wait(#[from] Wait),
    #[error("the sign-in has ended")]
    Ended,
    #[error("too many sign in just now; try again in a moment")]
    Busy,
    #[error("accounts cannot be read or written just now")]
    Unavailable,
    #[error("nobody has to sign in here")]
    LoginIsOff,
    #[error("{0}")]
    BadName(String),
    #[error("{0}")]
    WeakPassword(String),
    #[error("there is an account of this name")]
    NameTaken,
    #[error("there is no such account")]
    NoSuchAccount,
    #[error("there is no such session")]
    NoSuchSession,
    #[error("this is the last administrator, and somebody has to be one")]
    LastAdmin,
    #[error("this sign-in has no account here")]
    NoAccount,
}
