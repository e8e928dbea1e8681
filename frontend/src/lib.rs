//! Wakes the page in the browser, and starts what feeds it.
#![cfg(target_arch = "wasm32")]

mod alarm;
mod api;
mod clock;
mod driver;
mod listen;
mod random;
mod socket;
mod storage;
mod watch;

use leptos::prelude::*;
use ui::{App, Live};
use wasm_bindgen::prelude::wasm_bindgen;

use driver::Driver;

/// Called by the page's own script once this module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    hydrate_body(|| {
        // First of all: it takes what the server put into the page, in the server's order.
        let live = Live::open();
        provide_context(live);
        // Effects run once the page stands: news would not fit what the server made of it.
        Effect::new(move |_| {
            untrack(|| {
                watch::start(live);
                Driver::start(live);
            });
        });
        view! { <App/> }
    });
    // Whoever drives the page from outside knows by it that buttons work.
    if let Some(root) = document().document_element() {
        // An attribute of this name cannot be refused.
        drop(root.set_attribute("data-hydrated", "true"));
    }
}
