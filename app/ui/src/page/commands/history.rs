//! The orders on record, newest first, each with the milliseconds of its steps.

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use protocol::frame::CommandStatus;
use protocol::reading::Value;
use protocol::wire::commands::CommandRow;

use super::query::Narrowed;
use super::queue::{called, command, queue};
use crate::choice::Language;
use crate::format;
use crate::live::{Live, RecordState};
use crate::preference::{language, t};
use crate::text_commands as words;
use crate::view::progress::{failure, who};

#[component]
pub(super) fn History() -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let query = use_query_map();
    let narrowed = Memo::new(move |_| Narrowed::of(&query.read()));
    // An hour ago stays the same hour until somebody chooses anew.
    let question = Memo::new(move |_| narrowed.with(|n| n.query(live.now_untracked())));
    look_up(live, question);
    let record = live.record();
    let ids = Memo::new(move |_| {
        record.with(|record| record.rows.iter().map(|row| row.id).collect::<Vec<_>>())
    });
    let state = move || record.with(|record| record.state);
    let is_empty = move || ids.with(Vec::is_empty);
    let remark = move || match state() {
        RecordState::Loading => Some(words::HISTORY_LOADING),
        RecordState::Failed => Some(words::HISTORY_FAILS),
        RecordState::Told => is_empty().then_some(words::HISTORY_EMPTY),
    };
    let remark = move || remark().map(|remark| remark.of(language()));
    let export = move || format!("/api/commands.csv?{}", question.read());
    let has_more = move || record.with(|record| record.next.is_some());
    view! {
        <p class="muted" role="status" hidden=move || remark().is_none()>{move || remark()}</p>
        <table class="record" hidden=is_empty>
            <thead>
                <tr>
                    <th scope="col">{t(words::WHEN)}</th>
                    <th scope="col">{t(words::WHO)}</th>
                    <th scope="col">{t(words::DEVICE)}</th>
                    <th scope="col">{t(words::COMMAND)}</th>
                    <th scope="col">{t(words::CHANGE)}</th>
                    <th scope="col">{t(words::OUTCOME)}</th>
                    <th scope="col" class="number">{t(words::LATENCY)}</th>
                </tr>
            </thead>
            <For each=move || ids.get() key=|id| *id let:id>
                <Row id/>
            </For>
        </table>
        <p class="more">
            <button type="button" hidden=move || !has_more() on:click=move |_| live.look_further()>
                {t(words::OLDER)}
            </button>
            // The router would look for a page.
            <a href=export rel="external" download="" class="chip">{t(words::EXPORT)}</a>
        </p>
    }
    .into_any()
}

/// Asks for the record of this address, and again soon after an order has moved.
fn look_up(live: Live, question: Memo<String>) {
    let moved = Memo::new(move |_| queue(live));
    let mut soon = debounce(REST, move |()| live.look_up(question.get_untracked()));
    Effect::new(move |before: Option<String>| {
        let asked = question.get();
        moved.track();
        if before.as_ref() == Some(&asked) {
            soon(())
        } else {
            live.look_up(asked.clone())
        }
        asked
    });
}

/// One order, and its timeline once somebody wants to see it.
#[component]
fn Row(id: u64) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let record = live.record();
    let is_open = RwSignal::new(false);
    let row = Memo::new(move |_| {
        record.with(|record| record.rows.iter().find(|row| row.id == id).cloned())
    });
    let line = move || {
        let row = row.get()?;
        Some(line(live, &row, is_open, language()))
    };
    let detail = move || {
        let row = row.get().filter(|_| is_open.get())?;
        Some(detail(live, &row, language()))
    };
    view! { <tbody data-row=id.to_string()>{move || line()}{move || detail()}</tbody> }.into_any()
}

fn line(live: Live, row: &CommandRow, is_open: RwSignal<bool>, language: Language) -> AnyView {
    let zone = live.zone(&row.device_id);
    let at = format::moment(row.accepted_at, live.now_untracked(), &zone);
    let (word, outcome) = outcome(row, language);
    let ms = row.ms.map(|ms| format!("{ms} ms"));
    view! {
        <tr data-state=word>
            <td>
                <button
                    type="button"
                    class="unfold"
                    aria-expanded=move || is_open.get().to_string()
                    on:click=move |_| is_open.update(|open| *open = !*open)
                >
                    <time datetime=format::iso(row.accepted_at)>{at}</time>
                </button>
            </td>
            <td>{who(row.origin, &row.user, language)}</td>
            <td><a href=format!("/devices/{}", row.device_id)>{called(live, &row.device_id, language)}</a></td>
            <td>{command(live, &row.command, row.param.as_deref(), language)}</td>
            <td>{change(row)}</td>
            <td class="outcome">{outcome}</td>
            <td class="number">{ms}</td>
        </tr>
    }
    .into_any()
}

/// The steps of an order on their time, and all that was not worth a column.
fn detail(live: Live, row: &CommandRow, language: Language) -> AnyView {
    let zone = live.zone(&row.device_id);
    let begun = format::date_time(row.accepted_at, &zone);
    let steps = [
        (words::STEP_ACCEPTED, Some(0)),
        (words::STEP_RECORDED, row.steps.recorded),
        (words::STEP_SENT, row.steps.sent),
        (words::STEP_WRITTEN, row.steps.written),
        (words::STEP_ENDED, row.ms),
    ];
    let steps = steps.into_iter().filter_map(|(step, ms)| Some((step, ms?))).map(|(step, ms)| {
        view! { <li><b>{format!("+{ms} ms")}</b>" "<span>{step.of(language)}</span></li> }
    });
    let facts = [
        (words::COMMAND, Some(row.command.clone())),
        (words::COMMAND_ID, Some(row.command_id.clone())),
        (words::VIA, Some(row.via.clone()).filter(|via| !via.is_empty())),
        (words::STEP_ACCEPTED, Some(format!("{begun} {}", zone.label))),
        (words::OUTCOME, row.detail.clone()),
    ];
    let facts = facts.into_iter().filter_map(|(fact, value)| Some((fact, value?)));
    let facts = facts.map(|(fact, value)| {
        view! { <dt>{fact.of(language)}</dt><dd>{value}</dd> }
    });
    view! {
        <tr class="detail">
            <td colspan="7">
                <ol class="timeline" aria-label=words::TIMELINE.of(language)>{steps.collect_view()}</ol>
                <dl class="facts">{facts.collect_view()}</dl>
            </td>
        </tr>
    }
    .into_any()
}

fn outcome(row: &CommandRow, language: Language) -> (&'static str, String) {
    match row.status {
        None => ("open", words::UNKNOWN_YET.of(language).into()),
        Some(CommandStatus::Success) => {
            let (word, text) = match row.verified {
                Some(true) => ("done", words::DONE),
                _ => ("unverified", words::DONE_BLINDLY),
            };
            (word, text.of(language).into())
        }
        Some(CommandStatus::Fail) => {
            let said = failure(row.reason, None, language);
            (said.word, said.text)
        }
    }
}

/// `30.5 → 32`.
fn change(row: &CommandRow) -> Option<String> {
    let shown = |value: Option<Value>| value.map_or_else(|| "—".into(), |v: Value| v.to_string());
    (row.old.is_some() || row.new.is_some())
        .then(|| format!("{} → {}", shown(row.old), shown(row.new)))
}

/// What happens in one go is read from the record in one go, once it is there.
const REST: Duration = Duration::from_millis(400);
