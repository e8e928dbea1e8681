//! The content security policy: what a browser may load, run and reach on behalf of a page.

use axum::http::{HeaderMap, header, uri::Authority};

/// The policy for a page whose own scripts carry `nonce`.
pub(super) fn of(asked: &HeaderMap, nonce: &str, reload_port: u32) -> String {
    let eval = if knows_wasm_eval(asked) { "wasm-unsafe-eval" } else { "unsafe-eval" };
    let sockets = sockets(asked, reload_port);
    format!(
        "default-src 'self'; script-src 'self' '{eval}' 'nonce-{nonce}'; \
         connect-src 'self'{sockets}; img-src 'self' data:; style-src 'self'; \
         object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
    )
}

/// Chrome and Edge 90 to 96 compile WASM only where every `eval` is allowed, and complain of the
/// narrower word.
fn knows_wasm_eval(asked: &HeaderMap) -> bool {
    let version = text(asked, header::USER_AGENT)
        .and_then(|agent| agent.split_once("Chrome/"))
        .and_then(|(_, version)| version.split('.').next()?.parse::<u32>().ok());
    !matches!(version, Some(90..=96))
}

/// The page's own sockets by name: older browsers hold `'self'` to the scheme of the page.
fn sockets(asked: &HeaderMap, reload_port: u32) -> String {
    let Some(authority) = host(asked) else { return String::new() };
    let reload = match std::env::var_os("LEPTOS_WATCH") {
        Some(_) => format!(" ws://{}:{reload_port}", authority.host()),
        None => String::new(),
    };
    format!(" ws://{authority} wss://{authority}{reload}")
}

/// A policy is a list: a host that could end an entry, or begin another, is left out of it. So are
/// IPv6 addresses, which no policy can name.
fn host(asked: &HeaderMap) -> Option<Authority> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    text(asked, header::HOST)
        .filter(|host| host.chars().all(is_plain))
        .and_then(|host| host.parse().ok())
}

fn text(asked: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    asked.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(agent: &str, host: &str) -> HeaderMap {
        let headers = [(header::USER_AGENT, agent), (header::HOST, host)];
        headers.into_iter().map(|(name, value)| (name, value.parse().unwrap())).collect()
    }

    #[test]
    fn only_browsers_that_need_it_may_eval() {
        let table = [
            ("Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/90.0.4427.0 Safari/537.36", true),
            ("Mozilla/5.0 (X11) HeadlessChrome/90.0.4427.0 Safari/537.36", true),
            ("Mozilla/5.0 Chrome/96.0.4664.110 Safari/537.36 Edg/96.0.1054.62", true),
            ("Mozilla/5.0 Chrome/97.0.4692.71 Safari/537.36", false),
            ("Mozilla/5.0 Chrome/142.0.0.0 Safari/537.36", false),
            ("Mozilla/5.0 (X11; rv:88.0) Gecko/20100101 Firefox/88.0", false),
            ("Chrome/", false),
            ("", false),
        ];
        for (agent, expected) in table {
            let policy = of(&asked(agent, "localhost"), "n", 3001);
            assert_eq!(policy.contains(" 'unsafe-eval'"), expected, "{agent}");
        }
    }

    #[test]
    fn a_page_reaches_its_own_sockets_and_no_others() {
        let table = [
            ("127.0.0.1:3000", " ws://127.0.0.1:3000 wss://127.0.0.1:3000"),
            ("plant.example", " ws://plant.example wss://plant.example"),
            ("[::1]:3000", ""),
            ("a; script-src *", ""),
            ("a,b", ""),
            ("user@host", ""),
            ("host:port:port", ""),
            ("", ""),
        ];
        for (host, expected) in table {
            assert_eq!(sockets(&asked("", host), 3001), expected, "{host}");
        }
    }

    #[test]
    fn the_nonce_is_named_once() {
        let policy = of(&asked("", "localhost"), "MTIz", 3001);
        assert_eq!(policy.matches("'nonce-MTIz'").count(), 1);
    }
}
