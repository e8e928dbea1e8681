//! `[[edge]]`: the edges that a center expects, each with its devices as the center shows them.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use field::map::ChannelConfig;
use protocol::command::{CommandAction, CommandSpec, Risk};
use protocol::id::{ChannelId, DeviceId, EdgeId, PointKey, SiteId};
use protocol::point::{Device, Name, Plant, Point, PointKind};

use crate::document::Value;
use crate::finding::{Findings, Place, shown};
use crate::names::Names;
use crate::parse::{list, parsed, word};
use crate::section::Section;
use crate::server::Role;
use crate::settings::secret;
use crate::sites::{Sites, name};

/// An edge that a center expects.
#[derive(Clone, Eq, PartialEq)]
pub struct Edge {
    pub id: EdgeId,
    pub token: String,
    /// As the edge calls them.
    pub devices: Vec<DeviceId>,
    /// Of its devices here: no bus, but what has one pace.
    pub channel: ChannelId,
}

/// The token stays out of logs.
impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, devices, channel, .. } = self;
        let mut shown = f.debug_struct("Edge");
        shown.field("id", id).field("devices", devices).field("channel", channel);
        shown.finish_non_exhaustive()
    }
}

/// What `[[edge]]` says; its channel is not known yet.
pub(crate) struct Draft {
    id: EdgeId,
    place: Place,
    token: String,
    site: SiteId,
    name: Name,
    devices: Vec<DeviceId>,
    commands: Vec<String>,
}

pub(crate) fn read(root: &mut Section<'_>, sites: &Sites, role: Role) -> Vec<Draft> {
    let (mut names, mut drafts) = (Names::new("edge"), Vec::new());
    root.each("edge", |section| {
        if role == Role::Edge {
            let text = "[[edge]] goes with `role = \"center\"` in [server]";
            section.notes.findings.mistake(&section.place, text);
        }
        drafts.extend(edge(section, &mut names, sites));
    });
    drafts
}

fn edge(section: &mut Section<'_>, names: &mut Names<EdgeId>, sites: &Sites) -> Option<Draft> {
    let id = section.require("id", parsed::<EdgeId>);
    if let Some(id) = &id {
        names.enter(id, &mut section.notes.findings);
    }
    let name = name(section, id.as_ref().map_or("", |id| id.value.as_str()));
    let token = section.require("token", secret);
    let site = section.require("site", parsed::<SiteId>);
    if let Some(site) = &site {
        sites.names.check(&site.value, &site.place, &mut section.notes.findings);
    }
    let devices = section.require("devices", list(parsed::<DeviceId>));
    let commands = section.read_or("commands", "", list(command));
    let id = id?;
    Some(Draft {
        id: id.value,
        place: id.place,
        token: token?.value,
        site: site?.value,
        name,
        devices: devices?.value,
        commands: commands?,
    })
}

/// A command's name as it goes over the wire, without a value.
fn command(value: &Value) -> Result<String, String> {
    let name = word(value)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    match name.len() <= LONGEST_COMMAND && name.chars().all(is_plain) {
        true => Ok(name),
        false => Err(format!("must hold names such as START, not {}", shown(&name))),
    }
}

/// Puts the edges' devices into the plant, each edge on a channel of its own behind the buses.
pub(crate) fn assemble(
    drafts: Vec<Draft>,
    buses: &[ChannelConfig],
    plant: &mut Plant,
    findings: &mut Findings,
) -> Vec<Edge> {
    let buses = buses.iter().map(|bus| bus.id.0);
    let first = buses.max().unwrap_or_default().saturating_add(1);
    let place = |(draft, number): (Draft, u32)| {
        let channel = ChannelId(number);
        enter(&draft, channel, plant, findings);
        let Draft { id, token, devices, .. } = draft;
        Edge { id, token, devices, channel }
    };
    drafts.into_iter().zip(first..).map(place).collect()
}

fn enter(draft: &Draft, channel: ChannelId, plant: &mut Plant, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for device in draft.devices.iter().filter(|device| !seen.insert(*device)) {
        findings.mistake(&draft.place, format!("`devices` names `{device}` twice"));
    }
    if draft.devices.is_empty() {
        findings.mistake(&draft.place, "`devices` is empty: nothing would show this edge");
    }
    for known in seen {
        let here = format!("{}:{known}", draft.id);
        match here.parse::<DeviceId>() {
            Err(error) => findings.mistake(&draft.place, error.to_string()),
            Ok(id) if plant.device(&id).is_some() => {
                findings.mistake(&draft.place, format!("device `{id}` is already defined"));
            }
            Ok(id) => plant.devices.push(device(draft, id, known, channel)),
        }
    }
}

fn device(draft: &Draft, id: DeviceId, known: &DeviceId, channel: ChannelId) -> Device {
    let Name { zh, en } = &draft.name;
    let points: Vec<_> = POINTS.into_iter().map(point).collect();
    Device {
        id,
        site: draft.site.clone(),
        channel,
        name: Name { zh: format!("{zh} {known}"), en: format!("{en} {known}") },
        overview: points.iter().map(|point| point.key.clone()).collect(),
        points,
        commands: draft.commands.iter().map(|name| forward(name)).collect(),
        has_pscada: false,
        has_system_server: false,
    }
}

fn point((key, zh, en, unit): (&str, &str, &str, &str)) -> Point {
    let key: PointKey = key.parse().expect("a name of ours is an identifier");
    Point {
        name: Name { zh: zh.into(), en: en.into() },
        unit: unit.into(),
        decimals: 0,
        ..Point::new(key, PointKind::Telemetry)
    }
}

fn forward(name: &str) -> CommandSpec {
    let title = Name { zh: name.into(), en: name.into() };
    // What it does there is not known here.
    CommandSpec { name: name.into(), title, risk: Risk::C, action: CommandAction::Forward }
}

/// What a center knows of an edge, in the order in which its reports tell it.
const POINTS: [(&str, &str, &str, &str); 3] = [
    ("backlog", "待上传记录", "Rows to upload", ""),
    ("delay", "上传延迟", "Upload delay", "s"),
    ("received", "已接收记录", "Rows received", ""),
];

/// How often an edge is heard of at least.
pub const EDGE_PACE: Duration = Duration::from_secs(10);

const LONGEST_COMMAND: usize = 64;
