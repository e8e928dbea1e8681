//! Tokens: signed statements of who somebody is and for how long (S0-84, S0-87).
//!
//! A JWT of one kind only, so that nothing about it is negotiated: Ed25519, by a key that is named
//! in the header. The text is at most [`LONGEST`] bytes, and is read after its signature was found
//! to be right.

mod keyring;

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use protocol::id::{EdgeId, UserId};
use protocol::time::Timestamp;
use protocol::user::{Role, Scope};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;

pub use self::keyring::{Keyring, TokenError, Trust};
use crate::key::{Kid, PublicKey, SecretKey};
use crate::session::SessionId;

/// What a token says. Its times are whole seconds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Claims {
    /// The one edge that it opens, where a center has issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<EdgeId>,
    /// From this moment on it opens nothing.
    #[serde(with = "seconds")]
    pub exp: Timestamp,
    /// When it was issued.
    #[serde(with = "seconds")]
    pub iat: Timestamp,
    /// By whom.
    pub iss: String,
    pub role: Role,
    /// The session that it belongs to; a center's token has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// Said in any case: none said would be all of them.
    #[serde(deserialize_with = "Deserialize::deserialize")]
    pub sites: Scope,
    pub sub: UserId,
}

/// Issues tokens under one key.
#[derive(Clone, Debug)]
pub struct Signer {
    key: SecretKey,
    kid: Kid,
}

impl Signer {
    pub fn new(key: SecretKey) -> Self {
        let kid = key.public().kid();
        Self { key, kid }
    }

    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// What verifies these tokens.
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }

    pub fn issue(&self, claims: &Claims) -> String {
        let header = json!({ "alg": ALGORITHM, "kid": self.kid.to_string(), "typ": "JWT" });
        let claims = serde_json::to_string(claims).expect("claims are plain data");
        let message = format!("{}.{}", encoded(header.to_string()), encoded(claims));
        let signature = encoded(self.key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(bytes.as_ref())
}

/// JWT counts in seconds.
mod seconds {
    use super::*;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(at.as_millis() / 1_000)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        u64::deserialize(from).map(of)
    }

    pub(super) fn of(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds.saturating_mul(1_000))
    }
}

/// The only one there is.
const ALGORITHM: &str = "EdDSA";

/// No token is honoured any longer than this after it was issued (S0-84, S0-87).
pub const LONGEST_LIFE: Duration = Duration::from_secs(3_600);

/// Longer texts are not looked at: a cookie holds half of it.
pub const LONGEST: usize = 8_192;
