//! What is known of a point: its value, how far it can be trusted and since when.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A point's value: a number in the point's unit, or a two-state switch.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(from = "WireValue", into = "WireValue")]
pub enum Value {
    Number(f64),
    Switch(bool),
}

impl Value {
    /// The value with so many decimals, half away from zero (S0-3); a switch is itself.
    #[must_use]
    pub fn rounded(self, decimals: u8) -> Self {
        match self {
            Self::Number(number) => Self::Number(round(number, decimals)),
            switch @ Self::Switch(_) => switch,
        }
    }

    pub fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Switch(_) => None,
        }
    }

    pub fn is_on(self) -> bool {
        self == Self::Switch(true)
    }
}

/// The value as an operator reads it in a sentence: `30.5`, `ON`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Switch(on) => f.write_str(if *on { "ON" } else { "OFF" }),
        }
    }
}

/// JSON: a number, or `"ON"`/`"OFF"` (S0-5).
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum WireValue {
    Number(f64),
    Switch(Switch),
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Switch {
    On,
    Off,
}

impl From<WireValue> for Value {
    fn from(value: WireValue) -> Self {
        match value {
            WireValue::Number(number) => Self::Number(number),
            WireValue::Switch(switch) => Self::Switch(matches!(switch, Switch::On)),
        }
    }
}

impl From<Value> for WireValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Number(number) => Self::Number(number),
            Value::Switch(true) => Self::Switch(Switch::On),
            Value::Switch(false) => Self::Switch(Switch::Off),
        }
    }
}

/// How far a value can be trusted, from best to worst; decided on the server, never guessed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Read from the board within the last three polls.
    Good,
    /// Put in place of the plant's value on purpose.
    Simulated,
    /// Not read yet, or outside of what the point can measure.
    Uncertain,
    /// Older than three polls, and nobody said why.
    Stale,
    /// The board answered for this point with an error, or not at all.
    Bad,
    /// The board cannot be reached.
    NoComm,
}

impl Quality {
    pub fn is_good(self) -> bool {
        self == Self::Good
    }
}

/// Why a value is not good.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Reason {
    /// No poll has asked for it yet.
    NotRead,
    /// No poll has come in for more than three intervals.
    Overdue,
    /// The board took longer than its time-out.
    Timeout,
    /// The board's address refuses connections.
    Refused,
    /// No way to the board's address, or no such serial port.
    Unreachable,
    /// The board closed the connection in the middle of an exchange.
    Disconnected,
    /// What came back is not Modbus.
    Garbage,
    /// The answer holds fewer registers than were asked for.
    ShortAnswer,
    /// Another unit answered.
    ForeignUnit,
    /// The board answered with this Modbus exception code.
    Exception(u8),
    /// The registers hold no number.
    NotANumber,
    /// Outside of the point's hard range.
    OutOfRange,
}

/// A text that is no reason.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a reason")]
pub struct ReasonError(String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exception(code) => write!(f, "{EXCEPTION}{code}"),
            plain => {
                let word = WORDS.iter().find(|(reason, _)| reason == plain);
                f.write_str(word.map_or("", |(_, word)| word))
            }
        }
    }
}

impl FromStr for Reason {
    type Err = ReasonError;

    fn from_str(text: &str) -> Result<Self, ReasonError> {
        let exception = text.strip_prefix(EXCEPTION).and_then(|code| code.parse().ok());
        let word = || WORDS.iter().find(|(_, word)| *word == text).map(|(reason, _)| *reason);
        exception.map(Self::Exception).or_else(word).ok_or_else(|| ReasonError(text.into()))
    }
}

impl TryFrom<String> for Reason {
    type Error = ReasonError;

    fn try_from(text: String) -> Result<Self, ReasonError> {
        text.parse()
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.to_string()
    }
}

/// A value with its quality, as every screen, trend and export gets it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Reading {
    #[serde(rename = "q")]
    pub quality: Quality,
    /// When the board last gave this value; `None` as long as it never did.
    #[serde(rename = "t")]
    pub at: Option<Timestamp>,
    /// The last value the board gave, however old; `None` as long as it gave none.
    #[serde(rename = "v")]
    pub value: Option<Value>,
    /// Why the quality is not good.
    #[serde(default, rename = "why", skip_serializing_if = "Option::is_none")]
    pub why: Option<Reason>,
}

impl Reading {
    /// What is known of a point before its first poll.
    pub const NOT_READ: Self =
        Self { quality: Quality::Uncertain, at: None, value: None, why: Some(Reason::NotRead) };
}

/// Half away from zero; a number too large to have decimals stays as it is.
fn round(number: f64, decimals: u8) -> f64 {
    let factor = 10f64.powi(i32::from(decimals));
    let scaled = number * factor;
    if !scaled.is_finite() || scaled.abs() > EXACT {
        return number;
    }
    // The nearest decimal text decides, so that 0.285 rounds as it reads and not as it is stored.
    let nudged = scaled + scaled.signum() * scaled.abs() * f64::EPSILON;
    let rounded = nudged.round() / factor;
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// 2^53: from here on a number has no decimals to round.
const EXACT: f64 = 9_007_199_254_740_992.0;

const EXCEPTION: &str = "exception_";

const WORDS: [(Reason, &str); 11] = [
    (Reason::NotRead, "not_read"),
    (Reason::Overdue, "overdue"),
    (Reason::Timeout, "timeout"),
    (Reason::Refused, "refused"),
    (Reason::Unreachable, "unreachable"),
    (Reason::Disconnected, "disconnected"),
    (Reason::Garbage, "garbage"),
    (Reason::ShortAnswer, "short_answer"),
    (Reason::ForeignUnit, "foreign_unit"),
    (Reason::NotANumber, "not_a_number"),
    (Reason::OutOfRange, "out_of_range"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn analog_values_have_one_decimal_half_away_from_zero() {
        // S0-3
        let table = [
            (30.25, 1, 30.3),
            (-30.25, 1, -30.3),
            (30.249, 1, 30.2),
            (0.285, 2, 0.29),
            (25.5, 1, 25.5),
            (-0.04, 1, 0.0),
            (1e300, 1, 1e300),
            (7.5, 0, 8.0),
        ];
        for (number, decimals, expected) in table {
            let rounded = Value::Number(number).rounded(decimals);
            assert_eq!(rounded, Value::Number(expected), "{number} to {decimals}");
        }
        let zero = Value::Number(-0.01).rounded(1).number().unwrap();
        assert!(zero.is_sign_positive(), "an operator never reads -0.0");
    }

    #[test]
    fn switches_are_on_or_off_on_the_wire() {
        // S0-5
        for (value, text) in [(Value::Switch(true), "\"ON\""), (Value::Switch(false), "\"OFF\"")] {
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value);
        }
    }

    #[test]
    fn reasons_read_back_as_written() {
        let reasons = WORDS.iter().map(|(reason, _)| *reason).chain([Reason::Exception(2)]);
        for reason in reasons {
            assert_eq!(reason.to_string().parse(), Ok(reason));
        }
        assert!("exception_256".parse::<Reason>().is_err());
        assert!("tired".parse::<Reason>().is_err());
    }

    #[test]
    fn a_reading_carries_quality_age_and_reason() {
        let reading = Reading {
            quality: Quality::Bad,
            at: Some(Timestamp::from_millis(7)),
            value: Some(Value::Number(30.5)),
            why: Some(Reason::Timeout),
        };
        let text = r#"{"q":"bad","t":7,"v":30.5,"why":"timeout"}"#;
        assert_eq!(serde_json::to_string(&reading).unwrap(), text);
        assert_eq!(serde_json::from_str::<Reading>(text).unwrap(), reading);
    }

    proptest! {
        #[test]
        fn rounding_twice_changes_nothing(number in -1e6..1e6f64, decimals in 0..6u8) {
            let once = Value::Number(number).rounded(decimals);
            prop_assert_eq!(once.rounded(decimals), once);
        }

        #[test]
        fn rounding_moves_by_half_a_step_at_most(number in -1e6..1e6f64, decimals in 0..4u8) {
            let rounded = Value::Number(number).rounded(decimals).number().unwrap();
            let half = 0.5 * 10f64.powi(-i32::from(decimals));
            prop_assert!((rounded - number).abs() <= half * (1.0 + 1e-6));
        }
    }
}
