//! `[uplink]`: where an edge's center is, and who the edge is there.

use std::fmt;

use protocol::id::EdgeId;

use crate::document::Value;
use crate::finding::shown;
use crate::parse::{parsed, word};
use crate::section::Section;
use crate::settings::{Role, secret};

/// The way to a center.
#[derive(Clone, Eq, PartialEq)]
pub struct Uplink {
    /// Such as `ws://center.example:8080/ws/uplink`.
    pub url: String,
    pub edge: EdgeId,
    pub token: String,
}

/// The token stays out of logs.
impl fmt::Debug for Uplink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, edge, .. } = self;
        f.debug_struct("Uplink").field("url", url).field("edge", edge).finish_non_exhaustive()
    }
}

pub(crate) fn read(root: &mut Section<'_>, role: Role) -> Option<Uplink> {
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
    section.finish();
    Some(Uplink { url: url?.value, edge: edge?.value, token: token?.value })
}

/// A WebSocket's address without a query: who calls is added to it.
fn url(value: &Value) -> Result<String, String> {
    let text = word(value)?;
    if text.starts_with("wss://") {
        let why = "must begin with ws://: encrypt the way to a center beside this server, \
                   in a tunnel or with a proxy on this machine";
        return Err(why.into());
    }
    let rest = text.strip_prefix("ws://").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
    let is_plain = |text: &str| !text.contains(|c: char| c.is_whitespace() || "?#@".contains(c));
    match rest {
        Some((host, path)) if !host.is_empty() && is_plain(host) && is_plain(path) => Ok(text),
        _ => Err(format!("must be like ws://10.0.0.9:8080/ws/uplink, not {}", shown(&text))),
    }
}
