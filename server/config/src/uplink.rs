//! `[uplink]`: where an edge's center is, and who the edge is there.

use std::fmt;
use std::path::PathBuf;

use protocol::id::EdgeId;

use crate::Source;
use crate::document::Value;
use crate::files::readable;
use crate::finding::shown;
use crate::parse::{parsed, word};
use crate::section::Section;
use crate::server::Role;
use crate::settings::secret;

/// The way to a center.
#[derive(Clone, Eq, PartialEq)]
pub struct Uplink {
    /// Such as `wss://center.example:8443/ws/uplink`.
    pub url: String,
    pub edge: EdgeId,
    pub token: String,
    pub trust: Trust,
}

/// How the edge knows its center, where the way there is encrypted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trust {
    /// By a certificate that this machine trusts.
    System,
    /// By a certificate that this one has signed, or that is this one: a file in PEM.
    Authority(PathBuf),
    /// By exactly this certificate: its SHA-256.
    Fingerprint([u8; 32]),
}

/// The token stays out of logs.
impl fmt::Debug for Uplink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, edge, trust, .. } = self;
        let mut shown = f.debug_struct("Uplink");
        shown.field("url", url).field("edge", edge).field("trust", trust);
        shown.finish_non_exhaustive()
    }
}

pub(crate) fn read(root: &mut Section<'_>, source: &Source, role: Role) -> Option<Uplink> {
    if !root.has("uplink") {
        return None;
    }
    let mut section = root.section("uplink");
    if role == Role::Center {
        let text = "[uplink] goes with `role = \"edge\"` in [server]: a center has none above it";
        section.notes.findings.mistake(&section.place, text);
    }
    let url = section.require("url", url);
    let edge = section.require("edge", parsed::<EdgeId>);
    let token = section.require("token", secret);
    let is_plain = url.as_ref().is_some_and(|url| url.value.starts_with(PLAIN));
    if is_plain {
        section.pass_over(&["ca", "fingerprint"], Some("goes with a url of wss://"));
    }
    let trust = trust(&mut section, source);
    section.finish();
    Some(Uplink { url: url?.value, edge: edge?.value, token: token?.value, trust: trust? })
}

fn trust(section: &mut Section<'_>, source: &Source) -> Option<Trust> {
    let has_both = section.has("ca") && section.has("fingerprint");
    let has_none = !section.has("ca") && !section.has("fingerprint");
    let ca = section.read("ca", word);
    let fingerprint = section.read("fingerprint", fingerprint);
    if let (true, Some(ca)) = (has_both, &ca) {
        let text = "`ca` and `fingerprint` exclude each other: keep the one that is meant";
        section.notes.findings.mistake(&ca.place, text);
    }
    if has_none {
        return Some(Trust::System);
    }
    let findings = &mut section.notes.findings;
    let authority = ca.and_then(|ca| readable("ca", &ca, source, findings)).map(Trust::Authority);
    authority.or_else(|| fingerprint.map(|read| Trust::Fingerprint(read.value)))
}

/// A WebSocket's address without a query: who calls is added to it.
fn url(value: &Value) -> Result<String, String> {
    let text = word(value)?;
    let rest = text.strip_prefix(PLAIN).or_else(|| text.strip_prefix("wss://"));
    let rest = rest.map(|rest| rest.split_once('/').unwrap_or((rest, "")));
    let is_plain = |text: &str| !text.contains(|c: char| c.is_whitespace() || "?#@".contains(c));
    match rest {
        Some((host, path)) if !host.is_empty() && is_plain(host) && is_plain(path) => Ok(text),
        _ => Err(format!(
            "must be like wss://10.0.0.9:8443/ws/uplink or ws://10.0.0.9:8080/ws/uplink, not {}",
            shown(&text)
        )),
    }
}

/// `sha256:` and 64 digits, with colons or without, as a server shows its own.
fn fingerprint(value: &Value) -> Result<[u8; 32], String> {
    let text = word(value)?;
    let digits = text.strip_prefix("sha256:").map(|digits| digits.replace(':', ""));
    digits.as_deref().and_then(bytes).ok_or_else(|| {
        let text = shown(&text);
        format!("must be `sha256:` and 64 digits of the center's certificate, not {text}")
    })
}

fn bytes(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

const PLAIN: &str = "ws://";
