//! Who may look behind the scenes: this very machine, and whoever has the token.

use std::fmt;
use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use http::HeaderMap;
use http::header::{AUTHORIZATION, FORWARDED, VIA};
use http::request::Parts;
use subtle::ConstantTimeEq as _;

use crate::{Gateway, origin};

/// What opens `/metrics` and `/api/connections` from elsewhere.
#[derive(Clone, Eq, PartialEq)]
pub struct Token(String);

impl Token {
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// Takes as long, however much of it is right.
    pub(crate) fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

/// The secret stays out of logs.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(****)")
    }
}

/// Whether whoever makes this request may look behind the scenes.
pub(crate) fn may_look(request: &Parts, gateway: &Gateway) -> bool {
    let token = gateway.config.token.as_ref();
    is_local(request) || has_token(token, &request.headers)
}

/// Whether a request comes from this very machine.
pub(crate) fn is_local(request: &Parts) -> bool {
    is_neighbour(peer(request), &request.headers)
}

/// From where a request comes.
pub(crate) fn peer(request: &Parts) -> Option<SocketAddr> {
    request.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0)
}

/// A program on this machine that speaks for itself: no proxy, and no page of another site.
fn is_neighbour(peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    let is_near = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let is_passed_on = headers.keys().any(|name| {
        let name = name.as_str();
        name == FORWARDED || name == VIA || name == "x-real-ip" || name.starts_with("x-forwarded-")
    });
    is_near && !is_passed_on && origin::is_same_site(headers)
}

fn has_token(token: Option<&Token>, headers: &HeaderMap) -> bool {
    token.zip(bearer(headers)).is_some_and(|(token, shown)| token.is(shown))
}

/// The token that a request shows.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, shown) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| shown.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_this_machine_itself_is_a_neighbour() {
        let table = [
            ("127.0.0.1:9", vec![], true),
            ("127.8.8.8:9", vec![], true),
            ("[::1]:9", vec![], true),
            ("[::ffff:127.0.0.1]:9", vec![], true),
            ("192.0.2.7:9", vec![], false),
            ("[::ffff:192.0.2.7]:9", vec![], false),
            ("[2001:db8::1]:9", vec![], false),
            ("127.0.0.1:9", vec![("x-forwarded-for", "127.0.0.1")], false),
            ("127.0.0.1:9", vec![("x-forwarded-proto", "https")], false),
            ("127.0.0.1:9", vec![("forwarded", "for=127.0.0.1")], false),
            ("127.0.0.1:9", vec![("x-real-ip", "")], false),
            ("127.0.0.1:9", vec![("via", "1.1 proxy")], false),
            ("127.0.0.1:9", vec![("sec-fetch-site", "cross-site")], false),
            ("127.0.0.1:9", vec![("host", "a"), ("origin", "http://b")], false),
        ];
        for (peer, pairs, expected) in table {
            let found = is_neighbour(Some(peer.parse().unwrap()), &headers(&pairs));
            assert_eq!(found, expected, "{peer} {pairs:?}");
        }
        assert!(!is_neighbour(None, &HeaderMap::new()), "nobody knows from where");
    }

    #[test]
    fn the_token_must_be_the_whole_token() {
        let token = Token::new("0123456789abcdef".into());
        let table = [
            ("Bearer 0123456789abcdef", true),
            ("bearer 0123456789abcdef", true),
            ("Bearer 0123456789abcde", false),
            ("Bearer 0123456789abcdef0", false),
            ("Bearer ", false),
            ("Basic 0123456789abcdef", false),
            ("0123456789abcdef", false),
        ];
        for (header, expected) in table {
            let headers = headers(&[("authorization", header)]);
            assert_eq!(has_token(Some(&token), &headers), expected, "{header}");
            assert!(!has_token(None, &headers), "no token opens nothing");
        }
        assert!(!format!("{token:?}").contains("0123"));
    }
}
