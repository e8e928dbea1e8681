//! Names of things: checked once, where they come in, and cheap to pass around.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a text cannot be an identifier.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdError {
    #[error("an identifier is empty")]
    Empty,
    #[error("identifier `{0}` is longer than {LONGEST} characters")]
    TooLong(String),
    #[error("identifier `{0}` may hold only letters, digits, `-`, `_`, `.` and `:`")]
    Foreign(String),
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().into()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// One stay of a client, across all its sockets (S0-34).
    ConnectionId
}
identifier! {
    /// One controller on the plant floor.
    DeviceId
}
identifier! {
    /// One server that sends its history up to a center, and takes its orders.
    EdgeId
}
identifier! {
    /// One run of the server: a text that is new at each start of the Station.
    Epoch
}
identifier! {
    /// A fault in the words of its device, such as `E001` (S0-7).
    FaultCode
}
identifier! {
    /// One life of an edge's backlog: a text that is new at each beginning of its file.
    Incarnation
}
identifier! {
    /// A point's name in the data dictionary, such as `temperature`; unique within its device (S0-104).
    PointKey
}
identifier! {
    /// One place with devices, such as a station or a plant.
    SiteId
}
identifier! {
    /// One person.
    UserId
}

/// One field bus; the number that S1 calls `channel_id`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct ChannelId(pub u32);

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > LONGEST {
        return Err(IdError::TooLong(text.chars().take(LONGEST).collect()));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if text.chars().all(plain) { Ok(()) } else { Err(IdError::Foreign(text.into())) }
}

/// Identifiers stand in URLs, log lines and file names.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_checked_where_they_come_in() {
        let long = "x".repeat(65);
        let table = [
            ("board-1", Ok(())),
            ("HYP_RPLD_001", Ok(())),
            ("", Err(IdError::Empty)),
            ("板1", Err(IdError::Foreign("板1".into()))),
            ("a b", Err(IdError::Foreign("a b".into()))),
            ("../etc", Err(IdError::Foreign("../etc".into()))),
            (long.as_str(), Err(IdError::TooLong("x".repeat(64)))),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<DeviceId>().map(drop), expected, "{text:?}");
        }
    }

    #[test]
    fn an_identifier_from_json_is_checked_too() {
        assert!(serde_json::from_str::<DeviceId>("\"board-1\"").is_ok());
        assert!(serde_json::from_str::<DeviceId>("\"a/b\"").is_err());
    }
}
