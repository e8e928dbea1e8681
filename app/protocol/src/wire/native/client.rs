//! What a client says, and what is wrong with it when it cannot be understood (S0-62, S0-63).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::members::{Members, names, positions, ranges, shortened};
use super::{Range, seal_text};
use crate::digest::Seal;
use crate::frame::Sequence;
use crate::id::{DeviceId, Epoch};
use crate::stream::StreamName;
use crate::time::Timestamp;
use crate::wire::is_too_deep;

/// A frame as the server receives it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientFrame {
    /// The device it names, if it names one.
    pub device_id: Option<String>,
    pub message: ClientMessage,
    pub timestamp: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ClientMessage {
    Command(Command),
    /// `DATA_LOST`: these numbers never came (S0-57).
    DataLost {
        stream: Option<StreamName>,
        epoch: Option<Epoch>,
        ranges: Vec<Range>,
    },
    Heartbeat,
    /// Where each stream was left.
    Resume(Vec<Position>),
    /// Names as the client wrote them: the bad ones are refused one by one.
    Subscribe(Vec<String>),
    Unsubscribe(Vec<String>),
}

/// The last number that a client applied.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Position {
    pub epoch: Epoch,
    pub seq: Sequence,
    /// `None`: the stream of the connection's device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamName>,
}

/// An order to the connection's device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Command {
    pub id: String,
    pub name: String,
    /// Written out: a number, a text, and ON or OFF for true and false.
    pub param: Option<String>,
    /// After this moment, by the server's clock, it is not to be carried out any more.
    pub valid_until: Option<Timestamp>,
}

/// `INVALID_COMMAND_FORMAT`: what is wrong with a frame, in words for whoever wrote the client.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, thiserror::Error)]
#[error("{detail}")]
pub struct Invalid {
    pub code: InvalidCode,
    /// Of the command that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<String>,
    pub detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InvalidCode {
    IdReused,
    JsonSyntax,
    MissingField,
    NotAnObject,
    NotText,
    OutOfRange,
    TooBig,
    TooDeep,
    TooFast,
    UnknownDevice,
    UnknownStream,
    UnknownType,
    WrongType,
}

impl ClientFrame {
    /// Reads a frame. Its check code is the caller's to verify.
    pub fn read(text: &str) -> Result<Self, Invalid> {
        if is_too_deep(text) {
            return Err(Invalid::new(InvalidCode::TooDeep, "nested deeper than 32 levels"));
        }
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Invalid::new(InvalidCode::JsonSyntax, format!("not JSON: {error}")))?;
        let Value::Object(frame) = value else {
            return Err(Invalid::new(InvalidCode::NotAnObject, "a frame is a JSON object"));
        };
        let members = Members::of(&frame)?;
        let device_id = members.parsed("device_id")?;
        let message = ClientMessage::read(&members)?;
        let timestamp = frame.get("timestamp").and_then(Value::as_u64).unwrap_or_default();
        Ok(Self { device_id, message, timestamp: Timestamp::from_millis(timestamp) })
    }

    /// A frame to the connection's own device.
    pub fn new(message: ClientMessage, device: &DeviceId, timestamp: Timestamp) -> Self {
        Self { device_id: Some(device.to_string()), message, timestamp }
    }

    /// The sealed text, as a client sends it.
    pub fn write(&self, seal: &Seal) -> String {
        let frame = json!({
            "data": self.message.data(),
            "device_id": self.device_id,
            "timestamp": self.timestamp,
            "type": self.message.kind(),
        });
        seal_text(seal, &frame.to_string())
    }
}

impl ClientMessage {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "COMMAND",
            Self::DataLost { .. } => "DATA_LOST",
            Self::Heartbeat => "HEARTBEAT",
            Self::Resume(_) => "RESUME",
            Self::Subscribe(_) => "SUBSCRIBE",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
        }
    }

    fn data(&self) -> Value {
        match self {
            Self::Command(command) => {
                let mut data = json!({
                    "command": command.name, "command_id": command.id, "param": command.param,
                });
                if let Some(until) = command.valid_until {
                    data["valid_until"] = json!(until);
                }
                data
            }
            Self::DataLost { stream, epoch, ranges } => {
                let mut data = json!({ "ranges": ranges });
                if let Some(stream) = stream {
                    data["stream"] = json!(stream);
                }
                if let Some(epoch) = epoch {
                    data["epoch"] = json!(epoch);
                }
                data
            }
            Self::Heartbeat => json!({}),
            Self::Resume(streams) => json!({ "streams": streams }),
            Self::Subscribe(streams) | Self::Unsubscribe(streams) => json!({ "streams": streams }),
        }
    }

    fn read(members: &Members<'_>) -> Result<Self, Invalid> {
        // Lower-case names come from the companion protocol of such systems.
        match members.kind.to_ascii_uppercase().as_str() {
            "COMMAND" => Command::read(members).map(Self::Command),
            "DATA_LOST" => Ok(Self::DataLost {
                stream: members.parsed("stream")?,
                epoch: members.parsed("epoch")?,
                ranges: ranges(members)?,
            }),
            "HEARTBEAT" => Ok(Self::Heartbeat),
            "RESUME" => positions(members).map(Self::Resume),
            "SUBSCRIBE" => names(members).map(Self::Subscribe),
            "UNSUBSCRIBE" => names(members).map(Self::Unsubscribe),
            _ => Err(Invalid::new(
                InvalidCode::UnknownType,
                format!("Unknown type '{}'", shortened(members.kind)),
            )),
        }
    }
}

impl Command {
    /// Accepts the members at the top or in `data`, and `NAME:VALUE` (S0-21).
    fn read(members: &Members<'_>) -> Result<Self, Invalid> {
        let id = members.name("command_id", LONGEST_ID)?;
        let written = members.name("command", LONGEST_COMMAND)?;
        let (name, inline) = match written.split_once(':') {
            Some((name, value)) => (name, Some(members.value("command", value)?)),
            None => (written, None),
        };
        if name.is_empty() {
            return Err(Invalid::missing("command"));
        }
        let param = members.scalar("param")?.or(inline);
        let valid_until = members.moment("valid_until")?;
        Ok(Self { id: id.into(), name: name.into(), param, valid_until })
    }
}

impl Invalid {
    pub fn new(code: InvalidCode, detail: impl Into<String>) -> Self {
        Self { code, command_id: None, detail: detail.into(), field: None }
    }

    pub fn missing(field: &str) -> Self {
        let detail = format!("Missing '{field}' field");
        Self::field(InvalidCode::MissingField, field, detail)
    }

    pub fn field(code: InvalidCode, field: &str, detail: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(code, detail) }
    }
}

/// Enough for a UUID with words around it.
const LONGEST_ID: usize = 80;

/// A name, a colon and a value.
const LONGEST_COMMAND: usize = 160;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::Algorithm;

    fn refusal(text: &str) -> (InvalidCode, String) {
        let invalid = ClientFrame::read(text).unwrap_err();
        (invalid.code, invalid.detail)
    }

    #[test]
    fn a_malformed_frame_is_told_what_is_wrong_with_it() {
        // S0-62, S0-63
        use InvalidCode::*;
        let deep = "[".repeat(200);
        let table = [
            ("{", JsonSyntax, "not JSON"),
            ("\u{1}\u{2}", JsonSyntax, "not JSON"),
            (deep.as_str(), TooDeep, "32 levels"),
            ("[1]", NotAnObject, "JSON object"),
            ("{}", MissingField, "Missing 'type' field"),
            (r#"{"type":1}"#, WrongType, "'type' must be a text"),
            (r#"{"type":"SING"}"#, UnknownType, "Unknown type 'SING'"),
            (r#"{"type":"HEARTBEAT","data":[]}"#, WrongType, "'data' must be an object"),
            (r#"{"type":"DATA_LOST"}"#, MissingField, "Missing 'ranges' field"),
            (
                r#"{"type":"COMMAND","command_id":"1","command":"START","param":[1]}"#,
                WrongType,
                "'param' must be a number, a text, true or false",
            ),
            (r#"{"type":"COMMAND","command":"START"}"#, MissingField, "Missing 'command_id' field"),
            (r#"{"type":"SUBSCRIBE","data":{"streams":[1]}}"#, WrongType, "a list of texts"),
            (r#"{"type":"RESUME","data":{"epoch":"e"}}"#, MissingField, "Missing 'seq' field"),
        ];
        for (text, code, detail) in table {
            let refused = refusal(text);
            assert!(refused.0 == code && refused.1.contains(detail), "{text}: {refused:?}");
        }
    }

    #[test]
    fn ranges_that_cannot_be_are_refused() {
        let most = vec!["[1,2]"; 65].join(",");
        for ranges in ["[2,1]", "[0,1]", "[1,9223372036854775808]", "[-1,1]", "[1.5,2]", &most] {
            let text = format!(r#"{{"type":"DATA_LOST","data":{{"ranges":[{ranges}]}}}}"#);
            assert_eq!(refusal(&text).0, InvalidCode::OutOfRange, "{ranges}");
        }
        assert_eq!(
            refusal(r#"{"type":"DATA_LOST","data":{"ranges":[]}}"#).0,
            InvalidCode::OutOfRange
        );
    }

    #[test]
    fn commands_come_in_both_notations() {
        // S0-21
        let apart =
            r#"{"type":"COMMAND","command_id":"c1","command":"SET_TEMP_THRESHOLD","param":32}"#;
        let joined =
            r#"{"type":"COMMAND","data":{"command_id":"c1","command":"SET_TEMP_THRESHOLD:32"}}"#;
        for text in [apart, joined] {
            let ClientMessage::Command(command) = ClientFrame::read(text).unwrap().message else {
                panic!("{text} is a command");
            };
            let param = Some("32".to_owned());
            assert_eq!((command.name.as_str(), command.param), ("SET_TEMP_THRESHOLD", param));
        }
    }

    #[test]
    fn what_a_client_writes_is_what_the_server_reads() {
        let position = Position { epoch: "e".parse().unwrap(), seq: Sequence(7), stream: None };
        let messages = [
            ClientMessage::Heartbeat,
            ClientMessage::DataLost {
                stream: Some("site/a".parse().unwrap()),
                epoch: Some("e".parse().unwrap()),
                ranges: vec![(Sequence(3), Sequence(4))],
            },
            ClientMessage::Resume(vec![position]),
            ClientMessage::Subscribe(vec!["site/a".into()]),
            ClientMessage::Unsubscribe(vec!["site/a".into()]),
        ];
        let seal = Seal::new(Algorithm::Md5, "key");
        for message in messages {
            let device = "board-1".parse().unwrap();
            let frame = ClientFrame::new(message, &device, Timestamp::from_millis(9));
            let text = frame.write(&seal);
            let cut = crate::wire::cut::cut(&text).unwrap();
            assert!(seal.matches(&cut.pieces, cut.checksum));
            assert_eq!(ClientFrame::read(&text), Ok(frame));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = ClientFrame::read(&text);
        }

        #[test]
        fn no_json_makes_it_panic(
            kind in "COMMAND|DATA_LOST|RESUME|SUBSCRIBE",
            field in "ranges|streams|command|command_id|epoch|seq",
            value in r#"\[\[[0-9]{1,20},[0-9]{1,20}\]\]|\{\}|null|-?[0-9]{1,25}|"[a-z:]{0,9}""#,
        ) {
            let _ = ClientFrame::read(&format!(r#"{{"type":"{kind}","data":{{"{field}":{value}}}}}"#));
        }
    }
}
