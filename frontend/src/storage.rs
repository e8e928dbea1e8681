//! What a browser keeps across page loads; one that may keep nothing begins anew each time.

use leptos::prelude::window;
use link::Resumption;
use protocol::json;
use protocol::time::Timestamp;
use web_sys::Storage;

pub(crate) fn load() -> Option<Resumption> {
    let text = tab()?.get_item(KEY).ok()??;
    json::read(&text).ok()
}

/// Writes over what was kept; where there is no room, nothing stale stays behind.
pub(crate) fn save(resumption: &Resumption) {
    let Some(tab) = tab() else { return };
    let text = serde_json::to_string(resumption).unwrap_or_default();
    if tab.set_item(KEY, &text).is_err() {
        drop(tab.remove_item(KEY));
    }
}

/// When there was a hand on any page of this browser.
pub(crate) fn hand() -> Option<Timestamp> {
    let text = browser()?.get_item(HAND).ok()??;
    text.parse().ok().map(Timestamp::from_millis)
}

pub(crate) fn keep_hand(hand: Timestamp) {
    if let Some(browser) = browser() {
        drop(browser.set_item(HAND, &hand.to_string()));
    }
}

fn browser() -> Option<Storage> {
    window().local_storage().ok()?
}

fn tab() -> Option<Storage> {
    window().session_storage().ok()?
}

const KEY: &str = "gapless.session";
const HAND: &str = "gapless.hand";
