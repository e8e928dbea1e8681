//! What a line of the log is about.

use protocol::wire::records::Level;

/// What a record is about, in the order of a connection's life.
#[derive(Clone, Copy, Debug, Eq, PartialEq, sqlx::Type)]
#[sqlx(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody was sent away at the door.
    Refused,
    /// Somebody came without a valid sign-in, or with none (S0-86).
    Unauthorized,
    Opened,
    /// The client found numbers missing.
    DataLost,
    /// A frame that could not be understood.
    Malformed,
    /// A frame whose check code is wrong.
    Tampered,
    /// More frames than the limit.
    Flooded,
    /// The client was so far behind that it had to come back.
    Slow,
    /// The client showed no sign of life.
    Lost,
    Closed,
    /// Records that found no room on their way here.
    Dropped,
    SignedIn,
    SignedOut,
    /// A wrong name or password.
    SignInFailed,
    /// Too many of those: the account is closed for a while.
    LockedOut,
    /// A token that is not ours, is over, or was taken back.
    TokenRefused,
    /// Somebody is signed in, and may not do what they asked for.
    NotPermitted,
}

/// What a line belongs to, as its module tag (S0-78).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Module {
    WebSocket,
    Auth,
}

impl Module {
    pub fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSocket",
            Self::Auth => "Auth",
        }
    }

    pub fn of(name: &str) -> Option<Self> {
        [Self::WebSocket, Self::Auth].into_iter().find(|module| module.name() == name)
    }
}

impl Kind {
    pub const ALL: [Self; 17] = [
        Self::Refused,
        Self::Unauthorized,
        Self::Opened,
        Self::DataLost,
        Self::Malformed,
        Self::Tampered,
        Self::Flooded,
        Self::Slow,
        Self::Lost,
        Self::Closed,
        Self::Dropped,
        Self::SignedIn,
        Self::SignedOut,
        Self::SignInFailed,
        Self::LockedOut,
        Self::TokenRefused,
        Self::NotPermitted,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unauthorized => "unauthorized",
            Self::Opened => "opened",
            Self::DataLost => "data_lost",
            Self::Malformed => "malformed",
            Self::Tampered => "tampered",
            Self::Flooded => "flooded",
            Self::Slow => "slow",
            Self::Lost => "lost",
            Self::Closed => "closed",
            Self::Dropped => "dropped",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignInFailed => "sign_in_failed",
            Self::LockedOut => "locked_out",
            Self::TokenRefused => "token_refused",
            Self::NotPermitted => "not_permitted",
        }
    }

    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    pub fn level(self) -> Level {
        match self {
            Self::Opened | Self::Closed | Self::SignedIn | Self::SignedOut => Level::Info,
            Self::Dropped => Level::Error,
            _ => Level::Warn,
        }
    }

    pub fn module(self) -> Module {
        match self {
            Self::SignedIn
            | Self::SignedOut
            | Self::SignInFailed
            | Self::LockedOut
            | Self::TokenRefused
            | Self::NotPermitted => Module::Auth,
            _ => Module::WebSocket,
        }
    }

    /// Whether it stands in `event_records` too (S0-90).
    pub(super) fn is_failed_authentication(self) -> bool {
        matches!(
            self,
            Self::Unauthorized | Self::SignInFailed | Self::LockedOut | Self::TokenRefused
        )
    }

    /// What `event_records` calls it: S0-86 has a word for one of them.
    pub(super) fn event(self) -> String {
        match self {
            Self::Unauthorized => "UNAUTHORIZED_CONNECT_ATTEMPT".into(),
            other => other.word().to_uppercase(),
        }
    }
}

/// A level as it stands in the log.
pub(super) fn name_of(level: Level) -> &'static str {
    match level {
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    }
}
