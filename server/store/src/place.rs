//! A place in a history that is told newest first.

use std::fmt;
use std::str::FromStr;

use protocol::time::Timestamp;

/// Where a page ends and the next begins. As text it is `<milliseconds>-<row>`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    pub(crate) moment: Timestamp,
    pub(crate) id: i64,
}

/// A text that names no place.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not <milliseconds>-<row>")]
pub struct PlaceError(String);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.moment, self.id)
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let parts = text.split_once('-');
        let place = parts.and_then(|(moment, id)| {
            let moment = Timestamp::from_millis(moment.parse().ok()?);
            Some(Self { moment, id: id.parse().ok()? })
        });
        place.ok_or_else(|| PlaceError(text.chars().take(LONGEST).collect()))
    }
}

/// As much of a foreign text as is repeated, in characters.
const LONGEST: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_as_written_and_nothing_else_does() {
        let place = Place { moment: Timestamp::from_millis(1_700_000_000_000), id: 17 };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in ["", "17", "-17", "x-1", "1-", "1-x", "99999999999999999999-1"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
