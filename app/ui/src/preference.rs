//! The operator's choice as a signal, and words in the language chosen.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::choice::{Choice, Language, Theme};
use crate::text::Text;

/// The choice that holds on this page. Cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Preference(RwSignal<Choice>);

impl Preference {
    pub(crate) fn provide(choice: Choice) -> Self {
        let preference = Self(RwSignal::new(choice));
        provide_context(preference);
        preference
    }

    pub(crate) fn here() -> Self {
        expect_context()
    }

    pub(crate) fn language(self) -> Language {
        self.0.read().language
    }

    pub(crate) fn theme(self) -> Theme {
        self.0.read().theme
    }

    /// Goes on in the other language, here and on pages to come.
    pub(crate) fn switch_language(self) {
        self.0.update(|choice| choice.language = choice.language.other());
        keep(&self.0.get_untracked().language.cookie());
    }

    /// Goes on in the next theme, here and on pages to come.
    pub(crate) fn switch_theme(self) {
        self.0.update(|choice| choice.theme = choice.theme.next());
        keep(&self.0.get_untracked().theme.cookie());
    }
}

/// A text in the language chosen, now and after a switch.
pub(crate) fn t(text: Text) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
    let preference = Preference::here();
    move || text.of(preference.language())
}

/// The language chosen, now and after a switch.
pub(crate) fn language() -> impl Fn() -> Language + Copy + Send + Sync + 'static {
    let preference = Preference::here();
    move || preference.language()
}

/// A browser that refuses cookies forgets the choice with the page, which is what it was told to do.
fn keep(cookie: &str) {
    if let Ok(page) = document().dyn_into::<web_sys::HtmlDocument>() {
        let _ = page.set_cookie(cookie);
    }
}
