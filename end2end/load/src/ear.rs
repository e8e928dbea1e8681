//! Takes the time of every frame that a client hears.

use link::{News, Session};

use crate::client::Watch;
use crate::latency::Latencies;

/// What one client heard since the measurement began.
#[derive(Clone, Debug, Default)]
pub struct Ear {
    pub frames: u64,
    pub bytes: u64,
    /// From the board's answer to the client's socket, in microseconds.
    pub whole: Vec<u64>,
    /// From the making of the frame to the client's socket.
    pub share: Vec<u64>,
}

/// What all clients heard together.
#[derive(Debug, Default)]
pub struct Heard {
    pub frames: u64,
    pub bytes: u64,
    pub whole: Latencies,
    pub share: Latencies,
}

impl Ear {
    /// What was heard so far; the next measurement begins.
    pub fn take(_: &Session, ear: &mut Self) -> Self {
        std::mem::take(ear)
    }
}

impl Watch for Ear {
    fn heard(&mut self, text: &str, _: &Session, at: u64) {
        if !is_pushed(text) {
            return;
        }
        self.frames += 1;
        self.bytes += text.len() as u64;
        if self.whole.len() < MOST_TIMES {
            let since = |name| Some(at.saturating_sub(stamp(text, name)?));
            self.whole.extend(since(DUE));
            self.share.extend(since(MADE));
        }
    }

    fn told(&mut self, _: &News, _: &Session) {}
}

impl FromIterator<Ear> for Heard {
    fn from_iter<T: IntoIterator<Item = Ear>>(ears: T) -> Self {
        let mut heard = Self::default();
        for ear in ears {
            heard.frames += ear.frames;
            heard.bytes += ear.bytes;
            heard.whole.extend(ear.whole);
            heard.share.extend(ear.share);
        }
        heard
    }
}

/// A frame that was pushed when it was due, neither an answer nor a repair.
pub fn is_pushed(text: &str) -> bool {
    let end = text.len().checked_sub(TAIL).and_then(|start| text.get(start..)).unwrap_or(text);
    let is_pushed = PUSHED.iter().any(|kind| end.contains(kind));
    is_pushed && !end.contains("\"recovered\":true")
}

/// One of the stamps that a server under measurement adds; all keys are sorted, so that it stands
/// behind the data.
pub fn stamp(text: &str, name: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(name)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

/// When the push was due, and when the frame was made.
pub const DUE: &str = "\"due\":";
pub const MADE: &str = "\"ts\":";

/// A text ends with its type, and not far before it says whether it is a repair.
const TAIL: usize = 200;
const PUSHED: [&str; 3] =
    ["\"type\":\"DATA_UPDATE\"", "\"type\":\"FULL_SNAPSHOT\"", "\"type\":\"STATE_CHANGED\""];

/// An hour of ten frames a second.
const MOST_TIMES: usize = 36_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(rest: &str) -> String {
        format!(
            "{{\"checksum\":\"0\",\"data\":{{\"points\":{{\"due\":{{\"v\":7}}}}}},\
             \"device_id\":\"d0\",\"due\":100,\"epoch\":\"e\",{rest}}}"
        )
    }

    #[test]
    fn stamps_stand_behind_the_data() {
        let text = frame("\"seq\":3,\"timestamp\":9,\"ts\":250,\"type\":\"DATA_UPDATE\"");
        assert_eq!((stamp(&text, DUE), stamp(&text, MADE)), (Some(100), Some(250)));
        assert_eq!(stamp("{\"type\":\"DATA_UPDATE\"}", DUE), None);
    }

    #[test]
    fn repairs_and_answers_are_not_timed() {
        let table = [
            ("\"type\":\"DATA_UPDATE\"", true),
            ("\"type\":\"STATE_CHANGED\"", true),
            ("\"recovered\":true,\"seq\":3,\"type\":\"DATA_UPDATE\"", false),
            ("\"type\":\"HEARTBEAT_ACK\"", false),
        ];
        for (rest, expected) in table {
            assert_eq!(is_pushed(&frame(rest)), expected, "{rest}");
        }
    }

    #[test]
    fn what_many_ears_heard_adds_up() {
        let ear = Ear { frames: 2, bytes: 9, whole: vec![10, 20], share: vec![5] };
        let heard: Heard = [ear.clone(), ear].into_iter().collect();
        assert_eq!((heard.frames, heard.bytes), (4, 18));
        assert_eq!(heard.whole.distribution().unwrap().count, 4);
    }
}
