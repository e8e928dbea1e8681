//! Writes frames: the body is encoded and digested once, what differs per connection is stamped in.

use std::fmt::Write as _;

use serde::Serialize;

use crate::digest::{Digest, Seal};
use crate::frame::{EventId, Sequence, Stamps};
use crate::id::{DeviceId, Epoch};
use crate::stream::StreamName;
use crate::time::Timestamp;

/// A frame's text up to what differs from connection to connection.
///
/// Keys are sorted, so that everything a connection adds stands behind `data`: the digest of all
/// that comes before is computed once and cloned for each receiver.
#[derive(Debug)]
pub struct Prepared {
    front: String,
    due: Option<u64>,
    event: Option<EventId>,
    back: String,
    digest: Digest,
}

/// What one connection adds to a frame.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// The device this connection is for.
    pub device: &'a DeviceId,
    pub epoch: Option<&'a Epoch>,
    /// Sent again, or for a range that was missed.
    pub recovered: bool,
    pub seq: Option<Sequence>,
    /// Named in every frame of a stream other than the connection's own.
    pub stream: Option<&'a StreamName>,
}

impl Prepared {
    /// Encodes `data` as a frame of type `kind`.
    pub fn new(
        seal: &Seal,
        kind: &str,
        at: Timestamp,
        event: Option<EventId>,
        data: &impl Serialize,
    ) -> Self {
        let data = serde_json::to_string(data).expect("frames have text keys and finite numbers");
        let front = format!("{{\"data\":{data},");
        let mut digest = seal.begin();
        digest.update(&front);
        let back = format!("\"timestamp\":{at},\"type\":\"{kind}\"}}");
        Self { front, due: None, event, back, digest }
    }

    /// The same with the times of its making, for those who measure.
    #[must_use]
    pub fn timed(mut self, stamps: Stamps) -> Self {
        self.due = Some(stamps.due);
        self.back = self.back.replacen("\"type\"", &format!("\"ts\":{},\"type\"", stamps.made), 1);
        self
    }

    /// The finished, sealed text for one connection.
    pub fn stamp(&self, seal: &Seal, stamp: &Stamp<'_>) -> String {
        let middle = stamp.text(self.due, self.event.as_ref());
        let mut digest = self.digest.clone();
        digest.update(&middle);
        digest.update(&self.back);
        let parts = [
            "{\"checksum\":\"",
            &seal.finish(digest),
            "\",",
            &self.front[1..],
            &middle,
            &self.back,
        ];
        parts.concat()
    }
}

impl Stamp<'_> {
    fn text(&self, due: Option<u64>, event: Option<&EventId>) -> String {
        let mut text = String::with_capacity(160);
        let mut add = |args: std::fmt::Arguments<'_>| {
            text.write_fmt(args).expect("writing to a String cannot fail");
        };
        add(format_args!("\"device_id\":\"{}\",", self.device));
        if let Some(due) = due {
            add(format_args!("\"due\":{due},"));
        }
        if let Some(epoch) = self.epoch {
            add(format_args!("\"epoch\":\"{epoch}\","));
        }
        if let Some(event) = event {
            add(format_args!("\"event\":\"{event}\","));
        }
        if self.recovered {
            add(format_args!("\"recovered\":true,"));
        }
        if let Some(seq) = self.seq {
            add(format_args!("\"seq\":{seq},"));
        }
        if let Some(stream) = self.stream {
            add(format_args!("\"stream\":\"{stream}\","));
        }
        text
    }
}

/// Puts the check code of an object's text in front of its first member.
///
/// `text` must be a JSON object with at least one member.
pub fn seal_text(seal: &Seal, text: &str) -> String {
    ["{\"checksum\":\"", &seal.of(text), "\",", text.get(1..).unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Algorithm;
    use crate::wire::cut::cut;

    fn prepared(seal: &Seal) -> Prepared {
        let data = serde_json::json!({"points": {"温度": 1}});
        let event = Some("e1/9".parse().unwrap());
        Prepared::new(seal, "DATA_UPDATE", Timestamp::from_millis(5), event, &data)
    }

    #[test]
    fn a_frame_has_sorted_keys_and_no_spaces() {
        let seal = Seal::new(Algorithm::Md5, "key");
        let device = "board-1".parse().unwrap();
        let stamp = Stamp {
            device: &device,
            epoch: Some(&"e1".parse().unwrap()),
            recovered: true,
            seq: Some(Sequence(12)),
            stream: Some(&"site/plant".parse().unwrap()),
        };
        let text = prepared(&seal).stamp(&seal, &stamp);
        let rest = r#"{"data":{"points":{"温度":1}},"device_id":"board-1","epoch":"e1","event":"e1/9","recovered":true,"seq":12,"stream":"site/plant","timestamp":5,"type":"DATA_UPDATE"}"#;
        assert_eq!(text, seal_text(&seal, rest));
    }

    #[test]
    fn times_of_making_keep_the_keys_sorted() {
        let seal = Seal::new(Algorithm::Md5, "key");
        let device = "board-1".parse().unwrap();
        let epoch = "e1".parse().unwrap();
        let stamp = Stamp {
            device: &device,
            epoch: Some(&epoch),
            recovered: false,
            seq: None,
            stream: None,
        };
        let text = prepared(&seal).timed(Stamps { due: 7, made: 9 }).stamp(&seal, &stamp);
        let rest = r#"{"data":{"points":{"温度":1}},"device_id":"board-1","due":7,"epoch":"e1","event":"e1/9","timestamp":5,"ts":9,"type":"DATA_UPDATE"}"#;
        assert_eq!(text, seal_text(&seal, rest));
    }

    #[test]
    fn the_check_code_stands_over_the_text_as_sent() {
        // S0-91, S0-92, S0-95
        for algorithm in [Algorithm::Md5, Algorithm::HmacSha256] {
            let seal = Seal::new(algorithm, "key");
            let device = "board-1".parse().unwrap();
            let stamp =
                Stamp { device: &device, epoch: None, recovered: false, seq: None, stream: None };
            let text = prepared(&seal).stamp(&seal, &stamp);
            let cut = cut(&text).unwrap();
            assert!(seal.matches(&cut.pieces, cut.checksum), "{text}");
        }
    }
}
