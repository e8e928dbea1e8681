//! What the server hands to a page, so that the first HTML and the first run in the browser agree.

use std::collections::BTreeMap;

use leptos::server::codee::{Decoder, Encoder};
use protocol::frame::{CommandExecuted, KeyEvent, StateChanged, Update};
use protocol::id::{DeviceId, SiteId};
use protocol::json;
use protocol::point::{Device, Name, Plant, Site};
use protocol::stream::StreamName;
use protocol::time::Timestamp;
use protocol::user::{Role, Scope};
use protocol::wire::session::SessionGrant;
use serde::{Deserialize, Serialize};

use crate::choice::Choice;

/// Made by the server for each request, given to the page as a context, read again at hydration.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Bootstrap {
    /// When this was made, by the server's clock: the first "now" on both sides.
    pub now: Timestamp,
    /// The server's version.
    pub version: String,
    /// From the request's cookies.
    pub choice: Choice,
    /// Whether the plant is the built-in demonstration.
    pub demo: bool,
    /// How often streams repeat everything they know.
    pub snapshot_interval_ms: u64,
    pub sites: Vec<Site>,
    pub zones: BTreeMap<SiteId, Zone>,
    /// Every device, but of their points only those of the overview, and no commands.
    pub devices: Vec<Device>,
    /// What commands are called, by their names on the wire.
    pub titles: Vec<(String, Name)>,
    /// How often each device is polled, where known.
    pub poll_ms: BTreeMap<DeviceId, u32>,
    /// The device whose page is asked for, with all its points.
    pub device: Option<Device>,
    /// The device whose stream carries this tab's connection: that of the page, else any.
    pub home: Option<DeviceId>,
    /// What is known now: of every site, and of the device whose page is asked for.
    pub values: BTreeMap<StreamName, Told>,
    /// What happened lately, newest first; may be empty.
    pub events: Vec<Happening>,
    /// Who looks; `None` where they are still to sign in.
    pub person: Option<Person>,
    /// Whether there is anything to sign in to.
    pub is_login_on: bool,
    /// Whether this page came over TLS.
    pub is_encrypted: bool,
    /// What whoever signs in is to read; may be empty in both languages.
    pub notice: Name,
}

/// Who looks at a page, and what they may do there.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Person {
    pub user: String,
    pub role: Role,
    pub sites: Scope,
    /// `None`: as long as they please.
    pub expires: Option<Timestamp>,
    /// After so long without a hand on it, the page asks for the password before it acts again.
    pub lock_after_ms: Option<u64>,
    /// Nothing is told before they have chosen a password of their own.
    pub must_change_password: bool,
}

/// Everything a stream tells, as it stood `at`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Told {
    pub at: Timestamp,
    pub update: Update,
}

/// Something that happened to a device.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Happening {
    pub device: DeviceId,
    pub what: What,
}

/// What happened: a key event in a form that browsers read with little code.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Changed(StateChanged),
    Executed(CommandExecuted),
}

impl What {
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Changed(change) => change.at,
            Self::Executed(executed) => executed.at,
        }
    }
}

impl From<KeyEvent> for What {
    fn from(event: KeyEvent) -> Self {
        match event {
            KeyEvent::CommandExecuted(executed) => Self::Executed(executed),
            KeyEvent::StateChanged(change) => Self::Changed(change),
        }
    }
}

impl From<StateChanged> for What {
    fn from(change: StateChanged) -> Self {
        Self::Changed(change)
    }
}

/// The wall clock of a site: computed on the server, because old browsers know no zones.
///
/// A page that stays open over a change of summer time shows the old offset until it is loaded again.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Zone {
    pub offset_minutes: i32,
    /// Such as `CST`; stands beside the clock.
    pub label: String,
}

/// A page where nobody has to sign in.
impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            now: Timestamp::default(),
            version: String::new(),
            choice: Choice::default(),
            demo: false,
            snapshot_interval_ms: 0,
            sites: Vec::new(),
            zones: BTreeMap::new(),
            devices: Vec::new(),
            titles: Vec::new(),
            poll_ms: BTreeMap::new(),
            device: None,
            home: None,
            values: BTreeMap::new(),
            events: Vec::new(),
            person: Some(Person::default()),
            is_login_on: false,
            is_encrypted: false,
            notice: Name::default(),
        }
    }
}

/// Whoever is there, where nobody has to sign in.
impl Default for Person {
    fn default() -> Self {
        Self {
            user: "anonymous".into(),
            role: Role::Operator,
            sites: Scope::All,
            expires: None,
            lock_after_ms: None,
            must_change_password: false,
        }
    }
}

impl From<&SessionGrant> for Person {
    fn from(grant: &SessionGrant) -> Self {
        Self {
            user: grant.user.clone(),
            role: grant.role,
            sites: grant.sites.clone(),
            expires: grant.expires,
            lock_after_ms: grant.lock_after_ms,
            must_change_password: grant.must_change_password,
        }
    }
}

impl Bootstrap {
    /// The static facts of a page: all of `page`'s device, the overview's share of the others.
    ///
    /// The caller adds what changes: `now`, `values`, `events`, and what it alone knows.
    pub fn of(plant: &Plant, page: Option<&DeviceId>) -> Self {
        let device = page.and_then(|id| plant.device(id)).cloned();
        let first = || plant.devices.first().map(|device| device.id.clone());
        Self {
            demo: plant.demo,
            sites: plant.sites.clone(),
            devices: plant.devices.iter().map(tile).collect(),
            titles: titles(plant),
            home: device.as_ref().map(|device| device.id.clone()).or_else(first),
            device,
            ..Self::default()
        }
    }

    /// The streams whose current values the page wants to begin with.
    pub fn streams(&self) -> impl Iterator<Item = StreamName> + '_ {
        let sites = self.sites.iter().map(|site| StreamName::Site(site.id.clone()));
        let device = self.device.as_ref().map(|device| StreamName::Device(device.id.clone()));
        sites.chain(device).chain([StreamName::System])
    }
}

/// How the page carries it from one side to the other.
pub(crate) struct Json;

impl Encoder<Bootstrap> for Json {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(page: &Bootstrap) -> serde_json::Result<String> {
        serde_json::to_string(page)
    }
}

impl Decoder<Bootstrap> for Json {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> serde_json::Result<Bootstrap> {
        json::read(text)
    }
}

/// The device that a path leads to: `/devices/<id>`.
pub fn device_of(path: &str) -> Option<DeviceId> {
    path.strip_prefix("/devices/")?.trim_end_matches('/').parse().ok()
}

fn tile(device: &Device) -> Device {
    let chosen = device.overview.iter().filter_map(|key| device.point(key));
    Device { points: chosen.cloned().collect(), commands: Vec::new(), ..device.clone() }
}

/// Where two devices call the same thing by two names, the first of them is as good.
fn titles(plant: &Plant) -> Vec<(String, Name)> {
    let mut titles: Vec<(String, Name)> = Vec::new();
    for spec in plant.devices.iter().flat_map(|device| &device.commands) {
        if titles.iter().all(|(known, _)| *known != spec.name) {
            titles.push((spec.name.clone(), spec.title.clone()));
        }
    }
    titles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_devices() {
        let table = [
            ("/devices/board-1", Some("board-1")),
            ("/devices/board-1/", Some("board-1")),
            ("/devices/", None),
            ("/", None),
            ("/devices/a/b", None),
        ];
        for (path, expected) in table {
            assert_eq!(device_of(path).as_ref().map(DeviceId::as_str), expected, "{path}");
        }
    }

    #[test]
    fn a_page_embeds_only_the_points_it_shows() {
        let plant = crate::sample::plant();
        let home = plant.devices[1].id.clone();
        let page = Bootstrap::of(&plant, Some(&home));
        assert_eq!(page.device.as_ref(), Some(&plant.devices[1]));
        assert_eq!(page.home, Some(home.clone()));
        assert!(page.devices.iter().all(|device| device.points.len() == device.overview.len()));
        let streams: Vec<_> = page.streams().map(|name| name.to_string()).collect();
        let device = format!("device/{home}");
        assert_eq!(streams, ["site/plant", device.as_str(), "system"]);
        assert_eq!(Bootstrap::of(&plant, None).home, Some(plant.devices[0].id.clone()));
    }

    #[test]
    fn what_is_embedded_reads_back_the_same() {
        let device = "board-1".parse().unwrap();
        for device in [None, Some(&device)] {
            let page = crate::sample::page(device);
            let text = Json::encode(&page).unwrap();
            assert_eq!(Json::decode(&text).unwrap(), page);
        }
    }
}
