//! Who may come in, and what they may do: rules without a clock, a disk or a random number.
//!
//! Salts, ids and the seeds of keys come in as arguments, as the time does; whoever asks keeps what
//! is answered.

pub mod name;
pub mod password;

pub use password::{Digest, Hashed};
