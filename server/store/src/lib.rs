//! What survives a restart, in SQLite: the records of thirty days, and the journal of five minutes.

mod detail;
mod disk;
mod fare;
mod journal;
mod number;
mod open;
mod records;
mod writer;

pub use journal::{
    JOURNAL_FILE, Journal, JournalInbox, JournalPolicy, PastError, read_past, write_journal,
};
pub use open::{FILE, OpenError, Store};
pub use records::{Kind, ReadError, Record, Sent};
pub use writer::{Inbox, Policy, Records, write_records};
