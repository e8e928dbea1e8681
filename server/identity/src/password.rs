//! Passwords: what is kept of one, whether it is the right one, and whether it is good enough.

mod judge;

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use self::judge::{Weak, judge};

/// The SHA-256 of a password: what S0's clients say in its place (S0-83), and what is hashed.
#[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct Digest([u8; 32]);

/// A text that is no SHA-256.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a password hash is the SHA-256 of the password: 64 hexadecimal digits")]
pub struct NotADigest;

/// What is kept of a password: argon2id over the digits of its digest, as a PHC string.
#[derive(Clone, Eq, PartialEq)]
pub struct Hashed(String);

/// A text that is no hash of ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("what is kept as a password is no argon2 hash, or one that would cost too much")]
pub struct NotAHash;

/// Hashes a digest under 16 random bytes.
pub fn hash(digest: &Digest, salt: [u8; 16]) -> Hashed {
    let hashed = argon2().hash_password_with_salt(digest.digits().as_bytes(), &salt);
    Hashed(hashed.expect("these costs and 16 bytes of salt are valid").to_string())
}

/// Whether `digest` is that of the password which `kept` was made of; nobody's password (`None`)
/// takes as long as a wrong one.
pub fn verify(kept: Option<&Hashed>, digest: &Digest) -> bool {
    let hash = kept.map_or(DECOY, Hashed::as_str);
    let is_right = argon2().verify_password(digest.digits().as_bytes(), hash).is_ok();
    is_right & kept.is_some()
}

/// A password for a first sign-in, made of 20 random bytes: 100 bits, in groups of five.
pub fn readable(random: [u8; 20]) -> String {
    let letters: Vec<char> =
        random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
    let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

impl Digest {
    pub fn of(password: &str) -> Self {
        Self(Sha256::digest(password).into())
    }

    /// 64 lower-case hexadecimal digits.
    fn digits(&self) -> Zeroizing<String> {
        hex::encode(self.0).into()
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map_err(|_| NotADigest)?;
        Ok(Self(digest))
    }
}

/// It opens doors as the password does: it stays out of logs.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").finish_non_exhaustive()
    }
}

impl Hashed {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Made at other costs than today's: to be made again when its owner signs in.
    pub fn is_outdated(&self) -> bool {
        !self.0.starts_with(COSTS)
    }
}

impl FromStr for Hashed {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let hash = PasswordHash::new(text).map_err(|_| NotAHash)?;
        Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| NotAHash)?;
        let params = Params::try_from(&hash).map_err(|_| NotAHash)?;
        let is_bearable = params.m_cost() <= DEAREST_KIB && params.t_cost() <= MOST_PASSES;
        let is_whole = hash.salt.is_some() && hash.hash.is_some();
        if is_bearable && is_whole { Ok(Self(text.into())) } else { Err(NotAHash) }
    }
}

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashed").finish_non_exhaustive()
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("these costs are valid");
    Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, params)
}

/// What OWASP advises: 19 MiB and two passes, well below 300 ms on a small industrial PC.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How a hash at these costs begins.
const COSTS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// A hash from elsewhere costs no sign-in more than this.
const DEAREST_KIB: u32 = 128 * 1024;
const MOST_PASSES: u32 = 8;

/// The hash of a password that nobody knows.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$R2FwbGVzcywgbm9ib2R5IQ\
                     $c1Cq2ZlWzB8rXnYh0Lk5uOe7TgPiVd3sMaJfRw9QxNo";

/// Without letters that look like digits, or like each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; 16] = [7; 16];

    /// As `printf secret | sha256sum` has it.
    const OF_SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    #[test]
    fn a_password_and_its_sha_256_open_the_same_account() {
        // S0-83, S0-88
        let kept = hash(&Digest::of("secret"), SALT);
        assert!(verify(Some(&kept), &Digest::of("secret")));
        for digits in [OF_SECRET.to_owned(), OF_SECRET.to_uppercase()] {
            assert!(verify(Some(&kept), &digits.parse().unwrap()), "{digits}");
        }
        for wrong in ["Secret", "secret ", "", OF_SECRET] {
            assert!(!verify(Some(&kept), &Digest::of(wrong)), "{wrong:?}");
        }
    }

    #[test]
    fn only_64_hexadecimal_digits_are_a_digest() {
        let table = ["", "2bb8", &OF_SECRET[1..], &format!("{OF_SECRET}0"), &"g".repeat(64)];
        for text in table {
            assert_eq!(text.parse::<Digest>(), Err(NotADigest), "{text:?}");
        }
    }

    #[test]
    fn what_is_kept_reads_back_and_says_how_it_was_made() {
        let kept = hash(&Digest::of("secret"), SALT);
        assert!(kept.as_str().starts_with(COSTS) && !kept.is_outdated());
        assert_eq!(kept.as_str().parse(), Ok(kept.clone()));
        assert_ne!(kept, hash(&Digest::of("secret"), [8; 16]), "the salt matters");
        let older = kept.as_str().replace("t=2", "t=1").parse::<Hashed>().unwrap();
        assert!(older.is_outdated());
    }

    #[test]
    fn a_hash_that_is_none_or_costs_too_much_is_refused() {
        let kept = hash(&Digest::of("secret"), SALT);
        let table = [
            String::new(),
            "secret".into(),
            "$argon2id$".into(),
            COSTS.into(),
            kept.as_str().replace("m=19456", "m=4194304"),
            kept.as_str().replace("t=2", "t=1000000"),
            kept.as_str().replace("argon2id", "pbkdf2"),
            kept.as_str().replace("v=19", "v=99"),
        ];
        for text in table {
            let read = text.parse::<Hashed>();
            let opens = read.is_ok_and(|kept| verify(Some(&kept), &Digest::of("secret")));
            assert!(!opens, "{text:?}");
        }
    }

    #[test]
    fn nobody_has_a_password_and_is_refused_as_slowly_as_a_wrong_one() {
        // operations.md B3, CR 1.10: `benches/password.rs` measures both
        assert!(!verify(None, &Digest::of("secret")));
        assert!(!DECOY.parse::<Hashed>().unwrap().is_outdated(), "it costs what a hash costs");
        let refused = argon2().verify_password(b"", DECOY);
        assert_eq!(refused, Err(argon2::password_hash::Error::PasswordInvalid), "after hashing");
    }

    #[test]
    fn passwords_stay_out_of_logs() {
        let digest = Digest::of("secret");
        let shown = format!("{digest:?} {:?}", hash(&digest, SALT));
        assert_eq!(shown, "Digest { .. } Hashed { .. }");
    }

    #[test]
    fn a_first_password_can_be_read_out_and_is_good_enough() {
        let password = readable(std::array::from_fn(|i| (i * 13 % 251) as u8));
        assert_eq!(password.len(), 23);
        assert!(password.split('-').all(|group| group.len() == 5), "{password}");
        assert_eq!(judge(&password, &["admin"]), Ok(()), "{password}");
        assert_eq!(readable([255; 20]), "99999-99999-99999-99999");
    }
}
