//! Who may come in, and what they may do: rules without a clock, a disk or a random number.
//!
//! Salts, ids and the seeds of keys come in as arguments, as the time does; whoever asks keeps what
//! is answered.

pub mod gate;
pub mod key;
pub mod lockout;
mod memory;
pub mod name;
pub mod password;
pub mod session;
pub mod token;

pub use gate::{Need, Person, Refusal};
pub use key::{Kid, PublicKey, SecretKey};
pub use lockout::{Attempt, Lockout, Policy, Wait};
pub use password::{Digest, Hashed};
pub use session::{RefreshHash, RefreshToken, SessionId};
pub use token::{Claims, Keyring, Signer, TokenError, Trust};
