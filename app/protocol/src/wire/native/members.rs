//! Takes a client's frame apart, member by member, and says which one is wrong.

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::client::{Invalid, InvalidCode, Position};
use super::{LARGEST_NUMBER, MOST_RANGES, Range};
use crate::frame::Sequence;
use crate::time::Timestamp;

/// A frame's members: in `data` first, then beside it.
pub(super) struct Members<'a> {
    pub(super) kind: &'a str,
    data: Option<&'a Map<String, Value>>,
    frame: &'a Map<String, Value>,
}

impl<'a> Members<'a> {
    pub(super) fn of(frame: &'a Map<String, Value>) -> Result<Self, Invalid> {
        let kind = match frame.get("type") {
            None => return Err(Invalid::missing("type")),
            Some(Value::String(kind)) => kind,
            Some(_) => return Err(wrong("type", "a text")),
        };
        let data = match frame.get("data") {
            None | Some(Value::Null) => None,
            Some(Value::Object(data)) => Some(data),
            Some(_) => return Err(wrong("data", "an object")),
        };
        Ok(Self { kind, data, frame })
    }

    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.data.and_then(|data| data.get(field)).or_else(|| self.frame.get(field))
    }

    pub(super) fn text(&self, field: &str) -> Result<&'a str, Invalid> {
        let value = self.get(field).ok_or_else(|| Invalid::missing(field))?;
        value.as_str().filter(|text| !text.is_empty()).ok_or_else(|| wrong(field, "a text"))
    }

    /// A text that names something, and is no longer than names are.
    pub(super) fn name(&self, field: &str, longest: usize) -> Result<&'a str, Invalid> {
        let text = self.text(field)?;
        (text.chars().count() <= longest).then_some(text).ok_or_else(|| too_long(field, longest))
    }

    /// A command's value as a text.
    pub(super) fn value(&self, field: &str, text: &str) -> Result<String, Invalid> {
        let fits = text.chars().count() <= LONGEST_VALUE;
        fits.then(|| text.into()).ok_or_else(|| too_long(field, LONGEST_VALUE))
    }

    /// One value, written out, if it is there.
    pub(super) fn scalar(&self, field: &str) -> Result<Option<String>, Invalid> {
        let written = match self.get(field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Bool(on)) => (if *on { "ON" } else { "OFF" }).into(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => self.value(field, text)?,
            Some(_) => return Err(wrong(field, "a number, a text, true or false")),
        };
        Ok(Some(written))
    }

    /// A moment in milliseconds, if it is there.
    pub(super) fn moment(&self, field: &str) -> Result<Option<Timestamp>, Invalid> {
        let Some(value) = self.get(field).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let moment = value.as_u64().map(Timestamp::from_millis);
        moment.map(Some).ok_or_else(|| wrong(field, "milliseconds since 1970"))
    }

    fn array(&self, field: &str) -> Result<&'a [Value], Invalid> {
        let value = self.get(field).ok_or_else(|| Invalid::missing(field))?;
        value.as_array().map(Vec::as_slice).ok_or_else(|| wrong(field, "a list"))
    }

    /// A member that may be left out.
    pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        field: &str,
    ) -> Result<Option<T>, Invalid> {
        let Some(value) = self.get(field).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let text = value.as_str().ok_or_else(|| wrong(field, "a text"))?;
        let parsed = text.parse().map_err(|error: T::Err| {
            Invalid::field(InvalidCode::WrongType, field, error.to_string())
        })?;
        Ok(Some(parsed))
    }
}

pub(super) fn names(members: &Members<'_>) -> Result<Vec<String>, Invalid> {
    let streams = members.array("streams")?;
    let name = |value: &Value| value.as_str().map(shortened);
    let names: Option<Vec<_>> = streams.iter().map(name).collect();
    names.ok_or_else(|| wrong("streams", "a list of texts"))
}

pub(super) fn positions(members: &Members<'_>) -> Result<Vec<Position>, Invalid> {
    let bad = |error: serde_json::Error| {
        Invalid::field(InvalidCode::WrongType, "streams", error.to_string())
    };
    if let Some(streams) = members.get("streams") {
        return Vec::deserialize(streams).map_err(bad);
    }
    let epoch = members.parsed("epoch")?.ok_or_else(|| Invalid::missing("epoch"))?;
    let seq = members.get("seq").ok_or_else(|| Invalid::missing("seq"))?;
    let seq = seq.as_u64().map(Sequence).ok_or_else(|| wrong("seq", "a number"))?;
    Ok(vec![Position { epoch, seq, stream: None }])
}

pub(super) fn ranges(members: &Members<'_>) -> Result<Vec<Range>, Invalid> {
    let ranges = members.array("ranges")?;
    let out_of_range = |detail: String| Invalid::field(InvalidCode::OutOfRange, "ranges", detail);
    if ranges.is_empty() || ranges.len() > MOST_RANGES {
        return Err(out_of_range(format!("one to {MOST_RANGES} ranges, not {}", ranges.len())));
    }
    let range = |value: &Value| {
        let pair = value.as_array().filter(|pair| pair.len() == 2);
        let pair = pair.ok_or_else(|| wrong("ranges", "a list of [from,to]"))?;
        match (pair[0].as_u64(), pair[1].as_u64()) {
            (Some(from), Some(to)) if from >= 1 && from <= to && to <= LARGEST_NUMBER => {
                Ok((Sequence(from), Sequence(to)))
            }
            _ => Err(out_of_range(format!(
                "not a range of numbers: {}",
                shortened(&value.to_string())
            ))),
        }
    };
    ranges.iter().map(range).collect()
}

fn too_long(field: &str, longest: usize) -> Invalid {
    let detail = format!("'{field}' is longer than {longest} characters");
    Invalid::field(InvalidCode::OutOfRange, field, detail)
}

fn wrong(field: &str, expected: &str) -> Invalid {
    Invalid::field(InvalidCode::WrongType, field, format!("'{field}' must be {expected}"))
}

/// A command's value.
const LONGEST_VALUE: usize = 80;

/// As much of a foreign text as an answer or a log line repeats.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
