//! What somebody did.

use protocol::time::Timestamp;
use protocol::user::Role;
use serde::Serialize;

use crate::detail::tidy;
use crate::number::at;

/// What somebody did, or tried to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deed {
    pub at: Timestamp,
    pub user: String,
    /// `None` where it is no person.
    pub role: Option<Role>,
    /// From which address, or through what.
    pub origin: String,
    pub action: Action,
    /// To whom or to what.
    pub target: String,
    pub before: Option<String>,
    pub after: Option<String>,
    /// Whether it was done; otherwise the detail says why not.
    pub is_done: bool,
    pub detail: String,
}

/// What can be done.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Action {
    /// The server began to write this trail.
    Started,
    SignIn,
    SignOut,
    /// Somebody else ended a sign-in.
    SessionEnded,
    /// Too many wrong passwords.
    LockedOut,
    Unlocked,
    /// A temporary token for an edge was made.
    TokenIssued,
    /// A refresh token was shown a second time.
    TokenStolen,
    PasswordChanged,
    AccountAdded,
    AccountChanged,
    AccountRemoved,
    Command,
    /// The configuration was read again.
    Configured,
}

impl Action {
    pub const ALL: [Self; 14] = [
        Self::Started,
        Self::SignIn,
        Self::SignOut,
        Self::SessionEnded,
        Self::LockedOut,
        Self::Unlocked,
        Self::TokenIssued,
        Self::TokenStolen,
        Self::PasswordChanged,
        Self::AccountAdded,
        Self::AccountChanged,
        Self::AccountRemoved,
        Self::Command,
        Self::Configured,
    ];

    /// As it stands in the trail.
    pub fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::SessionEnded => "session_ended",
            Self::LockedOut => "locked_out",
            Self::Unlocked => "unlocked",
            Self::TokenIssued => "token_issued",
            Self::TokenStolen => "token_stolen",
            Self::PasswordChanged => "password_changed",
            Self::AccountAdded => "account_added",
            Self::AccountChanged => "account_changed",
            Self::AccountRemoved => "account_removed",
            Self::Command => "command",
            Self::Configured => "configured",
        }
    }

    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }
}

/// A row without its hash, by the names of its columns.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Columns {
    pub(super) id: i64,
    pub(super) at: i64,
    pub(super) user: String,
    pub(super) role: Option<String>,
    pub(super) origin: String,
    pub(super) action: String,
    pub(super) target: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) is_done: bool,
    pub(super) detail: String,
}

impl Columns {
    pub(super) fn of(id: i64, deed: &Deed) -> Self {
        let maybe = |text: &Option<String>| text.as_deref().map(tidy);
        Self {
            id,
            at: at(deed.at),
            user: tidy(&deed.user),
            role: deed.role.map(|role| role.name().into()),
            origin: tidy(&deed.origin),
            action: deed.action.word().into(),
            target: tidy(&deed.target),
            before: maybe(&deed.before),
            after: maybe(&deed.after),
            is_done: deed.is_done,
            detail: tidy(&deed.detail),
        }
    }
}
