//! A switch: filled and light when on, an outline when off, and its word.

use leptos::prelude::*;
use protocol::reading::Value;

use crate::view::icon::{Icon, Shape};

/// The lamp of a switch; no lamp where nobody ever read it.
#[component]
pub(crate) fn Lamp(#[prop(into)] value: Signal<Option<Value>>) -> impl IntoView {
    let shape = Signal::derive(move || match value.get() {
        Some(value) if value.is_on() => Shape::Dot,
        Some(_) => Shape::Ring,
        None => Shape::Dash,
    });
    let is_on = move || value.get().is_some_and(Value::is_on);
    view! {
        <span class="lamp" class:on=is_on>
            <Icon shape/>
        </span>
    }
    .into_any()
}
