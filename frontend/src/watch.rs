//! Asks the server for the page, and tells it whether somebody is there.

use std::time::Duration;

use leptos::prelude::{set_interval, window};
use ui::Live;
use wasm_bindgen_futures::spawn_local;

use crate::listen::listen;
use crate::{api, clock, storage};

/// Follows whoever is at the page for as long as it lives.
pub(crate) fn start(live: Live) {
    live.on_call(move |call, then| {
        spawn_local(async move {
            then(api::ask(call).await);
            // Whoever gave the password is at hand, also on the page that comes after this one.
            keep(live);
        });
    });
    // Before anything is touched: a page that is loaded again stays as locked as it was.
    keep(live);
    for hand in HANDS {
        listen(&window(), hand, move |_| live.touch(clock::wall()));
    }
    let (made, woke) = (live.page(|page| page.now), clock::now());
    let has_driver = live.page(|page| page.home.is_some());
    set_interval(
        move || {
            if !has_driver {
                let now = clock::now();
                live.tick(now, made + now.since(woke));
            }
            keep(live);
        },
        SECOND,
    );
}

fn keep(live: Live) {
    let kept = storage::hand();
    let hand = live.keep_watch(clock::wall(), kept);
    if let Some(hand) = hand.filter(|_| hand != kept) {
        storage::keep_hand(hand);
    }
}

/// What a person does at a page.
const HANDS: [&str; 4] = ["keydown", "pointerdown", "touchstart", "wheel"];

const SECOND: Duration = Duration::from_secs(1);
