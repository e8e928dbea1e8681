//! The keys that are believed, and what each is believed for.

use std::collections::BTreeMap;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use protocol::id::EdgeId;
use protocol::time::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{ALGORITHM, Claims, LONGEST, LONGEST_LIFE, seconds};
use crate::key::{Kid, PublicKey};

/// Verifies tokens.
///
/// It holds several keys, of several issuers and around the rotation of one; each speaks for itself
/// alone.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: BTreeMap<Kid, Trusted>,
}

/// What a key is believed to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trust {
    /// Who is signed in here: tokens of our own sessions.
    Own { issuer: String },
    /// Whom a center lets in for a while: tokens for this edge, without a session (S0-84).
    Center { edge: EdgeId },
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenError {
    #[error("it is no token")]
    Malformed,
    #[error("it is not signed with {ALGORITHM}")]
    WrongAlgorithm,
    #[error("it is signed with a key that is not known here")]
    UnknownKey,
    #[error("its signature is wrong")]
    BadSignature,
    #[error("it has expired")]
    Expired,
    #[error("it is valid only later")]
    NotYet,
    #[error("it is for another server")]
    WrongAudience,
    #[error("its key is not believed to say this")]
    WrongIssuer,
}

#[derive(Clone, Debug)]
struct Trusted {
    key: PublicKey,
    trust: Trust,
    /// `None`: for good.
    until: Option<Timestamp>,
}

/// What the header has to say; all else in it is passed over.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// What a reader has to understand; there is nothing of the kind that we do.
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct NotBefore {
    nbf: Option<u64>,
}

impl Keyring {
    /// Believes a key; false where it is believed already, for whatever it was.
    pub fn trust(&mut self, key: PublicKey, trust: Trust) -> bool {
        let kid = key.kid();
        let is_new = !self.keys.contains_key(&kid);
        if is_new {
            self.keys.insert(kid, Trusted { key, trust, until: None });
        }
        is_new
    }

    /// Believes a key no longer than `until`: it was replaced, and its last tokens are still about.
    pub fn retire(&mut self, kid: Kid, until: Timestamp) {
        if let Some(trusted) = self.keys.get_mut(&kid) {
            trusted.until = Some(until);
        }
    }

    /// What a token says, if that is to be believed; it may end earlier than it was written.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(TokenError::Malformed)?;
        let trusted = self.signed_by(header, now)?;
        let signature: [u8; 64] =
            decoded(signature)?.try_into().map_err(|_| TokenError::BadSignature)?;
        if !trusted.key.has_signed(message.as_bytes(), &signature) {
            return Err(TokenError::BadSignature);
        }
        let claims = read(claims, now)?;
        trusted.trust.covers(&claims)?;
        Ok(claims)
    }

    fn signed_by(&self, header: &str, now: Timestamp) -> Result<&Trusted, TokenError> {
        let header: Header = parsed(&decoded(header)?)?;
        if header.alg != ALGORITHM {
            return Err(TokenError::WrongAlgorithm);
        }
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        let kid = header.kid.ok_or(TokenError::UnknownKey)?;
        let trusted = kid.parse().ok().and_then(|kid: Kid| self.keys.get(&kid));
        let current = trusted.filter(|trusted| trusted.until.is_none_or(|until| now < until));
        current.ok_or(TokenError::UnknownKey)
    }
}

impl Trust {
    fn covers(&self, claims: &Claims) -> Result<(), TokenError> {
        match self {
            Self::Own { .. } if claims.aud.is_some() => Err(TokenError::WrongAudience),
            Self::Own { issuer } if claims.sid.is_none() || *issuer != claims.iss => {
                Err(TokenError::WrongIssuer)
            }
            Self::Center { edge } if claims.aud.as_ref() != Some(edge) => {
                Err(TokenError::WrongAudience)
            }
            Self::Center { .. } if claims.sid.is_some() => Err(TokenError::WrongIssuer),
            Self::Own { .. } | Self::Center { .. } => Ok(()),
        }
    }
}

/// Reads the claims, and whether they hold at this moment.
fn read(text: &str, now: Timestamp) -> Result<Claims, TokenError> {
    let text = decoded(text)?;
    let mut claims: Claims = parsed(&text)?;
    let NotBefore { nbf } = parsed(&text)?;
    if claims.iat > now + LEEWAY || nbf.is_some_and(|nbf| seconds::of(nbf) > now) {
        return Err(TokenError::NotYet);
    }
    claims.exp = claims.exp.min(claims.iat + LONGEST_LIFE);
    if now >= claims.exp { Err(TokenError::Expired) } else { Ok(claims) }
}

fn decoded(text: &str) -> Result<Vec<u8>, TokenError> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| TokenError::Malformed)
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, TokenError> {
    serde_json::from_slice(text).map_err(|_| TokenError::Malformed)
}

/// The clocks of a center and its edge may differ by this much.
const LEEWAY: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
