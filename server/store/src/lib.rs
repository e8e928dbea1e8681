//! What survives a restart, in SQLite.

mod detail;
mod open;
mod records;
mod writer;

pub use open::{FILE, OpenError, Store};
pub use records::{Kind, ReadError, Record, Sent};
pub use writer::{Inbox, Policy, Records, write_records};
