//! Keys that sign tokens, and those that verify them.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Signs; an Ed25519 key.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

/// Verifies what one secret key has signed. Written as 32 bytes in base64url.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PublicKey(VerifyingKey);

/// The name of a public key: the first 16 hexadecimal digits of its SHA-256.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Kid([u8; 8]);

/// A text that is no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    #[error("a secret key is an Ed25519 key in PKCS#8, as PEM")]
    NotSecret,
    #[error("a public key is 32 bytes in base64url: 43 characters")]
    NotPublic,
    #[error("anybody could sign for this public key")]
    Weak,
}

impl SecretKey {
    /// The key that belongs to 32 random bytes.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads what [`Self::to_pem`] or `openssl genpkey -algorithm ed25519` has written.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|_| KeyError::NotSecret)
    }

    /// PKCS#8 as PEM, to be kept in a file that nobody else reads.
    pub fn to_pem(&self) -> Zeroizing<String> {
        // The short form, without the public key: OpenSSL reads no other.
        let bytes =
            ed25519_dalek::pkcs8::KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        bytes.to_pkcs8_pem(LineEnding::LF).expect("32 bytes fit into a document")
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// The key stays out of logs.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("kid", &self.public().kid()).finish_non_exhaustive()
    }
}

impl PublicKey {
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotPublic)?;
        if key.is_weak() { Err(KeyError::Weak) } else { Ok(Self(key)) }
    }

    pub fn kid(&self) -> Kid {
        let digest: [u8; 32] = Sha256::digest(self.0.as_bytes()).into();
        let mut kid = [0; 8];
        kid.copy_from_slice(&digest[..8]);
        Kid(kid)
    }

    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        let read = Base64UrlUnpadded::decode(text, &mut bytes).map_err(|_| KeyError::NotPublic)?;
        if read.len() != bytes.len() {
            return Err(KeyError::NotPublic);
        }
        Self::from_bytes(&bytes)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Base64UrlUnpadded::encode_string(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.kid()).finish()
    }
}

impl FromStr for Kid {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut kid = [0; 8];
        hex::decode_to_slice(text, &mut kid).map_err(|_| KeyError::NotPublic)?;
        Ok(Self(kid))
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kid({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    /// What `openssl genpkey -algorithm ed25519` writes.
    const OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";

    fn secret() -> SecretKey {
        SecretKey::from_pem(OPENSSL).unwrap()
    }

    #[test]
    fn a_key_reads_back_as_written_and_as_openssl_writes_it() {
        assert_eq!(*secret().to_pem(), OPENSSL);
        let key = SecretKey::new(&[7; 32]);
        assert_eq!(SecretKey::from_pem(&key.to_pem()).unwrap().public(), key.public());
        assert_eq!(SecretKey::from_pem("").unwrap_err(), KeyError::NotSecret);
        let cut = &OPENSSL[..60];
        assert_eq!(SecretKey::from_pem(cut).unwrap_err(), KeyError::NotSecret);
    }

    #[test]
    fn a_public_key_and_its_name_are_those_of_other_programs() {
        let public = secret().public();
        assert_eq!(public.to_string(), PUBLIC);
        assert_eq!(PUBLIC.parse(), Ok(public));
        assert_eq!(public.kid().to_string().parse(), Ok(public.kid()));
        assert_eq!(public.kid().to_string(), "21fe31dfa154a261");
    }

    #[test]
    fn what_is_no_key_or_one_for_everybody_is_refused() {
        let zero = Base64UrlUnpadded::encode_string(&[0; 32]);
        let mut one = [0; 32];
        one[0] = 1;
        let neutral = Base64UrlUnpadded::encode_string(&one);
        assert!(zero.parse::<PublicKey>().is_err());
        assert_eq!(neutral.parse::<PublicKey>(), Err(KeyError::Weak));
        for text in ["", "11qY", &format!("{PUBLIC}="), &PUBLIC.replace('_', "/"), &SEED[..43]] {
            let is_refused = text.parse::<PublicKey>().is_err_and(|e| e != KeyError::Weak);
            assert!(is_refused || text == &SEED[..43], "{text}");
        }
    }

    #[test]
    fn a_key_stays_out_of_logs() {
        let shown = format!("{:?}", secret());
        assert_eq!(shown, format!("SecretKey {{ kid: {:?}, .. }}", secret().public().kid()));
    }
}
