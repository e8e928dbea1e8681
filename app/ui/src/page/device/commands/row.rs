//! One command: its value now, the field, the button, and what became of the last order.

use leptos::ev::{Event, KeyboardEvent, MouseEvent};
use leptos::prelude::*;
use protocol::command::{CommandSpec, Risk};
use protocol::point::Device;
use protocol::stream::StreamName;
use wasm_bindgen::JsCast as _;

use super::consequence;
use super::desk::Desk;
use crate::choice::Language;
use crate::format;
use crate::order::{self, Input};
use crate::preference::{language, t};
use crate::text::Text;
use crate::text_commands as words;
use crate::view::hear::hear;
use crate::view::reading::{face, name};

#[component]
pub(super) fn Row(
    device: Device,
    spec: CommandSpec,
    asked: RwSignal<Option<Desk>>,
) -> impl IntoView {
    let language = language();
    let (command, risk) = (spec.name.clone(), letter(spec.risk));
    let desk = Desk::new(device, spec, asked);
    desk.follow();
    view! {
        <li
            class="order"
            data-command=command
            data-risk=risk
            data-state=move || desk.say(language()).map_or("draft", |said| said.word)
            on:keydown=hear(move |event| press(desk, &event))
        >
            <b class="title">{move || title(desk, language())}</b>
            {now(desk)}
            {act(desk)}
            {question(desk)}
            <p class="said" role="status">{move || desk.say(language()).map(|said| said.text)}</p>
            <p class="why">{move || desk.why(language())}</p>
        </li>
    }
    .into_any()
}

/// Enter in the field is the first step, Esc the way back.
fn press(desk: Desk, event: &KeyboardEvent) {
    match event.key().as_str() {
        "Escape" => desk.step_back(),
        // The key that opened the question may still be down.
        "Enter" if event.repeat() => event.prevent_default(),
        "Enter" if is_field(event) => {
            // The focus moves on before the key is done: it must not press what it comes to.
            event.prevent_default();
            desk.propose();
        }
        _ => {}
    }
}

fn is_field(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|element| element.tag_name() == "INPUT")
}

pub(super) fn title(desk: Desk, language: Language) -> String {
    name(&desk.facts().spec.title, language).to_owned()
}

/// `30.5 °C → 32.0 …`: what is there, and what is asked for as long as it is not there.
fn now(desk: Desk) -> AnyView {
    let facts = desk.facts();
    let Some(point) = order::subject(&facts.device, &facts.spec).cloned() else {
        let unit = facts.input.unit().to_owned();
        if unit.is_empty() {
            return ().into_any();
        }
        return view! {
            <p class="now">
                <span class="reading">
                    <b>{move || desk.pace()}</b>
                    <i class="unit">{move || unit.clone()}</i>
                </span>
                <span class="request">{move || desk.request()}</span>
            </p>
        }
        .into_any();
    };
    let reading: Signal<_> = desk.live.reading(&facts.device.id, &point.key).into();
    let stream = StreamName::Device(facts.device.id.clone());
    let key = point.key.to_string();
    let face = face(point, reading, stream, desk.live.zone(&facts.device.id));
    view! {
        <p class="now" data-point=key data-quality=move || face.read().word>
            <span class="reading" aria-hidden="true">
                <b>{move || face.read().value.clone()}</b>
                <i class="unit">{move || face.read().unit.clone()}</i>
            </span>
            <span class="sr">{move || face.read().spoken.clone()}</span>
            <span class="request">{move || desk.request()}</span>
            <span class="remark" aria-hidden="true">{move || face.read().remark.clone()}</span>
        </p>
    }
    .into_any()
}

/// The field and its button, or a button for each value that can be chosen.
fn act(desk: Desk) -> AnyView {
    let input = desk.facts().input.clone();
    let word = match input {
        Input::Nothing => words::DO,
        Input::Code => words::RESET,
        Input::Number(_) | Input::Switch => words::SET,
    };
    let field = if input.is_typed() { number(desk) } else { ().into_any() };
    let buttons = move || {
        let values = match input {
            Input::Nothing | Input::Number(_) => vec![String::new()],
            Input::Switch | Input::Code => desk.choices(),
        };
        values.into_iter().map(|value| button(desk, word, value)).collect_view().into_any()
    };
    view! {
        <div class="act" hidden=move || desk.is_asking()>
            {field}
            {move || buttons()}
        </div>
    }
    .into_any()
}

/// Without a value it takes what stands in the field, if there is one.
fn button(desk: Desk, word: Text, value: String) -> AnyView {
    let language = language();
    let shown = value.clone();
    let id = desk.id(if value.is_empty() { "do" } else { &value });
    let press = move |_: MouseEvent| match value.as_str() {
        "" => desk.propose(),
        value => desk.choose(value.to_owned()),
    };
    let text = move || match shown.as_str() {
        "" => word.of(language()).to_owned(),
        shown => shown.to_owned(),
    };
    let heard = text.clone();
    view! {
        <button
            id=id
            type="button"
            disabled=move || desk.is_blocked()
            aria-label=move || format!("{}: {}", title(desk, language()), heard())
            on:click=hear(press)
        >
            {move || text()}
        </button>
    }
    .into_any()
}

fn number(desk: Desk) -> AnyView {
    let language = language();
    view! {
        <input
            id=desk.id("field")
            type="text"
            inputmode="decimal"
            aria-label=move || {
                format!("{}: {}", title(desk, language()), words::NEW_VALUE.of(language()))
            }
            prop:value=move || desk.draft().text
            on:input=hear(move |event: Event| desk.typed(event_target_value(&event)))
        />
    }
    .into_any()
}

/// `30.5 → 32.0 °C`, and whether it is meant so.
fn question(desk: Desk) -> AnyView {
    let language = language();
    view! {
        <p class="question" hidden=move || !desk.is_asking()>
            <b>{move || change(desk, language())}</b>
            <button
                id=desk.id("confirm")
                type="button"
                disabled=move || desk.is_blocked()
                on:click=hear(move |_: MouseEvent| desk.confirm())
            >
                {t(words::CONFIRM)}
            </button>
            <button type="button" on:click=hear(move |_: MouseEvent| desk.step_back())>
                {t(words::CANCEL)}
            </button>
        </p>
    }
    .into_any()
}

/// What is there now → what is asked for; what it does, where the command sets no value.
fn change(desk: Desk, language: Language) -> Option<String> {
    let (facts, wanted) = (desk.facts(), desk.draft().wanted?);
    let now = match order::subject(&facts.device, &facts.spec) {
        Some(point) => {
            let reading = desk.live.reading(&facts.device.id, &point.key).get();
            let value = reading.and_then(|reading| reading.value);
            Some(value.map_or_else(|| "—".into(), |v| format::value(v, point.decimals)))
        }
        None => desk.pace(),
    };
    Some(match now {
        Some(now) => {
            format!("{now} → {} {}", wanted.shown, facts.input.unit()).trim_end().to_owned()
        }
        None => consequence::of(&facts.device, &facts.spec, &wanted.shown, language),
    })
}

fn letter(risk: Risk) -> &'static str {
    match risk {
        Risk::A => "A",
        Risk::B => "B",
        Risk::C => "C",
    }
}
