//! `AUTH`: who a client is, said in its first frame (S0-83).

use std::fmt;

use serde_json::Value;

use crate::wire::is_too_deep;

/// A name, and the SHA-256 of the password.
///
/// It carries no check code: a client that has still to sign in may have no key yet.
#[derive(Clone, Eq, PartialEq)]
pub struct Auth {
    pub username: String,
    pub password_hash: String,
}

impl Auth {
    /// Reads a frame; `None` where it is another, or says nobody's name.
    pub fn read(text: &str) -> Option<Self> {
        let value: Value = if is_too_deep(text) { None } else { serde_json::from_str(text).ok() }?;
        if value.get("type")? != "AUTH" {
            return None;
        }
        let member = |name| {
            let inside = value.get("data").and_then(|data| data.get(name));
            Some(inside.or_else(|| value.get(name))?.as_str()?.to_owned())
        };
        Some(Self { username: member("username")?, password_hash: member("password_hash")? })
    }
}

/// The hash opens doors as the password does: it stays out of logs.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_hash_stand_in_data_or_beside_it() {
        let expected = Auth { username: "li".into(), password_hash: "ab".into() };
        let table = [
            (r#"{"type":"AUTH","data":{"username":"li","password_hash":"ab"}}"#, true),
            (r#"{"username":"li","password_hash":"ab","type":"AUTH","timestamp":1}"#, true),
            (r#"{"type":"AUTH","data":{"username":"li"}}"#, false),
            (r#"{"type":"AUTH","data":{"username":"li","password_hash":7}}"#, false),
            (r#"{"type":"HEARTBEAT","data":{"username":"li","password_hash":"ab"}}"#, false),
            (r#"["AUTH","li","ab"]"#, false),
            ("AUTH", false),
            ("", false),
        ];
        for (text, is_one) in table {
            assert_eq!(Auth::read(text), is_one.then(|| expected.clone()), "{text}");
        }
        assert!(!format!("{expected:?}").contains("ab"));
    }
}
