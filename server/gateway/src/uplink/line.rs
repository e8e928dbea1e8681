//! Who is at the door of a center: which edge, and whether it has that edge's token.

use http::HeaderMap;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::request::Parts;
use protocol::wire::native::FailReason;
use protocol::wire::uplink::SUB_PROTOCOL;

use super::{Edges, Neighbour};
use crate::insider::{Token, bearer};

/// Why an edge is sent away; said to it once the socket stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    pub(super) reason: FailReason,
    pub(super) detail: &'static str,
    /// The edge, as it calls itself.
    pub(super) edge: String,
}

/// Whether our version is among those that are offered, where any are.
pub(super) fn offers_ours(headers: &HeaderMap) -> Option<bool> {
    let lists = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offers = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|offer| !offer.is_empty())
        .peekable();
    offers.peek().is_some().then(|| offers.any(|offer| offer == SUB_PROTOCOL))
}

/// Which edge this is. Whether it is unknown or its token is wrong, nobody can tell from the answer,
/// nor from the time that it takes.
pub(super) fn examine(parts: &Parts, edges: &Edges) -> Result<Neighbour, Refusal> {
    let edge = name(parts.uri.query().unwrap_or_default());
    let shown = edge.chars().take(SHOWN).collect();
    let refuse = |reason, detail| Refusal { reason, detail, edge: shown };
    if offers_ours(&parts.headers) == Some(false) {
        return Err(refuse(
            FailReason::UnsupportedVersion,
            "only gapless.uplink.v1 is spoken here",
        ));
    }
    let neighbour = edges.find(&edge);
    let nobody = Token::new(NOBODY.into());
    let token = neighbour.map_or(&nobody, |neighbour| &neighbour.token);
    let has_token = bearer(&parts.headers).is_some_and(|shown| token.is(shown));
    match neighbour.filter(|_| has_token) {
        Some(neighbour) => Ok(neighbour.clone()),
        None => Err(refuse(FailReason::Unauthorized, "unknown edge, or not its token")),
    }
}

/// The value of `edge` in a query. Names of edges need no escapes.
fn name(query: &str) -> String {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let edge = pairs.into_iter().find(|(key, _)| *key == "edge");
    edge.map(|(_, value)| value.to_owned()).unwrap_or_default()
}

/// As much of a foreign text as an answer repeats.
const SHOWN: usize = 80;

/// Compared with what an unknown edge shows.
const NOBODY: &str = "a token that opens nothing at all";

#[cfg(test)]
mod tests {
    use super::*;

    fn edges() -> Edges {
        let (history, _) = store::Center::open();
        let token = Token::new("0123456789abcdef".into());
        let north = Neighbour { id: "north".parse().unwrap(), token, devices: Vec::new() };
        Edges::open(vec![north], history).0
    }

    #[test]
    fn only_a_known_edge_with_its_own_token_comes_in() {
        use FailReason::*;
        let right = "Bearer 0123456789abcdef";
        let table = [
            ("/ws/uplink?edge=north", right, "gapless.uplink.v1", None),
            ("/ws/uplink?edge=north", right, "", None),
            ("/ws/uplink?edge=north", right, "gapless.uplink.v2", Some(UnsupportedVersion)),
            ("/ws/uplink?edge=north", "Bearer 0123456789abcdeg", "", Some(Unauthorized)),
            ("/ws/uplink?edge=north", "0123456789abcdef", "", Some(Unauthorized)),
            ("/ws/uplink?edge=south", right, "", Some(Unauthorized)),
            ("/ws/uplink", right, "", Some(Unauthorized)),
            ("/ws/uplink?edge=", "", "", Some(Unauthorized)),
            (
                "/ws/uplink?edge=south",
                "Bearer a token that opens nothing at all",
                "",
                Some(Unauthorized),
            ),
        ];
        for (uri, authorization, protocol, expected) in table {
            let request = http::Request::get(uri)
                .header("authorization", authorization)
                .header("sec-websocket-protocol", protocol);
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let found = examine(&parts, &edges()).map(drop).map_err(|refusal| refusal.reason);
            assert_eq!(found.err(), expected, "{uri} {authorization} {protocol}");
        }
    }
}
