//! A button that works only when held: by a pointer, or by Enter or Space.

use std::time::Duration;

use leptos::ev::{FocusEvent, KeyboardEvent, PointerEvent};
use leptos::prelude::*;

use crate::preference::t;
use crate::text::Text;
use crate::view::hear::hear;

/// Calls `done` once it was held for a second; letting go earlier does nothing.
#[component]
pub(crate) fn HoldButton(
    label: Text,
    #[prop(into)] disabled: Signal<bool>,
    done: Callback<()>,
) -> impl IntoView {
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let is_held = RwSignal::new(false);
    let release = move || {
        is_held.set(false);
        if let Some(timer) = timer.get_value() {
            timer.clear();
        }
    };
    let finish = move || {
        is_held.set(false);
        if !disabled.get_untracked() {
            done.run(());
        }
    };
    let hold = move || {
        if !disabled.get_untracked() && !is_held.get_untracked() {
            is_held.set(true);
            timer.set_value(set_timeout_with_handle(finish, HELD).ok());
        }
    };
    on_cleanup(move || {
        if let Some(timer) = timer.try_get_value().flatten() {
            timer.clear();
        }
    });
    view! {
        <button
            type="button"
            class="hold"
            class:held=move || is_held.get()
            disabled=move || disabled.get()
            on:pointerdown=hear(move |_: PointerEvent| hold())
            on:pointerup=hear(move |_: PointerEvent| release())
            on:pointerleave=hear(move |_: PointerEvent| release())
            on:blur=hear(move |_: FocusEvent| release())
            on:keydown=hear(move |event: KeyboardEvent| {
                if is_press(&event) {
                    event.prevent_default();
                    if !event.repeat() {
                        hold();
                    }
                }
            })
            on:keyup=hear(move |event: KeyboardEvent| if is_press(&event) { release() })
        >
            {t(label)}
        </button>
    }
    .into_any()
}

fn is_press(event: &KeyboardEvent) -> bool {
    matches!(event.key().as_str(), "Enter" | " ")
}

/// Long enough that nobody does it by accident (`console` A4).
const HELD: Duration = Duration::from_secs(1);
