//! One command: its value now, the field, the button, and what became of the last order.

use leptos::prelude::*;
use protocol::command::{CommandSpec, Risk};
use protocol::point::Device;
use protocol::stream::StreamName;

use super::desk::Desk;
use super::{Asked, PANEL_WHY, consequence};
use crate::live::Live;
use crate::order::{self, Input};
use crate::preference::{language, t};
use crate::text_commands as words;
use crate::view::reading::{face, name};

#[component]
pub(super) fn Row(
    device: Device,
    spec: CommandSpec,
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    let language = language();
    let (command, risk, title) = (spec.name.clone(), spec.risk, spec.title.clone());
    let desk = Desk::new(device, spec, asked);
    desk.follow();
    let said = Memo::new(move |_| desk.say(language()));
    let state = move || said.with(|said| said.as_ref().map_or("draft", |said| said.word));
    let text = move || said.with(|said| said.as_ref().map(|said| said.text.clone()));
    let why = Memo::new(move |_| desk.why(language()));
    let why_id = format!("why-{command}");
    let title = Signal::derive(move || name(&title, language()).to_owned());
    view! {
        <li
            class="order"
            data-command=command
            data-risk=letter(risk)
            data-state=state
            on:keydown=move |event| if event.key() == "Escape" { desk.leave_draft() }
        >
            <b class="title">{title}</b>
            <Now desk/>
            <Act desk title why_id=why_id.clone()/>
            <Question desk/>
            <p class="said" role="status">{move || text()}</p>
            <p class="why" id=why_id hidden=move || why.read().is_none()>{move || why.get()}</p>
        </li>
    }
    .into_any()
}

/// `30.5 °C → 32.0 …`: what is there, and what is asked for as long as it is not there.
#[component]
fn Now(desk: Desk) -> impl IntoView {
    let live = expect_context::<Live>();
    let (device, spec) = (desk.device.get_value(), desk.spec.get_value());
    let request = move || desk.request().map(|shown| format!("→ {shown} …"));
    let Some(point) = order::subject(&device, &spec).cloned() else {
        if desk.input.with_value(|input| input.unit().is_empty()) {
            return ().into_any();
        }
        let unit = desk.input.with_value(|input| input.unit().to_owned());
        let shown = move || desk.pace().unwrap_or_else(|| "—".into());
        return view! {
            <p class="now">
                <span class="reading"><b>{move || shown()}</b><i class="unit">{unit}</i></span>
                <span class="request">{move || request()}</span>
            </p>
        }
        .into_any();
    };
    let reading: Signal<_> = live.reading(&device.id, &point.key).into();
    let stream = StreamName::Device(device.id.clone());
    let face = face(point.clone(), reading, stream, live.zone(&device.id));
    view! {
        <p class="now" data-point=point.key.to_string() data-quality=move || face.read().word>
            <span class="reading" aria-hidden="true">
                <b>{move || face.read().value.clone()}</b>
                <i class="unit">{move || face.read().unit.clone()}</i>
            </span>
            <span class="sr">{move || face.read().spoken.clone()}</span>
            <span class="request">{move || request()}</span>
            <span class="remark" aria-hidden="true">{move || face.read().remark.clone()}</span>
        </p>
    }
    .into_any()
}

/// The field, where the command takes a value, and its button.
#[component]
fn Act(desk: Desk, title: Signal<String>, why_id: String) -> impl IntoView {
    let language = language();
    let input = desk.input.get_value();
    let label = move || format!("{}: {}", title.get(), words::NEW_VALUE.of(language()));
    let field = match &input {
        Input::Nothing => ().into_any(),
        Input::Number(_) => view! {
            <input
                type="text"
                inputmode="decimal"
                autocomplete="off"
                node_ref=desk.field
                aria-label=label
                prop:value=move || desk.text.get()
                on:input:target=move |event| desk.typed(event.target().value())
            />
        }
        .into_any(),
        Input::Switch => view! {
            <select
                aria-label=label
                prop:value=move || desk.text.get()
                on:change:target=move |event| desk.typed(event.target().value())
            >
                <option value="">"—"</option>
                <option value="ON">"ON"</option>
                <option value="OFF">"OFF"</option>
            </select>
        }
        .into_any(),
        Input::Code => view! {
            <select
                aria-label=move || format!("{}: {}", title.get(), words::CODE.of(language()))
                on:change:target=move |event| desk.typed(event.target().value())
            >
                {move || codes(desk)}
            </select>
        }
        .into_any(),
    };
    let word = match input {
        Input::Nothing => words::DO,
        Input::Code => words::RESET,
        Input::Number(_) | Input::Switch => words::SET,
    };
    view! {
        <form
            class="act"
            hidden=move || desk.draft.read().is_some()
            on:submit=move |event| {
                event.prevent_default();
                desk.propose();
            }
        >
            {field}
            <button
                type="submit"
                disabled=move || desk.is_blocked.get()
                aria-label=move || format!("{}: {}", title.get(), word.of(language()))
                aria-describedby=format!("{why_id} {PANEL_WHY}")
            >
                {t(word)}
            </button>
        </form>
    }
    .into_any()
}

fn codes(desk: Desk) -> AnyView {
    let option = |code: String| view! { <option value=code.clone()>{code.clone()}</option> };
    desk.codes().into_iter().map(option).collect_view().into_any()
}

/// `30.5 → 32.0 °C`, and whether it is meant so.
#[component]
fn Question(desk: Desk) -> impl IntoView {
    let language = language();
    let sentence = move || {
        let wanted = desk.draft.get()?;
        let (device, spec) = (desk.device.get_value(), desk.spec.get_value());
        Some(
            change(desk, &device, &spec, &wanted.shown)
                .unwrap_or_else(|| consequence::of(&device, &spec, &wanted.shown, language())),
        )
    };
    view! {
        <p class="question" hidden=move || desk.draft.read().is_none()>
            <b>{move || sentence()}</b>
            <button
                type="button"
                node_ref=desk.confirm
                disabled=move || desk.is_blocked.get()
                // The key that opened the question may still be down.
                on:keydown=|event| if event.repeat() { event.prevent_default() }
                on:click=move |_| desk.confirm()
            >
                {t(words::CONFIRM)}
            </button>
            <button type="button" on:click=move |_| desk.leave_draft()>{t(words::CANCEL)}</button>
        </p>
    }
    .into_any()
}

/// What is there now → what is asked for; `None` where the command sets no value.
fn change(desk: Desk, device: &Device, spec: &CommandSpec, shown: &str) -> Option<String> {
    let unit = desk.input.with_value(|input| input.unit().to_owned());
    let now = match order::subject(device, spec) {
        Some(point) => {
            let reading = desk.live.reading(&device.id, &point.key).get();
            let value = reading.and_then(|reading| reading.value);
            value.map_or_else(|| "—".into(), |v| crate::format::value(v, point.decimals))
        }
        None => desk.pace()?,
    };
    Some(format!("{now} → {shown} {unit}").trim_end().to_owned())
}

fn letter(risk: Risk) -> &'static str {
    match risk {
        Risk::A => "A",
        Risk::B => "B",
        Risk::C => "C",
    }
}
