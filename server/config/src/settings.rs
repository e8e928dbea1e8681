//! `[push_strategy]`, `[integrity]`, `[metrics]` and `[arbiter]`: what concerns the server as a whole.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use engine::PushStrategy;
use protocol::digest::Algorithm;

use crate::document::Value;
use crate::finding::{Findings, Place, shown};
use crate::parse::{choice, switch, text, word};
use crate::quantity::seconds;
use crate::section::Section;

/// How frames are sealed; without a key, one is generated.
#[derive(Clone, Eq, PartialEq)]
pub struct Integrity {
    pub algorithm: Algorithm,
    pub key: Option<String>,
    /// While clients change over to `key`, they may seal with this one.
    pub previous_key: Option<String>,
}

/// The keys stay out of logs.
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
    let key = section.read("key", own);
    let previous = section.read("previous_key", own);
    for key in [&key, &previous].into_iter().flatten() {
        check_key(&key.value, &key.place, &mut section.notes.findings);
    }
    if let (Some(key), Some(previous)) = (&key, &previous)
        && key.value == previous.value
    {
        let text = "`previous_key` is the same as `key`: nothing changes over";
        section.notes.findings.warn(&previous.place, text);
    }
    section.finish();
    let [key, previous_key] = [key, previous].map(|key| key.map(|key| key.value));
    Some(Integrity { algorithm: algorithm?, key, previous_key })
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

/// A text that is not one of those that everybody can read in our sample.
fn own(value: &Value) -> Result<String, String> {
    let text = word(value)?;
    match SAMPLES.contains(&text.as_str()) {
        true => {
            Err("is the text of the sample, which everybody knows: write one of your own".into())
        }
        false => Ok(text),
    }
}

/// What goes over the wire in a header, and is not soon guessed.
pub(crate) fn secret(value: &Value) -> Result<String, String> {
    let text = own(value)?;
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

const SHORTEST_SNAPSHOT: Duration = Duration::from_secs(1);
const LONGEST_SNAPSHOT: Duration = Duration::from_secs(3600);

/// Whoever has to act again within that time is held up by nobody.
const LONGEST_HOLD: Duration = Duration::from_secs(600);

/// 16 characters of hex are 64 bits.
pub const SHORTEST_KEY: usize = 16;

/// What the sample and the documentation write in the place of a key or a token.
const SAMPLES: [&str; 2] = ["at least sixteen characters", "at-least-sixteen-characters"];
