//! What SQLite says of the disk, in an operator's words.

/// The file, not the disk or the moment, is to blame.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(CORRUPT | NOT_A_DATABASE))
}

/// Nothing about the open file is wrong: the same statement may work in a moment.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(FULL | BUSY))
}

/// What is wrong, with SQLite's own words behind it.
pub(crate) fn words(error: &sqlx::Error) -> String {
    let plain = match code(error) {
        Some(BUSY) => "another program holds it",
        Some(CANNOT_OPEN) => "it cannot be opened",
        Some(CORRUPT | NOT_A_DATABASE) => "it is damaged",
        Some(FULL) => "the disk is full",
        Some(IO) => "the disk reports an error",
        Some(READ_ONLY) => "it can only be read",
        _ => return error.to_string(),
    };
    match error.as_database_error() {
        Some(error) => format!("{plain} (SQLite: {})", error.message()),
        None => plain.into(),
    }
}

fn code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    // The low byte is the code, the others say more about it.
    Some(code & 0xff)
}

// SQLite's result codes.
const BUSY: u32 = 5;
const READ_ONLY: u32 = 8;
const IO: u32 = 10;
/// A file that contradicts itself.
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
/// A file of another kind.
const NOT_A_DATABASE: u32 = 26;
