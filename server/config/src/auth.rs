//! `[auth]`: who must sign in, and for how long that holds.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use protocol::point::Name;

use crate::document::Value;
use crate::finding::shown;
use crate::parse::{list, switch, text, word};
use crate::quantity::{DAY, HOUR, MINUTE, duration, or_never};
use crate::section::Section;
use crate::sites::either;

/// Who must sign in, and for how long that holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Auth {
    /// Without, everybody is the operator `anonymous`.
    pub enabled: bool,
    /// Of a token that opens pages and sockets.
    pub access_lifetime: Duration,
    /// How long a browser stays signed in while it is closed.
    pub refresh_lifetime: Duration,
    /// Without input for so long, a page takes no orders until the password is given again.
    pub lock_after: Option<Duration>,
    /// Stands on the sign-in page.
    pub notice: Option<Name>,
    /// Public keys, of Ed25519, of centers whose temporary tokens open this edge.
    pub center_keys: Vec<[u8; 32]>,
}

pub(crate) fn read(root: &mut Section<'_>) -> Option<Auth> {
    let mut section = root.section("auth");
    let enabled = section.read_or("enabled", "true", switch);
    let access = section.read_or("access_lifetime", "1h", duration(MINUTE..=LONGEST_ACCESS));
    let refresh = section.read_or("refresh_lifetime", "7d", duration(HOUR..=LONGEST_REFRESH));
    let lock_after = section.read_or("lock_after", "15m", or_never(MINUTE..=LONGEST_IDLE));
    let notice_zh = section.read("notice_zh", notice);
    let notice_en = section.read("notice_en", notice);
    let center_keys = section.read_or("center_keys", "", list(public_key));
    section.finish();
    let [zh, en] = [notice_zh, notice_en].map(|read| read.map_or_else(String::new, |it| it.value));
    let is_written = !zh.is_empty() || !en.is_empty();
    Some(Auth {
        enabled: enabled?,
        access_lifetime: access?,
        refresh_lifetime: refresh?,
        lock_after: lock_after?,
        notice: is_written.then(|| either(zh, en, "")),
        center_keys: center_keys?,
    })
}

fn notice(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    match text.chars().count() {
        0..=LONGEST_NOTICE => Ok(text),
        length => Err(format!("may have {LONGEST_NOTICE} characters at most, not {length}")),
    }
}

/// 32 bytes in base64url, as a center shows its own.
fn public_key(value: &Value) -> Result<[u8; 32], String> {
    let text = word(value)?;
    let mut bytes = [0; 32];
    match Base64UrlUnpadded::decode(text.trim_end_matches('='), &mut bytes).map(<[u8]>::len) {
        Ok(32) => Ok(bytes),
        _ => Err(format!(
            "must hold public keys of 32 bytes in base64url, which are 43 characters, not {}",
            shown(&text)
        )),
    }
}

/// S0-87: a token holds for an hour.
const LONGEST_ACCESS: Duration = HOUR;

/// Whoever was away for a month shows who he is again.
const LONGEST_REFRESH: Duration = Duration::from_secs(30 * DAY.as_secs());

/// A shift.
const LONGEST_IDLE: Duration = Duration::from_secs(8 * HOUR.as_secs());

/// What a sign-in page has room for.
const LONGEST_NOTICE: usize = 500;
