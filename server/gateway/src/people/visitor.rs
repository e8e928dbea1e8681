//! The person behind a request, and for how long.

use axum::extract::Query;
use http::header::{AUTHORIZATION, COOKIE, SEC_WEBSOCKET_PROTOCOL};
use http::request::Parts;
use identity::{Person, TokenError};
use protocol::time::Timestamp;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::hub::Hub;

/// The person behind a request, and for how long they are.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) person: Person,
    pub(crate) standing: Standing,
}

/// For how long somebody is let in.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    ForGood,
    Until(Timestamp),
    /// As long as a session holds: it can be prolonged and taken back.
    Session(watch::Receiver<Timestamp>),
}

/// Why nobody is known to make a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Absent {
    #[error("nobody is signed in")]
    NoToken,
    #[error("the token opens nothing: {0}")]
    Refused(#[from] TokenError),
    #[error("the sign-in has ended")]
    Ended,
}

impl Visitor {
    pub(super) fn new(person: Person, standing: Standing) -> Self {
        Self { person, standing }
    }

    pub(super) fn anonymous() -> Self {
        Self::new(Person::anonymous(), Standing::ForGood)
    }
}

impl Standing {
    pub(crate) fn until(&self) -> Option<Timestamp> {
        match self {
            Self::ForGood => None,
            Self::Until(until) => Some(*until),
            Self::Session(until) => Some(*until.borrow()),
        }
    }

    /// Whether it is over at this moment.
    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        let is_revoked = match self {
            Self::Session(until) => until.has_changed().is_err(),
            Self::ForGood | Self::Until(_) => false,
        };
        is_revoked || self.until().is_some_and(|until| until <= now)
    }

    /// Waits until it is over.
    pub(crate) async fn ended(&mut self, hub: &Hub) {
        while !self.has_ended(hub.time()) {
            let Some(until) = self.until() else { return std::future::pending().await };
            // The wall clock may be set meanwhile: then it is looked at again.
            let rest = sleep(until.since(hub.time()).min(LOOK_EVERY));
            match self {
                Self::ForGood | Self::Until(_) => rest.await,
                Self::Session(until) => tokio::select! {
                    _ = until.changed() => {}
                    () = rest => {}
                },
            }
        }
    }
}

/// The token that a request shows, wherever it does (`native-wire` 2).
pub(crate) fn token_in(request: &Parts) -> Option<String> {
    bearer(request)
        .or_else(|| offered(request))
        .or_else(|| queried(request))
        .or_else(|| cookie(request, ACCESS_COOKIE).or_else(|| cookie(request, PLAIN_ACCESS_COOKIE)))
}

fn bearer(request: &Parts) -> Option<String> {
    let header = request.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim().to_owned())
}

/// Where no header can be set, a token is offered as a sub-protocol.
fn offered(request: &Parts) -> Option<String> {
    let lists = request.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offers = lists.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(','));
    offers.find_map(|offer| offer.trim().strip_prefix("bearer.")).map(str::to_owned)
}

#[derive(Deserialize)]
struct Asked {
    token: Option<String>,
}

/// Sockets alone take a token from the URL, which stands in the logs of others.
fn queried(request: &Parts) -> Option<String> {
    let is_socket = request.uri.path().starts_with("/ws/");
    let asked = is_socket.then(|| Query::<Asked>::try_from_uri(&request.uri).ok()).flatten()?;
    asked.0.token.filter(|token| !token.is_empty())
}

/// The value of a cookie.
pub(crate) fn cookie(request: &Parts, name: &str) -> Option<String> {
    let lines = request.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| known.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// A browser takes it from this very host alone, and sends it over TLS alone.
pub(crate) const ACCESS_COOKIE: &str = "__Host-gapless";
pub(crate) const REFRESH_COOKIE: &str = "__Host-gapless-refresh";

/// Where there is no TLS, no browser would take the others.
pub(crate) const PLAIN_ACCESS_COOKIE: &str = "gapless";
pub(crate) const PLAIN_REFRESH_COOKIE: &str = "gapless-refresh";

/// How often the wall clock is looked at.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, headers: &[(&'static str, &str)]) -> Parts {
        let mut request = http::Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_token_is_found_wherever_a_client_can_put_it() {
        // S0-84, D4
        let protocol = "sec-websocket-protocol";
        let table = [
            ("/ws/device", vec![("authorization", "Bearer a.b.c")], Some("a.b.c")),
            ("/ws/device", vec![("authorization", "bearer a.b.c")], Some("a.b.c")),
            ("/ws/device?device_id=1&token=a.b.c", vec![], Some("a.b.c")),
            ("/api/devices?token=a.b.c", vec![], None),
            ("/ws/device", vec![(protocol, "gapless.v1, bearer.a.b.c")], Some("a.b.c")),
            ("/", vec![("cookie", "x=1; gapless=a.b.c")], Some("a.b.c")),
            ("/", vec![("cookie", "__Host-gapless=a.b.c; gapless=forged")], Some("a.b.c")),
            ("/", vec![("cookie", "gapless=old"), ("authorization", "Bearer new")], Some("new")),
            ("/", vec![("cookie", "gapless-refresh=a")], None),
            ("/", vec![("authorization", "Basic bGk6eA==")], None),
        ];
        for (uri, headers, expected) in table {
            assert_eq!(token_in(&parts(uri, &headers)).as_deref(), expected, "{uri} {headers:?}");
        }
    }

    #[test]
    fn a_session_ends_with_its_time_or_with_whoever_keeps_it() {
        let at = Timestamp::from_millis;
        let (keep, until) = watch::channel(at(10));
        let standing = Standing::Session(until);
        assert!(!standing.has_ended(at(9)) && standing.has_ended(at(10)));
        keep.send_replace(at(20));
        assert!(!standing.has_ended(at(19)));
        drop(keep);
        assert!(standing.has_ended(at(9)), "it was taken back");
        assert!(Standing::Until(at(10)).has_ended(at(10)));
        assert!(!Standing::ForGood.has_ended(at(u64::MAX)));
    }
}
