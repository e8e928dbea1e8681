//! Signing in, accounts and sessions, as the REST interface tells them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::EdgeId;
use crate::time::Timestamp;
use crate::user::{Role, Scope};

/// `POST /api/login`: a password, or its SHA-256 as 64 hexadecimal digits (S0-83, S0-88).
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// Answer with cookies that no script can read, in the place of tokens.
    #[serde(default)]
    pub cookie: bool,
}

/// The passwords stay out of logs.
impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What a client without cookies is given: for how long, and what to show from now on (S0-87).
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tokens {
    pub access_token: String,
    pub expires: Timestamp,
    pub must_change_password: bool,
    /// `None` for what cannot be prolonged.
    pub refresh_token: Option<String>,
    pub role: Role,
    pub user: String,
}

/// The tokens stay out of logs.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("user", &self.user).finish_non_exhaustive()
    }
}

/// `POST /api/refresh`, for a client without cookies.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    pub refresh_token: String,
}

/// `POST /api/password`: one's own.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    pub old: String,
    pub new: String,
}

/// The passwords stay out of logs.
impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPassword").finish_non_exhaustive()
    }
}

/// `POST /api/unlock`: the password once more, to act again after a pause.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    pub password: String,
}

/// `GET /api/users`: one account.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Account {
    pub created_at: Timestamp,
    pub is_disabled: bool,
    /// Until when nobody can sign in to it, after too many wrong passwords.
    pub locked_until: Option<Timestamp>,
    pub must_change_password: bool,
    pub name: String,
    pub role: Role,
    pub sites: Scope,
    pub signed_in_at: Option<Timestamp>,
}

/// `POST /api/users`: a new account; its password is to be changed at the first sign-in.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    pub name: String,
    pub password: String,
    pub role: Role,
    #[serde(default)]
    pub sites: Scope,
}

/// The password stays out of logs.
impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, role, sites, .. } = self;
        let mut shown = f.debug_struct("NewAccount");
        shown.field("name", name).field("role", role).field("sites", sites).finish_non_exhaustive()
    }
}

/// `PUT /api/users/{name}`: what an account is from now on. Whoever is signed in to it has to sign
/// in again.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    pub is_disabled: bool,
    pub role: Role,
    pub sites: Scope,
    /// A new one, where it is to be set; to be changed at the next sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// The password stays out of logs.
impl fmt::Debug for AccountChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_disabled, role, sites, .. } = self;
        let mut shown = f.debug_struct("AccountChange");
        shown.field("is_disabled", is_disabled).field("role", role).field("sites", sites);
        shown.finish_non_exhaustive()
    }
}

/// `GET /api/sessions`: one sign-in that still holds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SessionLine {
    pub expires: Timestamp,
    /// From which address.
    pub from: String,
    pub id: String,
    /// Whether it is that of whoever asks.
    pub is_own: bool,
    pub role: Role,
    pub since: Timestamp,
    pub user: String,
}

/// `GET /api/sign-ins`: one attempt to sign in to one's own account.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SignInLine {
    pub at: Timestamp,
    pub from: String,
    /// Why it failed, in a word such as `WRONG_PASSWORD`; `None` where it did not.
    pub reason: Option<String>,
}

/// `POST /api/tokens`: a temporary token for one edge (S0-84).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenOrder {
    pub edge: EdgeId,
    /// Sixty at most.
    pub minutes: u32,
    pub role: Role,
    /// As the edge calls them.
    #[serde(default)]
    pub sites: Scope,
}

/// A token that was ordered.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct IssuedToken {
    pub expires: Timestamp,
    pub token: String,
}

/// The token stays out of logs.
impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken").field("expires", &self.expires).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_tokens_stay_out_of_logs() {
        let sign_in = SignIn { password: Some("hunter2".into()), ..SignIn::default() };
        let account = NewAccount {
            name: "li".into(),
            password: "hunter2".into(),
            role: Role::Operator,
            sites: Scope::All,
        };
        let change = AccountChange {
            is_disabled: false,
            role: Role::Operator,
            sites: Scope::All,
            password: Some("hunter2".into()),
        };
        let tokens = Tokens {
            access_token: "hunter2".into(),
            expires: Timestamp::default(),
            must_change_password: false,
            refresh_token: Some("hunter2".into()),
            role: Role::Operator,
            user: "li".into(),
        };
        let new = NewPassword { old: "hunter2".into(), new: "hunter2".into() };
        let shown = format!("{sign_in:?} {account:?} {change:?} {tokens:?} {new:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_word_that_nobody_knows_is_refused() {
        let text = r#"{"username":"li","passwort":"x"}"#;
        assert!(serde_json::from_str::<SignIn>(text).is_err());
    }
}
