//! The browser's two clocks.

use leptos::prelude::window;
use protocol::time::{Instant, Timestamp};

/// Milliseconds since the page was opened; does not jump when the wall clock is set.
pub(crate) fn now() -> Instant {
    Instant::from_millis(whole(window().performance().map_or_else(js_sys::Date::now, |p| p.now())))
}

pub(crate) fn wall() -> Timestamp {
    Timestamp::from_millis(whole(js_sys::Date::now()))
}

/// Any number: it only has to differ from page to page.
pub(crate) fn seed() -> u64 {
    js_sys::Math::random().to_bits()
}

/// Fractions and what is below zero are cut off.
fn whole(millis: f64) -> u64 {
    millis as u64
}
