//! A button that works only when held: by a pointer, or by Enter or Space.

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

/// Calls `done` once it was held for a second; letting go earlier does nothing.
#[component]
pub(crate) fn HoldButton(
    #[prop(into)] label: Signal<String>,
    #[prop(into)] disabled: Signal<bool>,
    done: Callback<()>,
) -> impl IntoView {
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let is_held = RwSignal::new(false);
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    let release = move || {
        is_held.set(false);
        stop();
    };
    let hold = move || {
        if disabled.get_untracked() || is_held.get_untracked() {
            return;
        }
        let finish = move || {
            is_held.set(false);
            if !disabled.get_untracked() {
                done.run(());
            }
        };
        is_held.set(true);
        timer.set_value(set_timeout_with_handle(finish, HELD).ok());
    };
    on_cleanup(stop);
    view! {
        <button
            type="button"
            class="hold"
            class:held=move || is_held.get()
            data-hold=""
            disabled=move || disabled.get()
            on:pointerdown=move |_| hold()
            on:pointerup=move |_| release()
            on:pointerleave=move |_| release()
            on:pointercancel=move |_| release()
            on:blur=move |_| release()
            // A long touch must not open a menu under the finger.
            on:contextmenu=|event| event.prevent_default()
            on:keydown=move |event| {
                if is_press(&event) {
                    event.prevent_default();
                    if !event.repeat() {
                        hold();
                    }
                }
            }
            on:keyup=move |event| if is_press(&event) { release() }
        >
            <span>{move || label.get()}</span>
        </button>
    }
    .into_any()
}

fn is_press(event: &KeyboardEvent) -> bool {
    matches!(event.key().as_str(), "Enter" | " ")
}

/// Long enough that nobody does it by accident (`console` A4).
const HELD: Duration = Duration::from_secs(1);
