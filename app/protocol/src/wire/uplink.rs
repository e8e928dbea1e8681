//! The uplink at `/ws/uplink`: what an edge and its center say to each other beside the native words.
//!
//! An edge greets, beats and answers orders as a native client does. What goes up beside that are
//! batches of its history; what comes down are answers to them, and orders.

mod center;
mod edge;

use serde::Serialize;

use super::native::seal_text;
use crate::digest::{Algorithm, Seal};
use crate::time::Timestamp;

pub use center::{Command, Downward, Said, UploadFailed, Uploaded};
pub use edge::{EdgeFrame, EdgeMessage, Standing, Unread, Upload};

/// The one version spoken.
pub const SUB_PROTOCOL: &str = "gapless.uplink.v1";

/// So many rows go up together (S0-48).
pub const MOST_ROWS: usize = 100;

/// So many batches may be on their way at a time.
pub const MOST_IN_FLIGHT: usize = 16;

/// How both ends of an edge's uplink seal their frames.
pub fn seal(token: &str) -> Seal {
    Seal::new(Algorithm::HmacSha256, token)
}

/// A frame with its members in order; `about` is who or what it concerns.
fn write(kind: &str, about: &str, at: Timestamp, data: &impl Serialize) -> String {
    let frame = Frame { data, device_id: about, timestamp: at, kind };
    serde_json::to_string(&frame).expect("frames have text keys and finite numbers")
}

/// The same, sealed.
pub fn write_sealed(
    seal: &Seal,
    kind: &str,
    about: &str,
    at: Timestamp,
    data: &impl Serialize,
) -> String {
    seal_text(seal, &write(kind, about, at, data))
}

#[derive(Serialize)]
struct Frame<'a, T> {
    data: &'a T,
    device_id: &'a str,
    timestamp: Timestamp,
    #[serde(rename = "type")]
    kind: &'a str,
}
