//! From where a request comes: the peer, or whom a proxy that we trust names in its place.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// Whether the way to us is encrypted; an extension of each request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Encrypted(pub bool);

/// Who is at the other end of a request's way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Caller {
    pub(crate) address: SocketAddr,
    pub(crate) is_encrypted: Encrypted,
}

impl Caller {
    /// Nobody but a proxy of ours is believed what it says of others.
    pub(crate) fn of(
        peer: SocketAddr,
        is_encrypted: bool,
        headers: &HeaderMap,
        proxies: &[IpNet],
    ) -> Self {
        let direct = Self { address: peer, is_encrypted: Encrypted(is_encrypted) };
        if !is_trusted(peer.ip(), proxies) {
            return direct;
        }
        let named = forwarded_for(headers, proxies);
        let address = named.map_or(peer, |address| SocketAddr::new(address, 0));
        let scheme = last(headers, "x-forwarded-proto");
        let is_encrypted = scheme.map_or(is_encrypted, |scheme| scheme == "https");
        Self { address, is_encrypted: Encrypted(is_encrypted) }
    }
}

/// The last in the line that is no proxy of ours: what stands before it, anyone may have written.
fn forwarded_for(headers: &HeaderMap, proxies: &[IpNet]) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter();
    let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap_or("")).collect();
    let mut farthest = None;
    for word in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Ok(address) = word.trim().parse::<IpAddr>() else { break };
        farthest = Some(address.to_canonical());
        if !is_trusted(address, proxies) {
            break;
        }
    }
    farthest
}

fn is_trusted(address: IpAddr, proxies: &[IpNet]) -> bool {
    proxies.iter().any(|net| net.contains(&address.to_canonical()))
}

fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed_and_only_its_own_word() {
        let proxies = ["127.0.0.1/32".parse().unwrap(), "10.0.0.0/24".parse().unwrap()];
        let table = [
            ("192.0.2.7:9", vec!["10.9.9.9"], "192.0.2.7:9"),
            ("127.0.0.1:9", vec![], "127.0.0.1:9"),
            ("127.0.0.1:9", vec!["192.0.2.7"], "192.0.2.7:0"),
            ("[::ffff:127.0.0.1]:9", vec!["192.0.2.7"], "192.0.2.7:0"),
            ("127.0.0.1:9", vec!["1.1.1.1, 192.0.2.7"], "192.0.2.7:0"),
            ("127.0.0.1:9", vec!["1.1.1.1", "192.0.2.7, 10.0.0.3"], "192.0.2.7:0"),
            ("127.0.0.1:9", vec!["1.1.1.1, nobody, 10.0.0.3"], "10.0.0.3:0"),
            ("127.0.0.1:9", vec!["nobody"], "127.0.0.1:9"),
        ];
        for (peer, lines, expected) in table {
            let pairs: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            let caller = Caller::of(peer.parse().unwrap(), false, &headers(&pairs), &proxies);
            assert_eq!(caller.address, expected.parse().unwrap(), "{peer} {lines:?}");
        }
    }

    #[test]
    fn the_way_is_encrypted_if_we_or_a_proxy_of_ours_see_to_it() {
        let proxies = ["127.0.0.1/32".parse().unwrap()];
        let table = [
            ("127.0.0.1:9", "https", false, true),
            ("127.0.0.1:9", "http", true, false),
            ("127.0.0.1:9", "https, http", false, false),
            ("192.0.2.7:9", "https", false, false),
            ("192.0.2.7:9", "http", true, true),
        ];
        for (peer, scheme, ours, expected) in table {
            let headers = headers(&[("x-forwarded-proto", scheme)]);
            let caller = Caller::of(peer.parse().unwrap(), ours, &headers, &proxies);
            assert_eq!(caller.is_encrypted, Encrypted(expected), "{peer} {scheme} {ours}");
        }
    }
}
