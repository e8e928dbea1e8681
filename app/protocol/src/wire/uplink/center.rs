//! What a center says that a native server does not.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::write_sealed;
use crate::digest::Seal;
use crate::id::DeviceId;
use crate::time::Timestamp;
use crate::wire::cut::cut;

/// What comes down to an edge, beside the words of the native wire.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Downward {
    Command(Command),
    Uploaded(Uploaded),
    UploadFailed(UploadFailed),
}

/// An order to a device of the edge.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Command {
    pub command: String,
    pub command_id: String,
    pub device_id: DeviceId,
    #[serde(default)]
    pub param: Option<String>,
    /// Who gave it at the center.
    pub user: String,
    /// What is not done within so many milliseconds is not to be done any more.
    pub within_ms: u64,
}

/// `UPLOADED`: the batch is on the center's disk.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Uploaded {
    pub batch: u64,
}

/// `UPLOAD_FAILED`: nothing of the batch was kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UploadFailed {
    pub batch: u64,
    pub reason: String,
}

/// A text of the center, as an edge may take it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Said {
    /// A word, and when it was said by the center's clock.
    Word(Downward, Timestamp),
    /// The check code is wrong; whatever it was, it does not count.
    Tampered,
    /// Words of the native wire, or none that are known here.
    Other,
}

impl Downward {
    /// The frame's `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "COMMAND",
            Self::Uploaded(_) => "UPLOADED",
            Self::UploadFailed(_) => "UPLOAD_FAILED",
        }
    }

    /// The sealed text.
    pub fn write(&self, seal: &Seal, edge: &str, at: Timestamp) -> String {
        let kind = self.kind();
        match self {
            Self::Command(command) => write_sealed(seal, kind, edge, at, command),
            Self::Uploaded(uploaded) => write_sealed(seal, kind, edge, at, uploaded),
            Self::UploadFailed(failed) => write_sealed(seal, kind, edge, at, failed),
        }
    }

    /// Reads a text, whatever it is.
    pub fn read(text: &str, seal: &Seal) -> Said {
        let is_sound = cut(text).is_ok_and(|cut| seal.matches(&cut.pieces, cut.checksum));
        let word = Self::of(text);
        match word {
            Some(_) if !is_sound => Said::Tampered,
            Some((word, at)) => Said::Word(word, at),
            None => Said::Other,
        }
    }

    fn of(text: &str) -> Option<(Self, Timestamp)> {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            #[serde(borrow)]
            data: &'a RawValue,
            timestamp: Timestamp,
            #[serde(rename = "type")]
            kind: &'a str,
        }
        let Envelope { data, timestamp, kind } = serde_json::from_str(text).ok()?;
        let data = data.get();
        let word = match kind {
            "COMMAND" => serde_json::from_str(data).ok().map(Self::Command),
            "UPLOADED" => serde_json::from_str(data).ok().map(Self::Uploaded),
            "UPLOAD_FAILED" => serde_json::from_str(data).ok().map(Self::UploadFailed),
            _ => None,
        };
        Some((word?, timestamp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::uplink::seal;

    #[test]
    fn words_read_back_as_written_and_only_under_their_seal() {
        let seal_here = seal("a token for tests");
        for word in [
            Downward::Uploaded(Uploaded { batch: 7 }),
            Downward::UploadFailed(UploadFailed { batch: 7, reason: "the disk is full".into() }),
            Downward::Command(Command {
                command: "START".into(),
                command_id: "c-1".into(),
                device_id: "board-1".parse().unwrap(),
                param: None,
                user: "li".into(),
                within_ms: 450,
            }),
        ] {
            let at = Timestamp::from_millis(5);
            let text = word.write(&seal_here, "north", at);
            assert_eq!(Downward::read(&text, &seal("another token here")), Said::Tampered);
            assert_eq!(Downward::read(&text, &seal_here), Said::Word(word, at));
        }
        let untimed = r#"{"type":"UPLOADED","data":{"batch":7}}"#;
        for text in ["", "{", "[]", r#"{"type":"HEARTBEAT_ACK","data":{}}"#, untimed] {
            assert_eq!(Downward::read(text, &seal_here), Said::Other, "{text}");
        }
    }
}
