//! `[server]`: where the server listens, and whom it believes.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::document::Value;
use crate::finding::{Findings, Place, shown};
use crate::parse::{choice, list, text, word};
use crate::section::Section;
use crate::settings::socket;

/// What this server is to others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// It polls boards, and may have a center above it.
    Edge,
    /// Edges tell it their history, and take its orders.
    Center,
}

/// What `[server]` says.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub role: Role,
    pub listen: SocketAddr,
    pub origins: Vec<String>,
    pub proxies: Vec<IpNet>,
    pub base_path: String,
    /// Where `listen` stands.
    place: Place,
}

/// What keeps a network out; `None` where it cannot be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guards {
    pub has_sign_in: Option<bool>,
    pub has_tls: Option<bool>,
    /// Whether somebody decided about TLS.
    pub is_tls_said: bool,
}

pub(crate) fn read(root: &mut Section<'_>) -> Option<Server> {
    let mut section = root.section("server");
    let words = &[("edge", Role::Edge), ("center", Role::Center)];
    let role = section.read_or("role", "edge", choice(words));
    let place = section.place_of("listen");
    let listen = section.read_or("listen", "127.0.0.1:8080", socket);
    let origins = section.read_or("allowed_origins", "", list(origin));
    let proxies_place = section.place_of("trusted_proxies");
    let proxies = section.read_or("trusted_proxies", "", list(network));
    if proxies.iter().flatten().any(|net| net.prefix_len() == 0) {
        let text = "`trusted_proxies` holds every address: anyone can claim to be anyone";
        section.notes.findings.warn(&proxies_place, text);
    }
    let base_path = section.read_or("base_path", "", base_path);
    section.finish();
    Some(Server {
        role: role?,
        listen: listen?,
        origins: origins?,
        proxies: proxies?,
        base_path: base_path?,
        place,
    })
}

impl Server {
    /// Who lets a network in has to say how far.
    pub(crate) fn check(&self, guards: Guards, findings: &mut Findings) {
        let Self { listen, place, .. } = self;
        if listen.ip().is_loopback() {
            return;
        }
        if !guards.is_tls_said {
            let text = format!(
                "{listen} can be reached from the network: write `enabled = true` in [tls], or \
                 `enabled = false` where plain http is meant"
            );
            findings.mistake(place, text);
        } else if guards.has_tls == Some(false) && self.proxies.is_empty() {
            let text = format!(
                "{listen} can be reached from the network in plain http: passwords and values \
                 can be read on the way"
            );
            findings.warn(place, text);
        }
        if guards.has_sign_in == Some(false) {
            let text = format!(
                "{listen} can be reached from the network, and sign-in is off: whoever reaches \
                 it can give orders"
            );
            findings.warn(place, text);
        }
    }
}

/// As browsers write it: scheme and host, and the port where it is not the usual one.
fn origin(value: &Value) -> Result<String, String> {
    let text = text(value)?.to_ascii_lowercase();
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_plain = |host: &&str| {
        !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/?#@*".contains(c))
    };
    match host.filter(is_plain) {
        Some(_) => Ok(text),
        None => {
            Err(format!("must hold origins such as https://hmi.example:8443, not {}", shown(&text)))
        }
    }
}

/// One address, or all that begin alike: `10.0.0.0/8`.
fn network(value: &Value) -> Result<IpNet, String> {
    let text = word(value)?;
    let one = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let net = one.or_else(|_| text.parse::<IpNet>());
    net.map(|net| net.trunc()).map_err(|_| {
        format!("must hold addresses such as 10.0.0.7 or 10.0.0.0/24, not {}", shown(&text))
    })
}

/// What stands before each path behind a proxy: `/gapless`, or nothing.
fn base_path(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_step =
        |step: &str| !step.is_empty() && ![".", ".."].contains(&step) && step.chars().all(is_plain);
    match text.strip_prefix('/') {
        _ if text.is_empty() => Ok(text),
        Some(rest) if rest.split('/').all(is_step) => Ok(text),
        _ => Err(format!(
            "must be empty or like /gapless, in letters, digits, `-`, `.`, `_` and `~`, without a \
             slash at its end, not {}",
            shown(&text)
        )),
    }
}
