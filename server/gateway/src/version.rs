//! Which sub-protocol a client offers, and which one it is told.

use http::HeaderMap;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use protocol::wire::native::SUB_PROTOCOL;

/// What a client can offer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Offer {
    /// No version: it takes the one there is.
    Any,
    Known,
    /// Only versions that are not spoken here; the first of them.
    Unknown(String),
}

impl Offer {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let lists = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        let offers = lists.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(','));
        // A token is offered where no header can be set. It is never sent back.
        let versions = offers.map(str::trim).filter(|offer| !offer.starts_with(TOKEN));
        let mut versions = versions.filter(|offer| !offer.is_empty()).peekable();
        match versions.peek().copied() {
            None => Self::Any,
            Some(_) if versions.any(|offer| offer == SUB_PROTOCOL) => Self::Known,
            Some(first) => Self::Unknown(first.into()),
        }
    }

    /// What goes into the answer. An unknown version is selected too: a browser drops a handshake
    /// that selects none of its offers, and would never hear why.
    pub(crate) fn selected(&self) -> Option<&str> {
        match self {
            Self::Any => None,
            Self::Known => Some(SUB_PROTOCOL),
            Self::Unknown(version) => Some(version),
        }
    }
}

const TOKEN: &str = "bearer.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_version_is_found_among_others() {
        let unknown = |version: &str| Offer::Unknown(version.into());
        let table = [
            (vec![], Offer::Any),
            (vec![""], Offer::Any),
            (vec!["bearer.abc"], Offer::Any),
            (vec!["gapless.v1"], Offer::Known),
            (vec!["gapless.v2, gapless.v1"], Offer::Known),
            (vec!["bearer.abc", "gapless.v1"], Offer::Known),
            (vec!["gapless.v2,chat"], unknown("gapless.v2")),
            (vec!["bearer.abc,gapless.v2"], unknown("gapless.v2")),
        ];
        for (lists, expected) in table {
            let mut headers = HeaderMap::new();
            for list in &lists {
                headers.append(SEC_WEBSOCKET_PROTOCOL, list.parse().unwrap());
            }
            assert_eq!(Offer::of(&headers), expected, "{lists:?}");
        }
    }
}
