//! Which pages may speak to this server: its own, and those on the list.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

/// Whether a request comes from a page that may open a socket; those without an origin are no
/// browsers, and go on to the token.
pub(crate) fn is_welcome(headers: &HeaderMap, listed: &[String]) -> bool {
    match origin(headers) {
        Origin::None => true,
        Origin::Of(origin) => is_own(origin, headers) || listed.iter().any(|one| one == origin),
        Origin::Unclear => false,
    }
}

/// Whether a request was made by a page of this very server, by its address bar, or by no browser.
pub(crate) fn is_same_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let is_near = site.is_none_or(|site| matches!(site, b"same-origin" | b"none"));
    is_near && is_welcome(headers, &[])
}

enum Origin<'a> {
    None,
    Of(&'a str),
    /// More than one, or none that can be read.
    Unclear,
}

fn origin(headers: &HeaderMap) -> Origin<'_> {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => Origin::None,
        (Some(origin), None) => origin.to_str().map_or(Origin::Unclear, Origin::Of),
        (Some(_), Some(_)) => Origin::Unclear,
    }
}

/// Host and port decide; behind a proxy the scheme is not known here.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let (Some(host), Some((scheme, authority))) = (host, origin.split_once("://")) else {
        return false;
    };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |authority: &str| {
        authority.strip_suffix(default_port).unwrap_or(authority).to_ascii_lowercase()
    };
    bare(authority) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (http::HeaderName::from_static(name), value.parse().unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn an_origin_is_its_own_host_and_port_or_on_the_list() {
        let table = [
            ("http://gapless.local:3000", "gapless.local:3000", true),
            ("https://gapless.local:3000", "GAPLESS.local:3000", true),
            ("http://gapless.local", "gapless.local", true),
            ("http://gapless.local", "gapless.local:80", true),
            ("https://gapless.local", "gapless.local:443", true),
            ("http://[::1]:3000", "[::1]:3000", true),
            ("http://gapless.local", "gapless.local:3000", false),
            ("http://gapless.local:3001", "gapless.local:3000", false),
            ("http://gapless.local.evil.org:3000", "gapless.local:3000", false),
            ("http://evil.org/gapless.local:3000", "gapless.local:3000", false),
            ("file://gapless.local:3000", "gapless.local:3000", false),
            ("null", "gapless.local:3000", false),
            ("", "", false),
            ("https://console.example", "gapless.local:3000", true),
            ("http://console.example", "gapless.local:3000", false),
        ];
        let listed = ["https://console.example".to_owned()];
        for (origin, host, expected) in table {
            let headers = headers(&[("origin", origin), ("host", host)]);
            assert_eq!(is_welcome(&headers, &listed), expected, "{origin} at {host}");
        }
    }

    #[test]
    fn no_origin_is_no_browser_and_two_are_none() {
        assert!(is_welcome(&headers(&[("host", "a")]), &[]));
        let two = headers(&[("host", "a"), ("origin", "http://a"), ("origin", "http://a")]);
        assert!(!is_welcome(&two, &[]));
    }

    #[test]
    fn other_sites_read_nothing() {
        let table = [
            (vec![], true),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("host", "a"), ("origin", "http://b")], false),
            (vec![("host", "a"), ("origin", "http://a"), ("sec-fetch-site", "cross-site")], false),
        ];
        for (pairs, expected) in table {
            assert_eq!(is_same_site(&headers(&pairs)), expected, "{pairs:?}");
        }
    }
}
