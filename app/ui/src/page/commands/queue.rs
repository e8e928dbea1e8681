//! The orders of this moment, with their priority and whoever holds a target.

use leptos::prelude::*;
use protocol::command::{OrderLine, Stage};
use protocol::id::DeviceId;

use super::table::order;
use crate::choice::Language;
use crate::format;
use crate::live::Live;
use crate::preference::{language, t};
use crate::text_commands as words;
use crate::view::table::{cell, head};

#[component]
pub(super) fn Queue() -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let rows = move || {
        let lines = queue(live).into_iter();
        lines.map(|(device, line)| row(live, &device, &line, language())).collect_view().into_any()
    };
    let columns =
        [words::PRIORITY, words::WHO, words::DEVICE, words::COMMAND, words::OUTCOME, words::WHEN];
    view! {
        <section class="panel" aria-labelledby="queue">
            <h2 id="queue">{t(words::QUEUE)}</h2>
            <p class="muted" hidden=move || !queue(live).is_empty()>{t(words::QUEUE_EMPTY)}</p>
            <table class="record queue" hidden=move || queue(live).is_empty()>
                {head(&columns)}
                <tbody>{move || rows()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

/// The orders of all devices: the highest priority first, then the oldest.
pub(super) fn queue(live: Live) -> Vec<(DeviceId, OrderLine)> {
    let mut lines: Vec<(DeviceId, OrderLine)> = Vec::new();
    for device in live.page(|page| page.devices.clone()) {
        for line in live.orders(&device.id) {
            let is_before = |(_, other): &(_, OrderLine)| {
                (line.origin, other.since) <= (other.origin, line.since)
            };
            let place = lines.partition_point(is_before);
            lines.insert(place, (device.id.clone(), line));
        }
    }
    lines
}

fn row(live: Live, device: &DeviceId, line: &OrderLine, language: Language) -> AnyView {
    let since = format::moment(line.since, live.now_untracked(), &live.zone(device));
    let mut stage = words::stage(line.stage).of(language).to_owned();
    if let Some(until) = line.until {
        let left = until.since(live.now()).as_millis().div_ceil(1000);
        stage = format!("{stage} · {left} s");
    }
    let (who, what) = ((line.origin, line.user.as_str()), (&*line.command, line.param.as_deref()));
    let mut cells = vec![cell(line.origin.priority().to_string())];
    cells.extend(order(live, language, who, device, what));
    cells.extend([cell(stage), cell(since)]);
    view! { <tr data-state=stage_word(line.stage)>{cells}</tr> }.into_any()
}

fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "waiting",
        Stage::Executing => "executing",
        Stage::Holding => "holding",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::command::Origin;
    use protocol::frame::Update;

    use super::*;
    use crate::sample::{self, NOW};

    #[test]
    fn the_highest_priority_stands_first_and_then_the_oldest() {
        // S0-28
        let owner = Owner::new();
        let live = owner.with(|| Live::with(sample::page(None)));
        let given = [("a", Origin::Local, 1), ("b", Origin::Pscada, 9), ("c", Origin::Local, 5)];
        let lines = given.map(|(id, origin, seconds)| OrderLine {
            command_id: id.into(),
            origin,
            since: NOW + Duration::from_secs(seconds),
            ..sample::order()
        });
        let mut summary = sample::summary();
        summary.orders = lines.into();
        let devices = [("board-1".parse().unwrap(), summary)].into();
        let update = Update { devices, ..Update::default() };
        let stream = "site/plant".parse().unwrap();
        live.apply(link::News::Told { stream, update, snapshot: false, at: NOW });
        let order: Vec<_> = queue(live).into_iter().map(|(_, line)| line.command_id).collect();
        assert_eq!(order, ["s-1", "b", "a", "c"], "the system server holds board-3");
    }
}
