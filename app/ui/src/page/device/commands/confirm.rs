//! The dialog before what can do harm: names the device and the consequence, and wants it held.

use leptos::ev::{Event, KeyboardEvent, MouseEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlDialogElement;

use super::consequence;
use super::desk::Desk;
use super::row::title;
use crate::preference::{language, t};
use crate::text_commands as words;
use crate::view::dom::{clear, focus};
use crate::view::hear::hear;
use crate::view::hold::HoldButton;
use crate::view::reading::name;

#[component]
pub(super) fn Confirm(asked: RwSignal<Option<Desk>>) -> impl IntoView {
    let language = language();
    follow(asked);
    let end = move |step: fn(Desk)| {
        if let Some(desk) = asked.get_untracked() {
            asked.set(None);
            step(desk);
        }
    };
    let is_blocked = Signal::derive(move || asked.get().is_none_or(Desk::is_blocked));
    let device = move || {
        let facts = asked.get()?.facts();
        Some(format!("{} {}", name(&facts.device.name, language()), facts.device.id))
    };
    let consequence = move || {
        let desk = asked.get()?;
        let (facts, wanted) = (desk.facts(), desk.draft().wanted?);
        Some(consequence::of(&facts.device, &facts.spec, &wanted.shown, language()))
    };
    view! {
        <dialog
            id=DIALOG
            class="dialog danger"
            aria-labelledby="confirm-title"
            on:close=hear(move |_: Event| end(Desk::step_back))
        >
            <h2 id="confirm-title">{move || asked.get().map(|desk| title(desk, language()))}</h2>
            <p>{move || device()}</p>
            <p>{move || consequence()}</p>
            <p class="why" role="status">{move || asked.get()?.obstacle(language())}</p>
            <p class="choices">
                <button id=CANCEL type="button" on:click=hear(move |_: MouseEvent| end(Desk::step_back))>
                    {t(words::CANCEL)}
                </button>
                <HoldButton
                    label=words::HOLD
                    disabled=is_blocked
                    done=Callback::new(move |()| end(Desk::confirm))
                />
            </p>
            <p class="typed">
                <span>{t(words::OR_TYPE)}</span>
                <input
                    id=CODE
                    type="text"
                    aria-label=move || words::OR_TYPE.of(language()).to_owned()
                    on:keydown=hear(move |event| if is_code(asked, &event) { end(Desk::confirm) })
                />
            </p>
        </dialog>
    }
    .into_any()
}

/// Whether Enter was pressed behind the code of the device, for those who cannot hold a key.
fn is_code(asked: RwSignal<Option<Desk>>, event: &KeyboardEvent) -> bool {
    let device = asked.get_untracked().map(|desk| desk.facts().device.id.to_string());
    event.key() == "Enter" && device.is_some_and(|id| event_target_value(event).trim() == id)
}

/// The browser keeps the focus inside and closes at Esc; not each of them gives the focus back.
fn follow(asked: RwSignal<Option<Desk>>) {
    Effect::new(move |before: Option<Option<Desk>>| {
        let now = asked.get();
        let dialog = document().get_element_by_id(DIALOG);
        let dialog = dialog.and_then(|found| found.dyn_into::<HtmlDialogElement>().ok());
        let Some(dialog) = dialog else { return now };
        match (now.is_some(), dialog.open()) {
            (true, false) => {
                drop(dialog.show_modal());
                // What was typed for one order is not typed for the next.
                clear(CODE);
                focus(CANCEL);
            }
            (false, true) => dialog.close(),
            _ => {}
        }
        if let (None, Some(desk)) = (now, before.flatten()) {
            focus(&desk.id("do"));
        }
        now
    });
}

const DIALOG: &str = "confirm";
const CANCEL: &str = "confirm-cancel";
const CODE: &str = "confirm-code";
