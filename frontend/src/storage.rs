//! What a tab keeps across page loads; a tab that may keep nothing begins anew each time.

use leptos::prelude::window;
use link::Resumption;
use protocol::json;
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

fn tab() -> Option<Storage> {
    window().session_storage().ok()?
}

const KEY: &str = "gapless.session";
