//! The orders of this moment, with their priority and whoever holds a target.

use leptos::prelude::*;
use protocol::command::OrderLine;
use protocol::id::DeviceId;

use crate::choice::Language;
use crate::format;
use crate::live::Live;
use crate::preference::{language, t};
use crate::text_commands as words;
use crate::view::progress::who;
use crate::view::reading::name;

#[component]
pub(super) fn Queue() -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let lines = Memo::new(move |_| queue(live));
    let rows = move || {
        let lines = lines.get();
        let row = |(device, line)| row(live, device, line, language());
        lines.into_iter().map(row).collect_view().into_any()
    };
    let is_empty = move || lines.with(Vec::is_empty);
    view! {
        <section class="panel" aria-labelledby="queue">
            <h2 id="queue">{t(words::QUEUE)}</h2>
            <p class="muted" hidden=move || !is_empty()>{t(words::QUEUE_EMPTY)}</p>
            <table class="record queue" hidden=is_empty>
                <thead>
                    <tr>
                        <th scope="col">{t(words::PRIORITY)}</th>
                        <th scope="col">{t(words::WHO)}</th>
                        <th scope="col">{t(words::DEVICE)}</th>
                        <th scope="col">{t(words::COMMAND)}</th>
                        <th scope="col">{t(words::OUTCOME)}</th>
                        <th scope="col">{t(words::WHEN)}</th>
                    </tr>
                </thead>
                <tbody>{move || rows()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

/// The orders of all devices: the highest priority first, then the oldest.
pub(super) fn queue(live: Live) -> Vec<(DeviceId, OrderLine)> {
    let devices = live.page(|page| page.devices.iter().map(|d| d.id.clone()).collect::<Vec<_>>());
    let of = |device: DeviceId| {
        let orders = live.orders(&device);
        orders.into_iter().map(move |line| (device.clone(), line))
    };
    let mut lines: Vec<_> = devices.into_iter().flat_map(of).collect();
    lines.sort_by_key(|(_, line)| (std::cmp::Reverse(line.origin), line.since));
    lines
}

fn row(live: Live, device: DeviceId, line: OrderLine, language: Language) -> AnyView {
    let zone = live.zone(&device);
    let since = format::moment(line.since, live.now_untracked(), &zone);
    let called = called(live, &device, language);
    let until = line.until;
    let left = move || {
        let left = until?.since(live.now());
        Some(format!(" · {} s", left.as_millis().div_ceil(1000)))
    };
    view! {
        <tr data-order=line.command_id.clone() data-stage=stage_word(&line)>
            <td class="number"><b>{line.origin.priority().to_string()}</b></td>
            <td>{who(line.origin, &line.user, language)}</td>
            <td><a href=format!("/devices/{device}")>{called}</a></td>
            <td>{command(live, &line.command, line.param.as_deref(), language)}</td>
            <td><b>{words::stage(line.stage).of(language)}</b>{move || left()}</td>
            <td><time datetime=format::iso(line.since)>{since}</time></td>
        </tr>
    }
    .into_any()
}

fn stage_word(line: &OrderLine) -> &'static str {
    use protocol::command::Stage::{Executing, Holding, Waiting};
    match line.stage {
        Waiting => "waiting",
        Executing => "executing",
        Holding => "holding",
    }
}

pub(super) fn called(live: Live, device: &DeviceId, language: Language) -> String {
    live.page(|page| {
        let known = page.devices.iter().find(|known| known.id == *device);
        known.map_or_else(|| device.to_string(), |d| name(&d.name, language).to_owned())
    })
}

/// `设置温度报警阈值 32`.
pub(super) fn command(
    live: Live,
    name_on_wire: &str,
    param: Option<&str>,
    language: Language,
) -> String {
    let title = live.title(name_on_wire);
    let title = title.map_or_else(|| name_on_wire.to_owned(), |t| name(&t, language).to_owned());
    match param {
        Some(param) => format!("{title} {param}"),
        None => title,
    }
}
