//! Numbers as SQLite has them: with a sign.

use protocol::time::Timestamp;

pub(crate) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn count(whole: i64) -> u64 {
    u64::try_from(whole).unwrap_or_default()
}

pub(crate) fn at(moment: Timestamp) -> i64 {
    whole(moment.as_millis())
}

pub(crate) fn moment(at: i64) -> Timestamp {
    Timestamp::from_millis(count(at))
}
