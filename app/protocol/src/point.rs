//! The static facts of points, devices and sites: what does not change while the plant runs.

use serde::{Deserialize, Serialize};

use crate::command::CommandSpec;
use crate::id::{ChannelId, DeviceId, FaultCode, PointKey, SiteId};

/// A name in the operators' two languages.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Name {
    pub zh: String,
    pub en: String,
}

/// What a point is to the plant; S1's letters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum PointKind {
    /// Measured (遥测).
    #[serde(rename = "T")]
    Telemetry,
    /// Two-state (遥信).
    #[serde(rename = "S")]
    Signal,
    /// Switched by a command (遥控).
    #[serde(rename = "C")]
    Control,
    /// Set by a command (遥调).
    #[serde(rename = "A")]
    Adjustment,
}

/// Which way a two-state point looks, seen from the board (S0-4).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Input,
    Output,
}

/// What a two-state point says about its device when it is ON.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nothing.
    #[default]
    None,
    /// The device is being tested.
    Testing,
    /// The device warns; with a code, the code is active.
    Alarm(Option<FaultCode>),
    /// The device has failed; with a code, the code is active.
    Fault(Option<FaultCode>),
}

/// Where a measured value is normal; each limit is optional, in the point's unit.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Limits {
    pub hh: Option<f64>,
    pub h: Option<f64>,
    pub l: Option<f64>,
    pub ll: Option<f64>,
}

/// One named value of a device.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Point {
    pub key: PointKey,
    pub kind: PointKind,
    pub name: Name,
    /// Empty where the value has none.
    pub unit: String,
    pub decimals: u8,
    /// The engineering range, in `unit`: the ends of its bar.
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub limits: Limits,
    /// Changes no larger than this are not told, in `unit`.
    pub deadband: f64,
    /// After how many milliseconds without a poll it is stale; three polls where not set.
    pub stale_ms: Option<u32>,
    /// For two-state points only.
    pub direction: Option<Direction>,
    pub role: Role,
    /// A change of it is a key event (S0-44).
    pub key_event: bool,
}

impl Point {
    /// A point about which nothing else is said: one decimal, no range, no limits, no role.
    pub fn new(key: PointKey, kind: PointKind) -> Self {
        Self {
            key,
            kind,
            name: Name::default(),
            unit: String::new(),
            decimals: 1,
            min: None,
            max: None,
            limits: Limits::default(),
            deadband: 0.0,
            stale_ms: None,
            direction: None,
            role: Role::None,
            key_event: false,
        }
    }

    /// Whether its values are ON and OFF.
    pub fn is_switch(&self) -> bool {
        matches!(self.kind, PointKind::Signal | PointKind::Control)
    }
}

/// One controller and its points, in the order of the point table.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Device {
    pub id: DeviceId,
    pub site: SiteId,
    pub channel: ChannelId,
    pub name: Name,
    pub points: Vec<Point>,
    /// What it can be told to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandSpec>,
    /// The points whose values stand on the device's tile; three at most.
    pub overview: Vec<PointKey>,
    /// Whether a PSCADA is configured for it.
    pub has_pscada: bool,
    /// Whether a system server is configured for it.
    pub has_system_server: bool,
}

impl Device {
    pub fn point(&self, key: &PointKey) -> Option<&Point> {
        self.points.iter().find(|point| point.key == *key)
    }

    pub fn command(&self, name: &str) -> Option<&CommandSpec> {
        self.commands.iter().find(|command| command.name == name)
    }
}

/// One place with devices.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Site {
    pub id: SiteId,
    pub name: Name,
    /// IANA name of the zone its times are shown in.
    pub zone: String,
}

/// All that is configured and does not change while the server runs.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Plant {
    pub sites: Vec<Site>,
    pub devices: Vec<Device>,
    /// Whether it is the built-in demonstration, which every page must say.
    pub demo: bool,
}

impl Plant {
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.iter().find(|device| device.id == *id)
    }
}
