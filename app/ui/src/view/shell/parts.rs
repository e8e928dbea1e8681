//! The parts of the server that fail: what that means, since when and why.

use leptos::prelude::*;

use crate::format;
use crate::live::Live;
use crate::preference::language;
use crate::text;

/// Nothing while all of them work.
#[component]
pub(crate) fn FailingParts() -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let lines = move || {
        let line = |(part, condition): (_, protocol::part::Condition)| {
            let since = format::time(condition.since, &live.home_zone());
            let since = format!("{} {since}", text::SINCE.of(language()));
            view! {
                <p data-part=part.to_string()>
                    <b>{text::failing(part).of(language())}</b>
                    <span>{since}</span>
                    <span class="muted">{condition.why}</span>
                </p>
            }
        };
        live.failing().into_iter().map(line).collect_view().into_any()
    };
    view! {
        <aside class="band failing" role="status" hidden=move || live.failing().is_empty()>
            {move || lines()}
        </aside>
    }
    .into_any()
}
