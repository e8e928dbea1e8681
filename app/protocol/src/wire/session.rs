//! What `GET /api/session` tells a page: for whom it speaks, and how frames are sealed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::{Algorithm, Seal};
use crate::time::Timestamp;
use crate::user::{Role, Scope};

/// Who the page speaks for and until when.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SessionGrant {
    /// `None`: as long as login is off.
    pub expires: Option<Timestamp>,
    pub integrity: Integrity,
    /// After so long without a hand on it, a page asks for the password before it acts again.
    #[serde(default)]
    pub lock_after_ms: Option<u64>,
    /// The password was set by somebody else: nothing is told before it is changed.
    #[serde(default)]
    pub must_change_password: bool,
    pub role: Role,
    #[serde(default)]
    pub sites: Scope,
    pub user: String,
}

/// How the check codes of this server's frames are made.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Integrity {
    pub algorithm: Algorithm,
    pub key: String,
}

impl Integrity {
    pub fn seal(&self) -> Seal {
        Seal::new(self.algorithm, &self.key)
    }
}

/// The key stays out of logs.
impl fmt::Debug for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Integrity").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_reads_back_as_written_and_keeps_its_key_out_of_logs() {
        let text = r#"{"expires":null,"integrity":{"algorithm":"md5","key":"secret"},"lock_after_ms":900000,"must_change_password":false,"role":"operator","sites":null,"user":"anonymous"}"#;
        let grant: SessionGrant = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&grant).unwrap(), text);
        assert!(!format!("{grant:?}").contains("secret"));
        assert_eq!(grant.integrity.seal().of("{}"), Seal::new(Algorithm::Md5, "secret").of("{}"));
    }
}
