//! What the operator configured: read from files, environment and command line, all mistakes at
//! once.

pub mod changes;
pub mod finding;
pub mod locate;
pub mod overrides;
pub mod points;
pub mod report;

mod auth;
mod channels;
mod commands;
mod devices;
mod document;
mod edges;
mod files;
mod keep;
mod names;
mod parse;
mod plant;
mod pscada;
mod quantity;
mod section;
mod server;
mod settings;
mod sites;
mod tls;
mod uplink;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use engine::PushStrategy;
use field::map::ChannelConfig;
use field::slave::SlaveConfig;
use ipnet::IpNet;
use protocol::point::Plant;

use crate::finding::{Finding, Findings, Place};
use crate::overrides::{Override, Variables};
use crate::section::{Notes, Section};
use crate::server::{Guards, Server};

pub use crate::auth::Auth;
pub use crate::edges::{EDGE_PACE, Edge};
pub use crate::keep::{Log, Records};
pub use crate::section::Setting;
pub use crate::server::Role;
pub use crate::settings::{Arbiter, Integrity, Metrics, SHORTEST_KEY};
pub use crate::tls::{CertificateFiles, Tls};
pub use crate::uplink::{Trust, Uplink};

/// A configuration without a mistake.
#[derive(Clone, Debug)]
pub struct Configuration {
    pub role: Role,
    /// With the devices of the edges that a center expects.
    pub plant: Plant,
    pub channels: Vec<ChannelConfig>,
    pub push: PushStrategy,
    pub listen: SocketAddr,
    /// Whose pages may open a socket, beside the server's own.
    pub origins: Vec<String>,
    /// Who is believed what it says of those whose requests it passes on.
    pub trusted_proxies: Vec<IpNet>,
    /// What stands before each path behind a proxy, such as `/gapless`; or nothing.
    pub base_path: String,
    pub auth: Auth,
    pub tls: Tls,
    pub log: Log,
    pub records: Records,
    pub integrity: Integrity,
    pub metrics: Metrics,
    pub arbiter: Arbiter,
    /// What PSCADA finds, where there is one.
    pub pscada: Option<SlaveConfig>,
    /// The way to this edge's center, where it has one.
    pub uplink: Option<Uplink>,
    /// The edges that this center expects.
    pub edges: Vec<Edge>,
    pub data_dir: PathBuf,
    /// What is allowed, but seldom meant.
    pub warnings: Vec<Finding>,
    /// Every value in effect, and what set it.
    pub settings: Vec<Setting>,
}

/// Where a configuration is read from.
#[derive(Clone, Debug)]
pub struct Source {
    /// How findings call it.
    pub name: String,
    pub text: Cow<'static, [u8]>,
    pub points: PointTable,
}

/// Where the point table comes from.
#[derive(Clone, Debug)]
pub enum PointTable {
    /// A file whose name counts from this folder.
    Beside(PathBuf),
    Embedded(&'static [u8]),
}

/// Why a configuration cannot be used: everything at once.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Refusal {
    pub mistakes: Vec<Finding>,
    pub warnings: Vec<Finding>,
    /// What could be read all the same.
    pub settings: Vec<Setting>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mistakes = finding::counted(self.mistakes.len(), "mistake");
        write!(f, "the configuration cannot be used: {mistakes}")?;
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl Source {
    /// The file at `path`.
    pub fn file(path: &Path) -> std::io::Result<Self> {
        let folder = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        Ok(Self {
            name: path.display().to_string(),
            text: std::fs::read(path)?.into(),
            points: PointTable::Beside(folder),
        })
    }
}

/// Reads a configuration; `variables` is the environment, `flags` the command line.
pub fn read(
    source: &Source,
    variables: &Variables,
    flags: Vec<Override>,
) -> Result<Configuration, Refusal> {
    let mut notes = Notes::default();
    let text = text(source, &mut notes.findings);
    let mut table = document::parse(&source.name, &text, &mut notes.findings);
    let outside = overrides::from_environment(variables, &mut notes.findings);
    for over in outside.into_iter().chain(flags) {
        overrides::apply(&mut table, over, &mut notes.findings);
    }
    let place = Place::File(source.name.as_str().into());
    let mut root = Section::new("", place, table, &mut notes);
    let usual = Usual {
        data_dir: locate::data_dir(variables, locate::is_root()),
        log_dir: locate::log_dir(variables, locate::is_root()),
    };
    let configuration = configuration(&mut root, source, &usual);
    root.finish();
    conclude(configuration, notes)
}

/// Where things are kept if nobody says where.
struct Usual {
    data_dir: PathBuf,
    log_dir: Option<PathBuf>,
}

fn configuration(root: &mut Section<'_>, source: &Source, usual: &Usual) -> Option<Configuration> {
    let server = server::read(root);
    let data_dir = settings::data_dir(root, &usual.data_dir);
    let (auth, tls) = (auth::read(root), tls::read(root, source));
    if let Some(server) = &server {
        let (has_sign_in, has_tls) = (auth.as_ref().map(|auth| auth.enabled), tls.enabled);
        let guards = Guards { has_sign_in, has_tls, is_tls_said: tls.is_said };
        server.check(guards, &mut root.notes.findings);
    }
    let log = keep::log(root, usual.log_dir.as_deref());
    let records = keep::records(root);
    let integrity = settings::integrity(root);
    let push = settings::push_strategy(root);
    let metrics = settings::metrics(root);
    let arbiter = settings::arbiter(root);
    // Where the role cannot be read, neither kind of section is out of place.
    let role = server.as_ref().map(|server| server.role);
    let uplink = uplink::read(root, source, role.unwrap_or(Role::Edge));
    let Drawn { mut plant, channels, pscada, edges } = plant(root, source, role);
    for device in &mut plant.devices {
        device.has_system_server = uplink.is_some();
    }
    let Server { role, listen, origins, proxies, base_path, .. } = server?;
    Some(Configuration {
        role,
        plant,
        channels,
        push: push?,
        listen,
        origins,
        trusted_proxies: proxies,
        base_path,
        auth: auth?,
        tls: tls.finish()?,
        log: log?,
        records: records?,
        integrity: integrity?,
        metrics,
        arbiter: arbiter?,
        pscada,
        uplink,
        edges,
        data_dir: data_dir?,
        warnings: Vec::new(),
        settings: Vec::new(),
    })
}

/// All that is drawn from the sections of sites, channels, devices and edges.
struct Drawn {
    plant: Plant,
    channels: Vec<ChannelConfig>,
    pscada: Option<SlaveConfig>,
    edges: Vec<Edge>,
}

fn plant(root: &mut Section<'_>, source: &Source, role: Option<Role>) -> Drawn {
    let sites = sites::read(root);
    let channels = channels::read(root);
    let devices = devices::read(root, &sites, &channels);
    let edges = edges::read(root, &sites, role.unwrap_or(Role::Center));
    let commands = commands::read(root, &devices.names);
    // A center may have no boards of its own, and then it needs no points either.
    let has_boards = !devices.names.is_empty() || role == Some(Role::Edge) || root.has("points");
    if devices.names.is_empty() && edges.is_empty() {
        root.notes.findings.warn(&root.place, "there is no [[device]]: nothing will be polled");
    }
    let (table, bytes) = match has_boards {
        true => point_table(root, source),
        false => (String::new(), None),
    };
    let entries = match bytes {
        Some(bytes) => points::read(&table, &bytes, &mut root.notes.findings),
        None => Vec::new(),
    };
    let pscada = pscada::read(root, source, &devices, &channels);
    let parts = plant::Parts { sites, channels, devices, commands, entries, table: table.into() };
    let findings = &mut root.notes.findings;
    let (mut plant, channels) = plant::assemble(parts, findings);
    let pscada = pscada.map(|draft| draft.assemble(&mut plant, findings));
    let edges = edges::assemble(edges, &channels, &mut plant, findings);
    Drawn { plant, channels, pscada, edges }
}

/// The point table and its name.
fn point_table(root: &mut Section<'_>, source: &Source) -> (String, Option<Cow<'static, [u8]>>) {
    let name = root.read("points", parse::word);
    let place = name.as_ref().map_or_else(|| root.place.clone(), |name| name.place.clone());
    let name = name.map_or_else(|| "points.csv".into(), |name| name.value);
    match &source.points {
        PointTable::Embedded(bytes) => (format!("demo {name}"), Some(Cow::Borrowed(bytes))),
        PointTable::Beside(folder) => {
            let path = folder.join(&name);
            let read = std::fs::read(&path)
                .map_err(|error| format!("cannot read the points, {}: {error}", path.display()));
            let bytes = root.notes.findings.keep(&place, read);
            (path.display().to_string(), bytes.map(Cow::Owned))
        }
    }
}

fn conclude(configuration: Option<Configuration>, notes: Notes) -> Result<Configuration, Refusal> {
    let Notes { findings: Findings { mut mistakes, mut warnings }, settings } = notes;
    mistakes.sort();
    mistakes.dedup();
    warnings.sort();
    match configuration {
        Some(configuration) if mistakes.is_empty() => {
            Ok(Configuration { warnings, settings, ..configuration })
        }
        _ => Err(Refusal { mistakes, warnings, settings }),
    }
}

/// The text of the file; from the first byte on that is no UTF-8, it is a guess.
fn text<'a>(source: &'a Source, findings: &mut Findings) -> Cow<'a, str> {
    let bytes = &source.text;
    if let Err(error) = std::str::from_utf8(bytes) {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        let place = Place::Line { file: source.name.as_str().into(), line, column: 1 };
        findings.mistake(&place, "is not UTF-8");
    }
    String::from_utf8_lossy(bytes)
}
