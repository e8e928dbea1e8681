//! What a device can be told, each with what is there now, and how the last order came out.

mod confirm;
mod consequence;
mod desk;
mod row;

use leptos::prelude::*;
use protocol::command::CommandSpec;
use protocol::point::Device;

use crate::live::Live;
use crate::order::{self, Input};
use crate::preference::{language, t};
use crate::text::Text;
use crate::text_commands as words;
use crate::view::progress;
use confirm::Confirm;
use desk::Desk;
use row::Row;

/// Nothing where the device takes no commands.
#[component]
pub(super) fn Commands(device: Device) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let asked = RwSignal::new(None::<Desk>);
    let offered: Vec<CommandSpec> = order::offered(&device).into_iter().cloned().collect();
    let Some(first) = offered.first().map(|spec| spec.name.clone()) else { return ().into_any() };
    let is_action =
        |spec: &CommandSpec| matches!(Input::of(&device, spec), Input::Nothing | Input::Code);
    let (actions, parameters): (Vec<_>, Vec<_>) = offered.into_iter().partition(is_action);
    let actions = group(words::ACTIONS, actions, &device, asked);
    let parameters = group(words::PARAMETERS, parameters, &device, asked);
    let dialog = view! { <Confirm asked/> };
    // Why none of them can be given now, said once.
    let why = move || {
        let why = live.blocked(&device, &first).filter(|why| why.is_of_all())?;
        Some(progress::blocked(&why, live.now_untracked(), language()))
    };
    view! {
        <section class="panel commands" aria-labelledby="commands">
            <h2 id="commands">{t(words::COMMANDS)}</h2>
            <p class="why" role="status" data-why="">{move || why()}</p>
            {actions}
            {parameters}
            {dialog}
        </section>
    }
    .into_any()
}

fn group(
    title: Text,
    specs: Vec<CommandSpec>,
    device: &Device,
    asked: RwSignal<Option<Desk>>,
) -> AnyView {
    let is_empty = specs.is_empty();
    let row = |spec| view! { <Row device=device.clone() spec asked/> }.into_any();
    let rows = specs.into_iter().map(row).collect_view();
    view! {
        <h3 hidden=is_empty>{t(title)}</h3>
        <ul class="orders">{rows}</ul>
    }
    .into_any()
}
