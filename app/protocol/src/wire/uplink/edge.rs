//! What an edge says, and what is wrong with it when it cannot be understood.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{MOST_ROWS, write};
use crate::id::Incarnation;
use crate::status::{NumberedRow, StatusBatch};
use crate::time::Timestamp;
use crate::wire::is_too_deep;
use crate::wire::native::{
    CommandResult, ConflictHighPriority, Invalid, InvalidCode, LARGEST_NUMBER,
};

/// A frame as the center receives it.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeFrame {
    /// The edge itself; in answers to orders, the device.
    pub device_id: Option<String>,
    pub message: EdgeMessage,
    pub timestamp: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EdgeMessage {
    /// The three answers to an order, as a native client gets them.
    CommandResult(CommandResult),
    ConflictHighPriority(ConflictHighPriority),
    InvalidCommandFormat(Invalid),
    Heartbeat,
    Standing(Standing),
    Upload(Upload),
}

/// `STANDING`: how much an edge still has to tell.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Standing {
    /// When the oldest of these rows was put on record, by the edge's clock.
    #[serde(default)]
    pub oldest: Option<Timestamp>,
    /// Rows that were not uploaded yet.
    pub pending: u64,
}

/// `UPLOAD`: rows of the history, oldest first.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Upload {
    /// 1, 2, 3, … on each connection.
    pub batch: u64,
    pub incarnation: Incarnation,
    #[serde(default)]
    pub oldest: Option<Timestamp>,
    /// With those of this batch.
    pub pending: u64,
    pub rows: Vec<NumberedRow>,
}

/// Why a frame of an edge is not carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Unread {
    /// It is answered with `UPLOAD_FAILED`.
    Upload {
        batch: u64,
        reason: String,
    },
    Other(Invalid),
}

impl EdgeFrame {
    /// Reads a frame. Its check code is the caller's to verify.
    pub fn read(text: &str) -> Result<Self, Unread> {
        let invalid = |code, detail: String| Unread::Other(Invalid::new(code, detail));
        if is_too_deep(text) {
            return Err(invalid(InvalidCode::TooDeep, "nested deeper than 32 levels".into()));
        }
        let envelope: Envelope<'_> = serde_json::from_str(text)
            .map_err(|error| invalid(InvalidCode::JsonSyntax, format!("no frame: {error}")))?;
        let message = EdgeMessage::read(&envelope.kind, envelope.data.map_or("{}", RawValue::get))?;
        let timestamp = Timestamp::from_millis(envelope.timestamp.unwrap_or_default());
        Ok(Self { device_id: envelope.device_id, message, timestamp })
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    device_id: Option<String>,
    timestamp: Option<u64>,
    #[serde(rename = "type")]
    kind: String,
}

impl EdgeMessage {
    /// The frame's `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CommandResult(_) => "COMMAND_RESULT",
            Self::ConflictHighPriority(_) => "CONFLICT_HIGH_PRIORITY",
            Self::InvalidCommandFormat(_) => "INVALID_COMMAND_FORMAT",
            Self::Heartbeat => "HEARTBEAT",
            Self::Standing(_) => "STANDING",
            Self::Upload(_) => "UPLOAD",
        }
    }

    /// The frame's text, not sealed yet.
    pub fn write(&self, about: &str, at: Timestamp) -> String {
        let kind = self.kind();
        match self {
            Self::CommandResult(result) => write(kind, about, at, result),
            Self::ConflictHighPriority(conflict) => write(kind, about, at, conflict),
            Self::InvalidCommandFormat(invalid) => write(kind, about, at, invalid),
            Self::Heartbeat => write(kind, about, at, &serde_json::json!({})),
            Self::Standing(standing) => write(kind, about, at, standing),
            Self::Upload(upload) => write(kind, about, at, upload),
        }
    }

    fn read(kind: &str, data: &str) -> Result<Self, Unread> {
        match kind {
            "COMMAND_RESULT" => take(data).map(Self::CommandResult),
            "CONFLICT_HIGH_PRIORITY" => take(data).map(Self::ConflictHighPriority),
            "INVALID_COMMAND_FORMAT" => take(data).map(Self::InvalidCommandFormat),
            "HEARTBEAT" => Ok(Self::Heartbeat),
            "STANDING" => take(data).map(Self::Standing),
            "UPLOAD" => Upload::read(data).map(Self::Upload),
            _ => {
                let shown: String = kind.chars().take(SHOWN).collect();
                let detail = format!("Unknown type '{shown}'");
                Err(Unread::Other(Invalid::new(InvalidCode::UnknownType, detail)))
            }
        }
    }
}

fn take<T: DeserializeOwned>(data: &str) -> Result<T, Unread> {
    let wrong = |error: serde_json::Error| {
        Unread::Other(Invalid::field(InvalidCode::WrongType, "data", error.to_string()))
    };
    serde_json::from_str(data).map_err(wrong)
}

impl Upload {
    /// A batch of these rows.
    pub fn new(batch: u64, rows: StatusBatch, standing: Standing) -> Self {
        let StatusBatch { incarnation, rows } = rows;
        let Standing { oldest, pending } = standing;
        Self { batch, incarnation, oldest, pending, rows }
    }

    fn read(data: &str) -> Result<Self, Unread> {
        #[derive(Deserialize)]
        struct Named {
            batch: u64,
        }
        let Named { batch } = take(data)?;
        let failed = |reason: String| Unread::Upload { batch, reason };
        let upload: Self = serde_json::from_str(data).map_err(|error| failed(error.to_string()))?;
        upload.check().map_err(failed)?;
        Ok(upload)
    }

    /// Whether its rows can be what they are said to be.
    fn check(&self) -> Result<(), String> {
        let count = self.rows.len();
        if count == 0 || count > MOST_ROWS {
            return Err(format!("a batch has 1 to {MOST_ROWS} rows, not {count}"));
        }
        let place = |row: &NumberedRow| (row.row.timestamp, row.id);
        if !self.rows.windows(2).all(|pair| place(&pair[0]) < place(&pair[1])) {
            return Err("its rows are not in the order of their times and numbers".into());
        }
        let at_most = |row: &NumberedRow| {
            let times = [row.row.timestamp, row.row.record_time].map(Timestamp::as_millis);
            [row.id].iter().chain(&times).all(|number| *number <= LARGEST_NUMBER)
        };
        if !self.rows.iter().all(at_most) || self.rows.iter().any(|row| row.id == 0) {
            return Err(format!("its numbers must be 1 to {LARGEST_NUMBER}"));
        }
        Ok(())
    }

    pub fn standing(&self) -> Standing {
        Standing { oldest: self.oldest, pending: self.pending }
    }
}

/// As much of a foreign text as an answer repeats.
const SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::status::StatusRow;

    fn row(id: u64) -> NumberedRow {
        let at = Timestamp::from_millis(1_763_689_200_000);
        let row = StatusRow {
            bit_position: None,
            device_id: "board-1".parse().unwrap(),
            new_value: "ON".into(),
            old_value: "OFF".into(),
            record_time: at,
            status_name: "排流柜门锁".into(),
            status_type: "InputStatus".into(),
            timestamp: at,
        };
        NumberedRow { id, row }
    }

    fn upload(ids: impl IntoIterator<Item = u64>) -> Upload {
        let incarnation = "i-1".parse().unwrap();
        let rows = ids.into_iter().map(row).collect();
        Upload { batch: 3, incarnation, oldest: None, pending: 7, rows }
    }

    fn read(upload: &Upload) -> Result<EdgeFrame, Unread> {
        let message = EdgeMessage::Upload(upload.clone());
        EdgeFrame::read(&message.write("north", Timestamp::from_millis(5)))
    }

    #[test]
    fn frames_read_back_as_written() {
        let standing = Standing { oldest: Some(Timestamp::from_millis(4)), pending: 9 };
        for message in [
            EdgeMessage::Heartbeat,
            EdgeMessage::Standing(standing),
            EdgeMessage::Upload(upload(1..=100)),
            EdgeMessage::InvalidCommandFormat(Invalid::missing("param")),
        ] {
            let text = message.write("north", Timestamp::from_millis(5));
            let frame = EdgeFrame::read(&text).unwrap();
            assert_eq!((frame.message, frame.device_id.as_deref()), (message, Some("north")));
        }
    }

    #[test]
    fn a_batch_that_cannot_be_is_refused_by_its_number() {
        let table = [
            (upload([]), "1 to 100 rows, not 0"),
            (upload(1..=101), "1 to 100 rows, not 101"),
            (upload([1, 1]), "not in the order"),
            (upload([2, 1]), "not in the order"),
            (upload([0]), "must be 1 to"),
            (upload([u64::MAX]), "must be 1 to"),
        ];
        for (upload, expected) in table {
            let Err(Unread::Upload { batch: 3, reason }) = read(&upload) else {
                panic!("{expected}")
            };
            assert!(reason.contains(expected), "{reason}");
        }
        let text = r#"{"type":"UPLOAD","data":{"batch":4,"rows":[{"id":"x"}]}}"#;
        assert!(matches!(EdgeFrame::read(text), Err(Unread::Upload { batch: 4, .. })));
    }

    #[test]
    fn a_frame_without_sense_is_told_what_is_wrong_with_it() {
        use InvalidCode::*;
        let deep = "[".repeat(200);
        let table = [
            ("{", JsonSyntax, "no frame"),
            (deep.as_str(), TooDeep, "32 levels"),
            ("{}", JsonSyntax, "missing field `type`"),
            (r#"{"type":"SING"}"#, UnknownType, "Unknown type 'SING'"),
            (r#"{"type":"UPLOAD"}"#, WrongType, "missing field `batch`"),
            (r#"{"type":"UPLOAD","data":{"batch":-1}}"#, WrongType, "expected u64"),
            (r#"{"type":"STANDING","data":{"pending":"x"}}"#, WrongType, "expected u64"),
        ];
        for (text, code, detail) in table {
            let Err(Unread::Other(invalid)) = EdgeFrame::read(text) else { panic!("{text}") };
            assert!(invalid.code == code && invalid.detail.contains(detail), "{text}: {invalid:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".*") {
            drop(EdgeFrame::read(&text));
        }

        #[test]
        fn half_a_frame_is_none(cut in 1usize..2_000) {
            let text = EdgeMessage::Upload(upload(1..=9)).write("north", Timestamp::default());
            let cut = (0..=cut.min(text.len() - 1)).rev().find(|at| text.is_char_boundary(*at));
            prop_assert!(EdgeFrame::read(&text[..cut.unwrap_or_default()]).is_err());
        }
    }
}
