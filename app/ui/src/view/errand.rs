//! Something that is asked of the server by whoever looks, and how that went.

use leptos::prelude::*;

use crate::live::Live;
use crate::live::call::{Call, Failed};
use crate::preference::language;
use crate::text_people as words;

/// One thing at a time. Cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Errand {
    is_under_way: RwSignal<bool>,
    failed: RwSignal<Option<Failed>>,
}

impl Errand {
    pub(crate) fn new() -> Self {
        Self { is_under_way: RwSignal::new(false), failed: RwSignal::new(None) }
    }

    pub(crate) fn is_under_way(self) -> bool {
        self.is_under_way.get()
    }

    /// Asks; `done` hears of a success, and the page shows what went wrong.
    pub(crate) fn run(self, live: Live, call: Call, done: impl FnOnce(String) + 'static) {
        if self.is_under_way.get_untracked() {
            return;
        }
        self.failed.set(None);
        self.is_under_way.set(true);
        live.call(call, move |answer| {
            // By now the page may show something else.
            self.is_under_way.try_set(false);
            match answer {
                Ok(text) => done(text),
                Err(failed) => drop(self.failed.try_set(Some(failed))),
            }
        });
    }

    /// The page itself sees that it would be in vain.
    pub(crate) fn fail(self, code: &str) {
        self.failed.set(Some(Failed::of(code)));
    }

    pub(crate) fn forget(self) {
        self.failed.set(None);
    }

    /// What went wrong, once something has.
    pub(crate) fn wrong(self) -> AnyView {
        let language = language();
        let said =
            move || self.failed.read().as_ref().map(|failed| words::failure(failed, language()));
        view! { <p class="wrong" role="alert">{said}</p> }.into_any()
    }
}
