//! A form of a few fields: Enter or its button sends them, and it says what was wrong with them.

use leptos::ev::{KeyboardEvent, MouseEvent, SubmitEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::preference::{language, t};
use crate::text::Text;
use crate::text_people as words;
use crate::view::dom;
use crate::view::errand::Errand;
use crate::view::hear::hear;

/// One field; its id is unique on the page.
#[derive(Clone)]
pub(crate) struct Field {
    pub id: &'static str,
    pub label: Text,
    pub kind: Kind,
    pub value: String,
    pub hint: Option<Text>,
}

#[derive(Clone)]
pub(crate) enum Kind {
    /// As the `autocomplete` attribute has it.
    Plain(&'static str),
    Secret(&'static str),
    /// One of several values.
    Choice(Vec<(String, Text)>),
}

impl Field {
    pub(crate) fn new(id: &'static str, label: Text, kind: Kind) -> Self {
        Self { id, label, kind, value: String::new(), hint: None }
    }
}

/// `send` is given what stands in the fields, in their order.
#[component]
pub(crate) fn Form(
    fields: Vec<Field>,
    submit: Text,
    errand: Errand,
    send: Callback<Vec<String>>,
) -> impl IntoView {
    let ids: Vec<_> = fields.iter().map(|field| field.id).collect();
    let submitted = move |event: SubmitEvent| {
        event.prevent_default();
        if !errand.is_under_way() {
            send.run(ids.iter().map(|id| dom::value(id)).collect());
        }
    };
    view! {
        <form class="form" on:submit=hear(submitted)>
            {fields.into_iter().map(row).collect_view()}
            {errand.wrong()}
            <p class="choices">
                <button type="submit" class="main" disabled=move || errand.is_under_way()>{t(submit)}</button>
            </p>
        </form>
    }
    .into_any()
}

fn row(field: Field) -> AnyView {
    let Field { id, label, kind, value, hint } = field;
    let hint_id = hint.map(|_| format!("{id}-hint"));
    let described = hint_id.clone();
    let hint = hint.map(|hint| view! { <p id=hint_id class="muted hint">{t(hint)}</p> });
    let input = match kind {
        Kind::Plain(autocomplete) => plain(id, autocomplete, value, described),
        Kind::Secret(autocomplete) => secret(id, autocomplete, described),
        Kind::Choice(choices) => choice(id, &value, choices),
    };
    view! {
        <div class="field">
            <label for=id>{t(label)}</label>
            {input}
            {hint}
        </div>
    }
    .into_any()
}

fn plain(
    id: &'static str,
    autocomplete: &'static str,
    value: String,
    hint: Option<String>,
) -> AnyView {
    view! {
        <input
            id=id
            type="text"
            autocomplete=autocomplete
            autocapitalize="none"
            spellcheck="false"
            aria-describedby=hint
            value=value
        />
    }
    .into_any()
}

/// A password, which can be shown, and says where the keyboard writes capitals.
fn secret(id: &'static str, autocomplete: &'static str, hint: Option<String>) -> AnyView {
    let language = language();
    let is_shown = RwSignal::new(false);
    let has_caps = RwSignal::new(false);
    let turn = move |_: MouseEvent| is_shown.update(|is_shown| *is_shown = !*is_shown);
    let press = move |event: KeyboardEvent| {
        // What a browser fills in comes with events that are called so and have no keys.
        if let Some(event) = event.dyn_ref::<KeyboardEvent>() {
            has_caps.set(event.get_modifier_state("CapsLock"));
        }
    };
    view! {
        <div class="secret">
            <input
                id=id
                type=move || if is_shown.get() { "text" } else { "password" }
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                aria-describedby=hint
                on:keydown=hear(press)
                on:keyup=hear(press)
            />
            <button
                type="button"
                aria-label=t(words::SHOW_PASSWORD)
                aria-pressed=move || is_shown.get().to_string()
                aria-controls=id
                on:click=hear(turn)
            >
                {t(words::SHOW)}
            </button>
        </div>
        <p class="hint" role="status">
            {move || has_caps.get().then(|| words::CAPS_LOCK.of(language()))}
        </p>
    }
    .into_any()
}

fn choice(id: &'static str, chosen: &str, choices: Vec<(String, Text)>) -> AnyView {
    let options = choices.into_iter().map(|(value, label)| {
        let is_chosen = value == chosen;
        view! { <option value=value selected=is_chosen>{t(label)}</option> }.into_any()
    });
    view! { <select id=id>{options.collect_view()}</select> }.into_any()
}
