//! What `GET /api/session` tells a page: for whom it speaks, and how frames are sealed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::{Algorithm, Seal};
use crate::time::Timestamp;

/// Who the page speaks for and until when.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SessionGrant {
    /// `None`: as long as login is off.
    pub expires: Option<Timestamp>,
    pub integrity: Integrity,
    pub role: String,
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
        let text = r#"{"expires":null,"integrity":{"algorithm":"md5","key":"secret"},"role":"operator","user":"anonymous"}"#;
        let grant: SessionGrant = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&grant).unwrap(), text);
        assert!(!format!("{grant:?}").contains("secret"));
        assert_eq!(grant.integrity.seal().of("{}"), Seal::new(Algorithm::Md5, "secret").of("{}"));
    }
}
