//! The dialog before what can do harm: names the device and the consequence, and wants it held.

use leptos::html::{Button, Dialog};
use leptos::prelude::*;
use protocol::point::Device;

use super::{Asked, consequence};
use crate::live::{Live, Wish};
use crate::preference::{language, t};
use crate::text_commands as words;
use crate::view::hold::HoldButton;
use crate::view::progress;
use crate::view::reading::name;

#[component]
pub(super) fn Confirm(device: Device, asked: RwSignal<Option<Asked>>) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let device = StoredValue::new(device);
    let (dialog, cancel) = (NodeRef::<Dialog>::new(), NodeRef::<Button>::new());
    follow(asked, dialog, cancel);
    let blocked = Memo::new(move |_| {
        let command = asked.with(|asked| asked.as_ref().map(|asked| asked.spec.name.clone()));
        command.and_then(|command| device.with_value(|device| live.blocked(device, &command)))
    });
    let is_blocked = Signal::derive(move || blocked.read().is_some());
    let why = move || {
        let blocked = blocked.get()?;
        Some(progress::blocked(&blocked, live.now(), language()))
    };
    let give = Callback::new(move |()| {
        let Some(Asked { spec, wanted }) = asked.get_untracked() else { return };
        asked.set(None);
        let device = device.with_value(|device| device.id.clone());
        live.command(Wish { device, command: spec.name, param: wanted.param });
    });
    let code = device.with_value(|device| device.id.to_string());
    view! {
        <dialog
            class="dialog danger"
            node_ref=dialog
            aria-labelledby="confirm-title"
            aria-describedby="confirm-consequence"
            on:close=move |_| asked.set(None)
        >
            <Facts device asked/>
            <p class="why" role="status">{move || why()}</p>
            <p class="choices">
                <button type="button" node_ref=cancel data-cancel="" on:click=move |_| asked.set(None)>
                    {t(words::CANCEL)}
                </button>
                <HoldButton
                    label=Signal::derive(move || words::HOLD.of(language()).to_owned())
                    disabled=is_blocked
                    done=give
                />
            </p>
            <Typed code is_blocked give asked/>
        </dialog>
    }
    .into_any()
}

/// What is about to be done, to which device, and what comes of it.
#[component]
fn Facts(device: StoredValue<Device>, asked: RwSignal<Option<Asked>>) -> impl IntoView {
    let language = language();
    let title = move || {
        asked.with(|asked| {
            let title = asked.as_ref().map(|asked| name(&asked.spec.title, language()).to_owned());
            title.unwrap_or_default()
        })
    };
    let consequence = move || {
        let Asked { spec, wanted } = asked.get()?;
        Some(device.with_value(|d| consequence::of(d, &spec, &wanted.shown, language())))
    };
    let code = device.with_value(|device| device.id.to_string());
    let called = move || device.with_value(|d| name(&d.name, language()).to_owned());
    view! {
            <h2 id="confirm-title">{move || title()}</h2>
            <dl class="keys">
                <dt>{t(words::ON_DEVICE)}</dt>
                <dd><b>{move || called()}</b>" "<code>{code}</code></dd>
                <dt>{t(words::CONSEQUENCE)}</dt>
                <dd id="confirm-consequence">{move || consequence()}</dd>
            </dl>
    }
    .into_any()
}

/// For those who cannot hold a key: the device's code, typed.
#[component]
fn Typed(
    code: String,
    is_blocked: Signal<bool>,
    give: Callback<()>,
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    Effect::new(move |_| {
        asked.track();
        typed.set(String::new());
    });
    let hint = code.clone();
    view! {
        <form
            class="typed"
            on:submit=move |event| {
                event.prevent_default();
                let is_it = typed.with_untracked(|typed| typed.trim() == code);
                if is_it && !is_blocked.get_untracked() {
                    give.run(());
                }
            }
        >
            <label>
                <span>{t(words::OR_TYPE)}</span>
                <input
                    type="text"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    placeholder=hint
                    prop:value=move || typed.get()
                    on:input:target=move |event| typed.set(event.target().value())
                />
            </label>
        </form>
    }
    .into_any()
}

/// The browser keeps the focus inside, closes at Esc, and gives the focus back.
fn follow(asked: RwSignal<Option<Asked>>, dialog: NodeRef<Dialog>, cancel: NodeRef<Button>) {
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (asked.read().is_some(), dialog.open()) {
            (true, false) => {
                let _ = dialog.show_modal();
                if let Some(cancel) = cancel.get_untracked() {
                    let _ = cancel.focus();
                }
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
}
