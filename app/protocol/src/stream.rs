//! Names of streams: what a connection can follow.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{DeviceId, IdError, SiteId, UserId};

/// An ordered series of frames with one writer, the Station.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum StreamName {
    /// `alarms`: every alarm of the plant.
    Alarms,
    /// `device/<id>`: the points, state and reach of one device.
    Device(DeviceId),
    /// `site/<id>`: one summary a device, for overviews.
    Site(SiteId),
    /// `system`: the server itself.
    System,
    /// `user/<id>`: what concerns one person.
    User(UserId),
}

/// Why a text names no stream.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StreamNameError {
    #[error("`{0}` names no stream: device/<id>, site/<id>, user/<id>, alarms or system")]
    Unknown(String),
    #[error(transparent)]
    Id(#[from] IdError),
}

impl StreamName {
    /// The device whose stream this is.
    pub fn device(&self) -> Option<&DeviceId> {
        match self {
            Self::Device(device) => Some(device),
            _ => None,
        }
    }
}

impl FromStr for StreamName {
    type Err = StreamNameError;

    fn from_str(text: &str) -> Result<Self, StreamNameError> {
        let unknown = || StreamNameError::Unknown(text.chars().take(SHOWN).collect());
        match text.split_once('/') {
            None if text == "alarms" => Ok(Self::Alarms),
            None if text == "system" => Ok(Self::System),
            Some(("device", id)) => Ok(Self::Device(id.parse()?)),
            Some(("site", id)) => Ok(Self::Site(id.parse()?)),
            Some(("user", id)) => Ok(Self::User(id.parse()?)),
            _ => Err(unknown()),
        }
    }
}

impl TryFrom<String> for StreamName {
    type Error = StreamNameError;

    fn try_from(text: String) -> Result<Self, StreamNameError> {
        text.parse()
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alarms => f.write_str("alarms"),
            Self::Device(id) => write!(f, "device/{id}"),
            Self::Site(id) => write!(f, "site/{id}"),
            Self::System => f.write_str("system"),
            Self::User(id) => write!(f, "user/{id}"),
        }
    }
}

/// As much of a foreign text as an error repeats.
const SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_names_read_back_as_written() {
        for text in ["alarms", "device/board-1", "site/plant", "system", "user/li"] {
            let name: StreamName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn other_texts_name_no_stream() {
        for text in ["", "device", "device/", "device/a/b", "Device/a", "alarms/1", "x/y"] {
            assert!(text.parse::<StreamName>().is_err(), "{text:?}");
        }
    }
}
