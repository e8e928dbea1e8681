//! The files that a browser loads, carried inside the executable.

use std::fmt::Write;

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `cargo leptos build` leaves behind; a debug build reads it from disk.
#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Site;

/// Answers with the file at `path` in the smallest form the browser takes, or with 304 where it
/// holds that form already; `None` if the site has no such file.
pub(crate) fn answer(path: &str, asked: &HeaderMap) -> Option<Response> {
    let content_type = content_type(path)?;
    let (file, encoding) = find(path.strip_prefix('/')?, asked)?;
    let tag = entity_tag(&file)?;
    let mut response = if is_known(&tag, asked) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Bytes::from_owner(file.data).into_response()
    };

    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::ETAG, tag);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// Whether the site has such a file.
pub(crate) fn is_file(path: &str) -> bool {
    content_type(path).is_some()
        && path.strip_prefix('/').is_some_and(|name| Site::get(name).is_some())
}

/// Only what a page names is served: no compressed twins, no type declarations.
fn content_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        "wav" => "audio/wav",
        _ => return None,
    })
}

fn find(name: &str, asked: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    ENCODINGS
        .into_iter()
        .filter(|(encoding, _)| takes(encoding, asked))
        .find_map(|(encoding, suffix)| {
            Some((Site::get(&format!("{name}{suffix}"))?, Some(encoding)))
        })
        .or_else(|| Some((Site::get(name)?, None)))
}

fn takes(encoding: &str, asked: &HeaderMap) -> bool {
    listed(asked, header::ACCEPT_ENCODING).any(|offer| {
        let (name, weight) = offer.split_once(";q=").unwrap_or((offer, "1"));
        name == encoding && weight.parse::<f32>().is_ok_and(|weight| weight > 0.0)
    })
}

fn is_known(tag: &HeaderValue, asked: &HeaderMap) -> bool {
    listed(asked, header::IF_NONE_MATCH)
        .map(|held| held.strip_prefix("W/").unwrap_or(held))
        .any(|held| held == "*" || held.as_bytes() == tag.as_bytes())
}

fn listed(asked: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    asked
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// Each form of a file has a tag of its own, as a strong tag must.
fn entity_tag(file: &EmbeddedFile) -> Option<HeaderValue> {
    let mut tag = String::from('"');
    for byte in &file.metadata.sha256_hash()[..TAG_BYTES] {
        write!(tag, "{byte:02x}").ok()?;
    }
    tag.push('"');
    HeaderValue::try_from(tag).ok()
}

/// In the order of preference, with the ending that the build gives each.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

const TAG_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn only_encodings_the_browser_offers_are_used() {
        let table = [
            ("gzip, deflate, br", true),
            ("br", true),
            ("gzip, br;q=0.5", true),
            ("gzip, br;q=0", false),
            ("gzip, br;q=", false),
            ("gzip, deflate", false),
            ("brotli", false),
            ("", false),
        ];
        for (offer, expected) in table {
            let asked = asked(header::ACCEPT_ENCODING, offer);
            assert_eq!(takes("br", &asked), expected, "{offer}");
        }
    }

    #[test]
    fn what_the_browser_holds_is_not_sent_again() {
        let tag = HeaderValue::from_static("\"abc\"");
        let table = [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("\"x\", \"abc\"", true),
            ("*", true),
            ("\"x\"", false),
            ("abc", false),
        ];
        for (held, expected) in table {
            assert_eq!(is_known(&tag, &asked(header::IF_NONE_MATCH, held)), expected, "{held}");
        }
    }

    #[test]
    fn nothing_but_what_a_page_names_is_served() {
        for path in ["/", "/pkg/gapless.js.br", "/pkg/gapless.d.ts", "/../Cargo.toml", "//etc/x.js"]
        {
            assert!(answer(path, &HeaderMap::new()).is_none(), "{path}");
        }
    }
}
