//! The keys of the page, and the dialog that explains them.

use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html::Button;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use protocol::user::Right;
use wasm_bindgen::JsCast as _;

use super::Open;
use super::rail::device_href;
use crate::live::Live;
use crate::preference::t;
use crate::text;
use crate::text_commands::KEY_COMMANDS;
use crate::text_records::KEY_EVENTS;
use crate::view::hear::hear;

/// Listens to the keys while the page lives, and shows what they do.
#[component]
pub(super) fn Help(open: RwSignal<Open>) -> impl IntoView {
    listen(open);
    let live = expect_context::<Live>();
    let close = NodeRef::<Button>::new();
    let is_open = Memo::new(move |_| open.get() == Open::Help);
    let mut before = None;
    Effect::new(move |_| {
        if is_open.get() {
            before = focused();
            focus(close.get().map(Into::into));
        } else {
            focus(before.take());
        }
    });
    let keys = [
        ("g o", text::KEY_OVERVIEW),
        ("g d", text::KEY_DEVICES),
        ("g c", KEY_COMMANDS),
        ("g e", KEY_EVENTS),
        ("?", text::KEY_HELP),
        ("Esc", text::KEY_ESCAPE),
    ];
    let may_read = live.page(|page| page.person.clone());
    let may_read = may_read.is_some_and(|person| person.role.may(Right::Records));
    let keys = keys.into_iter().filter(|(key, _)| may_read || *key != "g e");
    let rows = keys.map(|(key, what)| view! { <dt><kbd>{key}</kbd></dt><dd>{t(what)}</dd> });
    view! {
        <div class="veil" hidden=move || !is_open.get() on:click=hear(move |_: MouseEvent| open.set(Open::Nothing))>
            <div
                class="dialog"
                role="dialog"
                aria-modal="true"
                aria-labelledby="help-title"
                on:click=hear(|event: MouseEvent| event.stop_propagation())
                // One thing takes the focus, so it stays there.
                on:keydown=hear(|event: KeyboardEvent| if event.key() == "Tab" { event.prevent_default() })
            >
                <h2 id="help-title">{t(text::HELP)}</h2>
                <dl class="keys">{rows.collect_view()}</dl>
                <button type="button" node_ref=close on:click=hear(move |_: MouseEvent| open.set(Open::Nothing))>
                    {t(text::CLOSE)}
                </button>
            </div>
        </div>
    }
    .into_any()
}

/// `g o`, `g d`, `g c`, `g e`, `?` and Esc; keys that are typed into a field stay there.
fn listen(open: RwSignal<Open>) {
    let live = expect_context::<Live>();
    let navigate = use_navigate();
    let after_g = StoredValue::new(false);
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || is_typed(&event) {
            return;
        }
        let was_g = after_g.get_value();
        after_g.set_value(event.key() == "g");
        let go = |path: &str| navigate(path, NavigateOptions::default());
        match event.key().as_str() {
            "Escape" => open.set(Open::Nothing),
            "?" => open.set(Open::Help),
            "o" if was_g => go("/"),
            "c" if was_g => go("/commands"),
            "e" if was_g && live.may(Right::Records) => go("/events"),
            "d" if was_g => device_href(live).iter().for_each(|href| go(href)),
            _ => {}
        }
    });
    on_cleanup(move || handle.remove());
}

fn is_typed(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
    })
}

fn focused() -> Option<web_sys::HtmlElement> {
    document().active_element()?.dyn_into().ok()
}

/// An element that cannot take the focus leaves it where it is.
fn focus(element: Option<web_sys::HtmlElement>) {
    if let Some(element) = element {
        let _ = element.focus();
    }
}
