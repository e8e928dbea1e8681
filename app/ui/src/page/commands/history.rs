//! The orders on record, newest first, each with the milliseconds of its steps.

use std::time::Duration;

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use protocol::frame::CommandStatus;
use protocol::reading::Value;
use protocol::wire::commands::CommandRow;

use super::PLACE;
use super::queue::queue;
use super::table::order;
use crate::choice::Language;
use crate::format;
use crate::live::{Live, RecordState};
use crate::preference::{language, t};
use crate::query::Narrowed;
use crate::text_commands as words;
use crate::view::hear::hear;
use crate::view::progress::{Say, failure};
use crate::view::table::{cell, head};

#[component]
pub(super) fn History() -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let query = use_query_map();
    // An hour ago stays the same hour until somebody chooses anew.
    let question =
        Memo::new(move |_| Narrowed::of(&PLACE, &query.read()).query(live.now_untracked()));
    look_up(live, question);
    let unfolded = RwSignal::new(Vec::new());
    let rows = move || {
        let rows = live.record().get().rows.into_iter();
        rows.map(|row| entry(live, row, unfolded, language())).collect_view().into_any()
    };
    let remark = move || {
        let record = live.record().get();
        let remark = match record.state {
            RecordState::Loading => words::HISTORY_LOADING,
            RecordState::Failed => words::HISTORY_FAILS,
            RecordState::Told if record.rows.is_empty() => words::HISTORY_EMPTY,
            RecordState::Told => return None,
        };
        Some(remark.of(language()).to_owned())
    };
    let columns = [
        words::WHEN,
        words::WHO,
        words::DEVICE,
        words::COMMAND,
        words::CHANGE,
        words::OUTCOME,
        words::LATENCY,
    ];
    view! {
        <p class="muted" role="status">{move || remark()}</p>
        <table class="record history" hidden=move || live.record().get().rows.is_empty()>
            {head(&columns)}
            {move || rows()}
        </table>
        <p class="more">
            <button
                type="button"
                hidden=move || live.record().get().next.is_none()
                on:click=hear(move |_: MouseEvent| live.look_further())
            >
                {t(words::OLDER)}
            </button>
            // The router would look for a page.
            <a
                href=move || format!("/api/commands.csv?{}", question.get())
                rel="external"
                class="chip"
            >
                {t(words::EXPORT)}
            </a>
        </p>
    }
    .into_any()
}

/// Asks for the record of this address, and again soon after an order has moved.
fn look_up(live: Live, question: Memo<String>) {
    let mut soon = debounce(REST, move |()| live.look_up(question.get_untracked()));
    Effect::new(move |before: Option<String>| {
        let asked = question.get();
        queue(live);
        if before.as_ref() == Some(&asked) {
            soon(())
        } else {
            live.look_up(asked.clone())
        }
        asked
    });
}

/// One order, and its timeline once somebody wants to see it.
fn entry(live: Live, row: CommandRow, unfolded: RwSignal<Vec<u64>>, language: Language) -> AnyView {
    let id = row.id;
    let is_open = unfolded.read().contains(&id);
    let turn = move |_: MouseEvent| {
        unfolded.update(|all| {
            all.retain(|other| *other != id);
            if !is_open {
                all.push(id);
            }
        });
    };
    let at = format::moment(row.accepted_at, live.now_untracked(), &live.zone(&row.device_id));
    let said = outcome(&row, language);
    let (who, what) = ((row.origin, row.user.as_str()), (&*row.command, row.param.as_deref()));
    let mut cells: Vec<_> = order(live, language, who, &row.device_id, what).into();
    let ms = row.ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
    cells.extend([cell(change(&row)), cell(said.text), cell(ms)]);
    let facts = if is_open { facts(live, &row, language) } else { Vec::new() };
    view! {
        <tbody data-state=said.word>
            <tr>
                <td>
                    <button type="button" class="unfold" aria-expanded=is_open.to_string() on:click=hear(turn)>
                        {at}
                    </button>
                </td>
                {cells}
            </tr>
            <tr class="detail" hidden=!is_open>
                <td colspan="7"><ol class="timeline">{facts}</ol></td>
            </tr>
        </tbody>
    }
    .into_any()
}

/// The steps of an order on their time, and all that was not worth a column.
fn facts(live: Live, row: &CommandRow, language: Language) -> Vec<AnyView> {
    let zone = live.zone(&row.device_id);
    let begun = format::date_time(row.accepted_at, &zone);
    let steps = [
        (words::STEP_ACCEPTED, Some(0)),
        (words::STEP_RECORDED, row.steps.recorded),
        (words::STEP_SENT, row.steps.sent),
        (words::STEP_WRITTEN, row.steps.written),
        (words::STEP_ENDED, row.ms),
    ];
    let steps = steps.into_iter().filter_map(|(step, ms)| Some((step, format!("+{} ms", ms?))));
    let facts = [
        (words::WHEN, format!("{begun} {}", zone.label)),
        (words::COMMAND, row.command.clone()),
        (words::COMMAND_ID, row.command_id.clone()),
        (words::VIA, row.via.clone()),
        (words::DETAIL, row.detail.clone().unwrap_or_default()),
    ];
    let fact = |(fact, value): (crate::text::Text, String)| {
        (!value.is_empty()).then(|| item(format!("{} {value}", fact.of(language))))
    };
    steps.chain(facts).filter_map(fact).collect()
}

fn item(text: String) -> AnyView {
    view! { <li>{text}</li> }.into_any()
}

fn outcome(row: &CommandRow, language: Language) -> Say {
    let plain = |word, text: crate::text::Text| Say { word, text: text.of(language).into() };
    match (row.status, row.verified) {
        (None, _) => plain("open", words::UNKNOWN_YET),
        (Some(CommandStatus::Success), Some(true)) => plain("done", words::DONE),
        (Some(CommandStatus::Success), _) => plain("unverified", words::DONE_BLINDLY),
        (Some(CommandStatus::Fail), _) => failure(row.reason, None, language),
    }
}

/// `30.5 → 32`.
fn change(row: &CommandRow) -> String {
    let shown = |value: Option<Value>| value.map_or_else(|| "—".into(), |v: Value| v.to_string());
    match (row.old, row.new) {
        (None, None) => String::new(),
        (old, new) => format!("{} → {}", shown(old), shown(new)),
    }
}

/// What happens in one go is read from the record in one go, once it is there.
const REST: Duration = Duration::from_millis(400);
