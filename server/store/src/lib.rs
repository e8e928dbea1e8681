//! What survives a restart, in SQLite: the records of thirty days, the journal of five minutes, orders
//! and what became of them, and the history that goes up to a center or has come from the edges.

mod age;
mod audit;
mod backlog;
mod center;
mod clerk;
mod commands;
mod detail;
mod disk;
mod fare;
mod journal;
mod number;
mod open;
mod people;
mod place;
mod reads;
mod records;
mod rows;
mod status;
mod writer;

pub use audit::{
    AUDIT_FILE, Action, Audit, AuditFilter, AuditHistory, AuditInbox, AuditPolicy, Broken, Deed,
    Verified, VerifyError, verify_audit, write_audit,
};
pub use backlog::{
    BACKLOG_FILE, Backlog, BacklogInbox, BacklogPolicy, Cursor, Extent, write_backlog,
};
pub use center::{
    CENTER_FILE, Center, CenterInbox, CenterPlace, CenterPolicy, EdgeExtent, EdgeFilter,
    EdgeHistory, EdgePage, EdgeRow, write_center,
};
pub use commands::{
    COMMANDS_FILE, CommandFilter, CommandHistory, Commands, CommandsInbox, CommandsPolicy, Setting,
    read_recent_commands, read_settings, setting_in_force, write_commands,
};
pub use journal::{
    JOURNAL_FILE, Journal, JournalInbox, JournalPolicy, PastError, read_past, write_journal,
};
pub use open::{FILE, OpenError, Store};
pub use people::{AccountRow, PEOPLE_FILE, People, PeopleError, SessionRow, SignInRow};
pub use place::{Place, PlaceError};
pub use reads::HistoryError;
pub use records::{Kind, LogFilter, LogHistory, Module, ReadError, Record, Sent};
pub use writer::{Inbox, Policy, Records, write_records};
