//! What lies over the page until it is dealt with: it keeps the focus, and gives it back.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlInputElement};

use crate::preference::t;
use crate::text::Text;
use crate::view::dom::take_focus;
use crate::view::hear::hear;

/// Esc calls `close`; without it only what is inside ends it.
#[component]
pub(crate) fn Modal(
    id: &'static str,
    #[prop(into)] is_open: Signal<bool>,
    title: Text,
    #[prop(optional_no_strip)] close: Option<Callback<()>>,
    children: ChildrenFn,
) -> impl IntoView {
    follow(id, is_open);
    let press = move |event: KeyboardEvent| match event.key().as_str() {
        "Escape" => {
            event.stop_propagation();
            if let Some(close) = close {
                close.run(());
            }
        }
        "Tab" => stay_inside(id, &event),
        _ => {}
    };
    let content = move || {
        let children = children.clone();
        is_open.get().then(move || {
            view! {
                <div class="veil">
                    <div
                        id=id
                        class="dialog"
                        role="dialog"
                        aria-modal="true"
                        aria-label=t(title)
                        on:keydown=hear(press)
                    >
                        <h2>{t(title)}</h2>
                        {children()}
                    </div>
                </div>
            }
            .into_any()
        })
    };
    view! { {content} }.into_any()
}

/// Opened, it takes the focus once it is there; closed, it gives it back.
fn follow(id: &'static str, is_open: Signal<bool>) {
    let before = StoredValue::new_local(None::<Element>);
    let is_open = Memo::new(move |_| is_open.get());
    Effect::new(move |was_open: Option<bool>| {
        let is_open = is_open.get();
        if is_open {
            before.set_value(document().active_element());
            request_animation_frame(move || {
                let stops = stops(id);
                let first = stops.iter().find(|stop| is_empty(stop)).or_else(|| stops.first());
                first.into_iter().for_each(take_focus);
            });
        } else if was_open == Some(true)
            && let Some(element) = before.get_value()
        {
            take_focus(&element);
        }
        is_open
    });
}

/// A field that waits for somebody to write into it.
fn is_empty(element: &Element) -> bool {
    element.dyn_ref::<HtmlInputElement>().is_some_and(|field| field.value().is_empty())
}

/// From the last element on to the first, and back.
fn stay_inside(id: &str, event: &KeyboardEvent) {
    let stops = stops(id);
    let (Some(first), Some(last)) = (stops.first(), stops.last()) else { return };
    let (edge, other) = if event.shift_key() { (first, last) } else { (last, first) };
    if document().active_element().as_ref() == Some(edge) {
        event.prevent_default();
        take_focus(other);
    }
}

/// What can take the focus.
fn stops(id: &str) -> Vec<Element> {
    let Some(dialog) = document().get_element_by_id(id) else { return Vec::new() };
    let Ok(found) = dialog.query_selector_all(STOPS) else { return Vec::new() };
    let stops = (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok());
    stops.collect()
}

const STOPS: &str = "input, select, button:not([disabled]), a[href]";
