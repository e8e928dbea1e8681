//! The cookies of a sign-in: no script reads them, and no other site sends them.

use axum::response::{AppendHeaders, IntoResponseParts};
use http::HeaderValue;
use http::header::SET_COOKIE;
use http::request::Parts;
use protocol::time::Timestamp;

use super::is_encrypted;
use crate::people::{
    ACCESS_COOKIE, Granted, PLAIN_ACCESS_COOKIE, PLAIN_REFRESH_COOKIE, REFRESH_COOKIE, cookie,
};

type Cookies = AppendHeaders<Vec<(http::HeaderName, HeaderValue)>>;

/// What a browser is to keep.
pub(super) fn bake(granted: &Granted, is_encrypted: bool, now: Timestamp) -> Cookies {
    let (access, refresh) = names(is_encrypted);
    let mut lines = vec![line(access, &granted.access, granted.until, is_encrypted, now)];
    if let Some(token) = &granted.refresh {
        let value = token.reveal();
        lines.push(line(refresh, &value, granted.refresh_until, is_encrypted, now));
    }
    headers(lines)
}

/// What a browser is to forget.
pub(super) fn clear(request: &Parts) -> impl IntoResponseParts + use<> {
    let is_encrypted = is_encrypted(request);
    let (access, refresh) = names(is_encrypted);
    let gone = |name| line(name, "", Timestamp::default(), is_encrypted, Timestamp::default());
    headers(vec![gone(access), gone(refresh)])
}

/// The refresh token that a browser shows.
pub(super) fn refresh_in(request: &Parts) -> Option<String> {
    let (_, name) = names(is_encrypted(request));
    cookie(request, name)
}

fn names(is_encrypted: bool) -> (&'static str, &'static str) {
    match is_encrypted {
        true => (ACCESS_COOKIE, REFRESH_COOKIE),
        false => (PLAIN_ACCESS_COOKIE, PLAIN_REFRESH_COOKIE),
    }
}

fn line(name: &str, value: &str, until: Timestamp, is_encrypted: bool, now: Timestamp) -> String {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let age = until.since(now).as_secs();
    format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
}

fn headers(lines: Vec<String>) -> Cookies {
    let mut values = Vec::new();
    for line in lines {
        // Ours hold visible ASCII alone.
        if let Ok(mut value) = HeaderValue::from_str(&line) {
            value.set_sensitive(true);
            values.push((SET_COOKIE, value));
        }
    }
    AppendHeaders(values)
}
