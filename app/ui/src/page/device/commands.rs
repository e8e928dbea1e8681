//! What a device can be told, each with what is there now, and how the last order came out.

mod confirm;
mod consequence;
mod desk;
mod row;

use leptos::prelude::*;
use protocol::command::CommandSpec;
use protocol::point::Device;

use crate::live::{Blocked, Live};
use crate::order::{self, Input, Wanted};
use crate::preference::{language, t};
use crate::text::Text;
use crate::text_commands as words;
use crate::view::progress;
use confirm::Confirm;
use row::Row;

/// An order that waits for the operator to hold the button.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    spec: CommandSpec,
    wanted: Wanted,
}

/// Nothing where the device takes no commands.
#[component]
pub(super) fn Commands(device: Device) -> impl IntoView {
    let asked = RwSignal::new(None::<Asked>);
    let offered: Vec<CommandSpec> = order::offered(&device).into_iter().cloned().collect();
    if offered.is_empty() {
        return ().into_any();
    }
    let is_action =
        |spec: &CommandSpec| matches!(Input::of(&device, spec), Input::Nothing | Input::Code);
    let (actions, parameters): (Vec<_>, Vec<_>) = offered.into_iter().partition(is_action);
    view! {
        <section class="panel commands" aria-labelledby="commands">
            <h2 id="commands">{t(words::COMMANDS)}</h2>
            <Why device=device.clone()/>
            <Group title=words::ACTIONS specs=actions device=device.clone() asked/>
            <Group title=words::PARAMETERS specs=parameters device=device.clone() asked/>
            <Confirm device asked/>
        </section>
    }
    .into_any()
}

/// Why none of them can be given now, said once.
#[component]
fn Why(device: Device) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let first = device.commands.first().map(|spec| spec.name.clone()).unwrap_or_default();
    let why = Memo::new(move |_| {
        let why = live.blocked(&device, &first)?;
        let is_of_all = !matches!(why, Blocked::NotReached | Blocked::Held { .. });
        is_of_all.then(|| progress::blocked(&why, live.now_untracked(), language()))
    });
    view! {
        <p class="why" id=PANEL_WHY role="status" hidden=move || why.read().is_none()>
            {move || why.get()}
        </p>
    }
    .into_any()
}

#[component]
fn Group(
    title: Text,
    specs: Vec<CommandSpec>,
    device: Device,
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    if specs.is_empty() {
        return ().into_any();
    }
    let rows = specs.into_iter().map(|spec| view! { <Row device=device.clone() spec asked/> });
    let rows = rows.collect_view();
    view! {
        <h3>{t(title)}</h3>
        <ul class="orders">{rows}</ul>
    }
    .into_any()
}

/// Every button of the panel refers to it.
const PANEL_WHY: &str = "why-no-command";
