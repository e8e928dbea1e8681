//! Sessions: the names of sign-ins, and the secrets that prolong them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// One sign-in: 128 random bits, written in base64url. It names a session and opens nothing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId([u8; 16]);

/// What prolongs a session, once: 256 random bits, written in base64url.
#[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct RefreshToken([u8; 32]);

/// What is kept of a refresh token: its SHA-256, written in hexadecimal digits.
#[derive(Clone, Copy)]
pub struct RefreshHash([u8; 32]);

/// A text that was never given out for such a thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SessionError {
    #[error("a session's name is 22 characters of base64url")]
    NotAnId,
    #[error("a refresh token is 43 characters of base64url")]
    NotAToken,
    #[error("the hash of a refresh token is 64 hexadecimal digits")]
    NotAHash,
}

/// What is kept of a session, as far as its renewal goes.
#[derive(Clone, Copy, Debug)]
pub struct Renewable {
    pub current: RefreshHash,
    /// The one that `current` replaced.
    pub spent: Option<RefreshHash>,
    /// When it did.
    pub renewed_at: Timestamp,
    /// From then on the session cannot be prolonged any more.
    pub until: Timestamp,
}

/// What is due to somebody who shows a refresh token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Renewal {
    /// A new access token, and a new refresh token that replaces this one.
    Renewed,
    /// A new access token: two pages asked at the same time, and the other has the new one.
    Repeated,
    /// The session is over.
    Ended,
    /// Somebody has a copy of a token that was used before: the session is to be revoked.
    Stolen,
    /// It is not of this session.
    Foreign,
}

impl Renewable {
    /// What a token is worth at this moment.
    pub fn renew(&self, shown: &RefreshToken, now: Timestamp) -> Renewal {
        let shown = shown.hash();
        let is_current = self.current.matches(&shown);
        let is_spent = self.spent.is_some_and(|spent| spent.matches(&shown));
        match (is_current, is_spent) {
            (false, false) => Renewal::Foreign,
            _ if now >= self.until => Renewal::Ended,
            (true, _) => Renewal::Renewed,
            (false, true) if now.since(self.renewed_at) <= AT_ONCE => Renewal::Repeated,
            (false, true) => Renewal::Stolen,
        }
    }
}

impl SessionId {
    /// A session's name of 16 random bytes.
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }
}

impl FromStr for SessionId {
    type Err = SessionError;

    fn from_str(text: &str) -> Result<Self, SessionError> {
        decoded(text).map(Self).ok_or(SessionError::NotAnId)
    }
}

impl TryFrom<String> for SessionId {
    type Error = SessionError;

    fn try_from(text: String) -> Result<Self, SessionError> {
        text.parse()
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        Base64UrlUnpadded::encode_string(&id.0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(*self))
    }
}

impl RefreshToken {
    /// A token of 32 random bytes.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    pub fn hash(&self) -> RefreshHash {
        RefreshHash(Sha256::digest(self.0).into())
    }

    /// As it is given out.
    pub fn reveal(&self) -> Zeroizing<String> {
        Base64UrlUnpadded::encode_string(&self.0).into()
    }
}

impl FromStr for RefreshToken {
    type Err = SessionError;

    fn from_str(text: &str) -> Result<Self, SessionError> {
        decoded(text).map(Self).ok_or(SessionError::NotAToken)
    }
}

/// The token stays out of logs.
impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken").finish_non_exhaustive()
    }
}

impl RefreshHash {
    /// Takes the same time either way.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl FromStr for RefreshHash {
    type Err = SessionError;

    fn from_str(text: &str) -> Result<Self, SessionError> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).map_err(|_| SessionError::NotAHash)?;
        Ok(Self(hash))
    }
}

impl fmt::Display for RefreshHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for RefreshHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshHash").finish_non_exhaustive()
    }
}

fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let length = Base64UrlUnpadded::decode(text, &mut bytes).ok()?.len();
    (length == N).then_some(bytes)
}

/// Two pages of one browser may show the same token within this time.
const AT_ONCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_refresh_token_works_once_and_a_copy_of_it_ends_the_session() {
        let [first, second, other] = [1, 2, 3].map(|byte| RefreshToken::new([byte; 32]));
        let kept = Renewable {
            current: second.hash(),
            spent: Some(first.hash()),
            renewed_at: at(100),
            until: at(1_000),
        };
        let table = [
            (&second, 100, Renewal::Renewed),
            (&second, 999, Renewal::Renewed),
            (&second, 1_000, Renewal::Ended),
            (&first, 110, Renewal::Repeated),
            (&first, 90, Renewal::Repeated),
            (&first, 111, Renewal::Stolen),
            (&first, 1_000, Renewal::Ended),
            (&other, 100, Renewal::Foreign),
            (&other, 2_000, Renewal::Foreign),
        ];
        for (shown, seconds, expected) in table {
            assert_eq!(kept.renew(shown, at(seconds)), expected, "at {seconds}");
        }
        let fresh = Renewable { current: first.hash(), spent: None, ..kept };
        assert_eq!(fresh.renew(&first, at(100)), Renewal::Renewed);
        assert_eq!(fresh.renew(&second, at(100)), Renewal::Foreign);
    }

    #[test]
    fn names_and_tokens_of_another_length_or_alphabet_are_none() {
        let id = SessionId::new([255; 16]).to_string();
        assert_eq!(id, "_____________________w");
        let long = "A".repeat(1_000_000);
        let odd = "_____________________x";
        for text in ["", "A", odd, &id[1..], &format!("{id}="), &id.replace('_', "/"), &long] {
            assert_eq!(text.parse::<SessionId>(), Err(SessionError::NotAnId), "{:.30}", text);
            assert!(text.parse::<RefreshToken>().is_err(), "{:.30}", text);
            assert!(text.parse::<RefreshHash>().is_err(), "{:.30}", text);
        }
    }

    #[test]
    fn refresh_tokens_stay_out_of_logs() {
        let token = RefreshToken::new([7; 32]);
        assert_eq!(
            format!("{token:?} {:?}", token.hash()),
            "RefreshToken { .. } RefreshHash { .. }"
        );
    }

    proptest! {
        #[test]
        fn what_is_given_out_reads_back(id in any::<[u8; 16]>(), token in any::<[u8; 32]>()) {
            let (id, token) = (SessionId::new(id), RefreshToken::new(token));
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(token.reveal().parse(), Ok(token.clone()));
            let kept: RefreshHash = token.hash().to_string().parse().unwrap();
            prop_assert!(kept.matches(&token.hash()));
            let text = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<SessionId>(&text).unwrap(), id);
        }
    }
}
