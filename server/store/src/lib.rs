//! What survives a restart, in SQLite.

mod detail;
mod disk;
mod fare;
mod number;
mod open;
mod records;
mod writer;

pub use open::{FILE, OpenError, Store};
pub use records::{Kind, ReadError, Record, Sent};
pub use writer::{Inbox, Policy, Records, write_records};
