//! The operator's choices: language and theme.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::choice::Theme;
use crate::preference::t;
use crate::preference::{Preference, language};
use crate::text;
use crate::view::hear::hear;
use crate::view::icon::{Icon, Shape};

#[component]
pub(super) fn Switches() -> impl IntoView {
    let preference = Preference::here();
    let language = language();
    let shape = Signal::derive(move || match preference.theme() {
        Theme::Auto => Shape::Contrast,
        Theme::Light => Shape::Sun,
        Theme::Dark => Shape::Moon,
    });
    let theme = move || text::theme(preference.theme()).of(language());
    let label = move || format!("{}: {}", text::THEME.of(language()), theme());
    view! {
        <button
            type="button"
            class="switch"
            data-switch="language"
            aria-label=t(text::SWITCH_LANGUAGE)
            on:click=hear(move |_: MouseEvent| preference.switch_language())
        >
            "中/EN"
        </button>
        <button
            type="button"
            class="switch"
            data-switch="theme"
            aria-label=label
            on:click=hear(move |_: MouseEvent| preference.switch_theme())
        >
            <Icon shape/>
            <span>{move || theme()}</span>
        </button>
    }
    .into_any()
}
