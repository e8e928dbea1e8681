//! `[server]`, `[push_strategy]`, `[integrity]`, `[metrics]`, `[arbiter]` and `[auth]`: what concerns the server as a whole.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use engine::PushStrategy;
use protocol::digest::Algorithm;

use crate::document::Value;
use crate::finding::{Findings, Place, shown};
use crate::parse::{choice, list, seconds, switch, text, word};
use crate::section::Section;

/// Where the server listens, and whose pages may open a socket to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Server {
    pub role: Role,
    pub listen: SocketAddr,
    pub origins: Vec<String>,
}

/// What this server is to others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// It polls boards, and may have a center above it.
    Edge,
    /// Edges tell it their history, and take its orders.
    Center,
}

/// How frames are sealed; without a key, one is generated.
#[derive(Clone, Eq, PartialEq)]
pub struct Integrity {
    pub algorithm: Algorithm,
    pub key: Option<String>,
}

/// The key stays out of logs.
impl std::fmt::Debug for Integrity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Integrity").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Who may read the metrics beside this machine, and where else they are served.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Metrics {
    pub token: Option<String>,
    pub listen: Option<SocketAddr>,
}

/// The token stays out of logs.
impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// How orders of several origins get along.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Arbiter {
    /// For how long an order that was carried out keeps lower origins from its target.
    pub hold: Duration,
}

pub(crate) fn server(root: &mut Section<'_>) -> Option<Server> {
    let mut section = root.section("server");
    let words = &[("edge", Role::Edge), ("center", Role::Center)];
    let role = section.read_or("role", "edge", choice(words));
    let listen = section.read_or("listen", "127.0.0.1:8080", socket);
    let origins = section.read_or("allowed_origins", "", list(origin));
    if let Some(listen) = listen
        && !listen.ip().is_loopback()
    {
        let text = format!("{listen} can be reached from the network, and sign-in is off");
        section.notes.findings.warn(&section.place, text);
    }
    section.finish();
    Some(Server { role: role?, listen: listen?, origins: origins? })
}

pub(crate) fn push_strategy(root: &mut Section<'_>) -> Option<PushStrategy> {
    let mut section = root.section("push_strategy");
    section.read_or("mode", "change_driven", choice(&[("change_driven", ())]));
    let interval = seconds(SHORTEST_SNAPSHOT..=LONGEST_SNAPSHOT);
    let full_snapshot_interval = section.read_or("full_snapshot_interval", "30", interval);
    let heartbeat_includes_summary = section.read_or("heartbeat_includes_summary", "true", switch);
    section.finish();
    Some(PushStrategy {
        full_snapshot_interval: full_snapshot_interval?,
        heartbeat_includes_summary: heartbeat_includes_summary?,
    })
}

pub(crate) fn integrity(root: &mut Section<'_>) -> Option<Integrity> {
    let mut section = root.section("integrity");
    let words = &[("md5", Algorithm::Md5), ("hmac-sha256", Algorithm::HmacSha256)];
    let algorithm = section.read_or("algorithm", "md5", choice(words));
    let key = section.read("key", word);
    if let Some(key) = &key {
        check_key(&key.value, &key.place, &mut section.notes.findings);
    }
    section.finish();
    Some(Integrity { algorithm: algorithm?, key: key.map(|key| key.value) })
}

pub(crate) fn metrics(root: &mut Section<'_>) -> Metrics {
    let mut section = root.section("metrics");
    let token = section.read("token", secret).map(|token| token.value);
    let listen = section.read("listen", socket);
    if let Some(listen) = &listen
        && !listen.value.ip().is_loopback()
        && token.is_none()
    {
        let text = "without a `token`, only programs on this machine can read the metrics";
        section.notes.findings.warn(&listen.place, text);
    }
    section.finish();
    Metrics { token, listen: listen.map(|listen| listen.value) }
}

pub(crate) fn arbiter(root: &mut Section<'_>) -> Option<Arbiter> {
    let mut section = root.section("arbiter");
    let hold = section.read_or("hold", "10s", seconds(Duration::ZERO..=LONGEST_HOLD));
    section.finish();
    Some(Arbiter { hold: hold? })
}

/// Sign-in is not there yet: who asks for it must not believe to have it.
pub(crate) fn auth(root: &mut Section<'_>) {
    let mut section = root.section("auth");
    let enabled = section.read("enabled", switch);
    if let Some(enabled) = enabled.filter(|enabled| enabled.value) {
        let text = "`enabled` cannot be true: sign-in comes with a later version; until then \
                    keep it false, and let only a trusted network reach the server";
        section.notes.findings.mistake(&enabled.place, text);
    }
    section.finish();
}

/// Where the server keeps what must survive; a relative path counts from where it is started.
pub(crate) fn data_dir(root: &mut Section<'_>, usual: &std::path::Path) -> Option<PathBuf> {
    root.read_or("data_dir", &usual.to_string_lossy(), word).map(PathBuf::from)
}

fn check_key(key: &str, place: &Place, findings: &mut Findings) {
    if key.len() < SHORTEST_KEY {
        let text = format!("a key of fewer than {SHORTEST_KEY} characters is soon guessed");
        findings.warn(place, text);
    }
}

/// What goes over the wire in a header, and is not soon guessed.
pub(crate) fn secret(value: &Value) -> Result<String, String> {
    let text = word(value)?;
    match text.len() {
        0..SHORTEST_KEY => Err(format!("must have at least {SHORTEST_KEY} characters")),
        _ if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(text),
        _ => Err("may hold only visible ASCII characters, and no spaces".into()),
    }
}

pub(crate) fn socket(value: &Value) -> Result<SocketAddr, String> {
    let text = text(value)?;
    text.parse().map_err(|_| {
        format!("must be an address with its port, such as 0.0.0.0:8080, not {}", shown(&text))
    })
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

const SHORTEST_SNAPSHOT: Duration = Duration::from_secs(1);
const LONGEST_SNAPSHOT: Duration = Duration::from_secs(3600);

/// Whoever has to act again within that time is held up by nobody.
const LONGEST_HOLD: Duration = Duration::from_secs(600);

/// 16 characters of hex are 64 bits.
pub const SHORTEST_KEY: usize = 16;
