//! The bar over the full width that says why the values stand still, and for how long they did.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use link::Policy;
use link::status::{LinkState, Status};

use crate::choice::Language;
use crate::format;
use crate::live::{Live, Standing};
use crate::preference::{language, t};
use crate::text;
use crate::view::hear::hear;

/// Nothing while all is well.
#[component]
pub(crate) fn ConnectionBar() -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let notice = Memo::new(move |_| Notice::of(live, language()));
    let kind = move || notice.read().as_ref().map(|notice| notice.kind);
    let can_retry = move || notice.read().as_ref().is_some_and(|notice| notice.can_retry);
    view! {
        <section class="connection-bar" aria-label=t(text::LINK) data-bar=kind hidden=move || notice.read().is_none()>
            // The headline alone is announced: a countdown would never let the reader speak.
            <b role="status">{move || notice.read().as_ref().map(|notice| notice.headline.clone())}</b>
            <span class="detail">{move || notice.read().as_ref().map(|notice| notice.detail.clone())}</span>
            <button type="button" hidden=move || !can_retry() on:click=hear(move |_: MouseEvent| live.retry())>
                {t(text::RETRY)}
            </button>
        </section>
    }
    .into_any()
}

/// What the bar says.
#[derive(Clone, Debug, PartialEq)]
struct Notice {
    /// `lost`, `failed`, `refused`, `stalled`, `recovered` or `note`.
    kind: &'static str,
    headline: String,
    detail: String,
    can_retry: bool,
}

impl Notice {
    fn of(live: Live, language: Language) -> Option<Self> {
        let status = live.status()?;
        match live.standing() {
            Standing::Starting => None,
            Standing::Live if live.is_stalled() => Some(Self::stalled(live, &status, language)),
            Standing::Live => {
                let told = live.notice().map(|notice| Self::told(live, notice, language));
                told.or_else(|| Self::upgraded(live, &status, language))
            }
            Standing::Lost => Some(Self::lost(live, &status, language)),
        }
    }

    fn lost(live: Live, status: &Status, language: Language) -> Self {
        let (kind, headline) = match &status.state {
            LinkState::Refused { .. } => ("refused", text::LINK_REFUSED),
            LinkState::Failed { .. } => ("failed", text::RECONNECT_FAILED),
            _ => ("lost", text::LINK_LOST),
        };
        let ended = status.ended.map(|(_, at)| format::time(live.wall(at), &live.home_zone()));
        let headline = [Some(headline.of(language).to_owned()), ended];
        let detail = [Some(progress(live, status, language)), data_from(live, status, language)];
        Self {
            kind,
            headline: headline.into_iter().flatten().collect::<Vec<_>>().join(" "),
            detail: detail.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            can_retry: kind != "refused",
        }
    }

    fn stalled(live: Live, status: &Status, language: Language) -> Self {
        Self {
            kind: "stalled",
            headline: text::DATA_OLD.of(language).into(),
            detail: data_from(live, status, language).unwrap_or_default(),
            can_retry: true,
        }
    }

    /// The page came from another version of the server than the one it talks to.
    fn upgraded(live: Live, status: &Status, language: Language) -> Option<Self> {
        let version = status.server_version.as_ref()?;
        let is_other = live.page(|page| page.version != *version);
        is_other.then(|| Self {
            kind: "note",
            headline: text::UPGRADED.of(language).into(),
            detail: version.clone(),
            can_retry: false,
        })
    }

    /// What the link has to say of a connection that lives.
    fn told(live: Live, notice: link::Notice, language: Language) -> Self {
        use link::Notice::{OtherLost, RefusedStreams, Rejected, Restarted, Restored, Tampered};
        let (kind, headline, detail) = match notice {
            Restored { repaired, lost, .. } => {
                let gap = format!("{} {lost}", text::GAP.of(language));
                let detail = format!("{} · {gap}", text::refilled(language, repaired));
                ("recovered", text::RECOVERED, detail)
            }
            Restarted(restarted) => {
                let since = format::time(restarted.started_at, &live.home_zone());
                ("recovered", text::RESTARTED, format!("{} {since}", text::SINCE.of(language)))
            }
            OtherLost(other) => ("note", text::OTHER_LOST, other.connection_id.to_string()),
            Tampered => ("note", text::TAMPERED_FRAME, String::new()),
            Rejected(invalid) => ("note", text::REJECTED, invalid.detail),
            RefusedStreams(refused) => {
                let names = refused.iter().map(|refused| refused.stream.to_string());
                ("note", text::REFUSED_STREAMS, names.collect::<Vec<_>>().join(", "))
            }
        };
        Self { kind, headline: headline.of(language).into(), detail, can_retry: false }
    }
}

/// `第 3/10 次重连 · 4 s`.
fn progress(live: Live, status: &Status, language: Language) -> String {
    let most = Policy::native().tries;
    let tries = |tries: u32| text::tries(language, tries.clamp(1, most), most);
    let countdown = |until| format!("{} s", live.until(until).as_secs());
    match &status.state {
        LinkState::Waiting { tries: made, until } => {
            format!("{} · {}", tries(made.saturating_add(1)), countdown(*until))
        }
        LinkState::Failed { until } => {
            let hint = text::CHECK_NETWORK.of(language);
            format!("{hint} · {} {}", text::NEXT_TRY.of(language), countdown(*until))
        }
        LinkState::Refused { reason, .. } => text::refusal(*reason).of(language).into(),
        LinkState::Dialing { tries: made } | LinkState::Greeting { tries: made } => {
            format!("{} · {}", tries(*made), text::DIALING.of(language))
        }
        LinkState::Live { .. } => String::new(),
    }
}

fn data_from(live: Live, status: &Status, language: Language) -> Option<String> {
    let until = format::time(status.data_until?, &live.home_zone());
    Some(format!("{} {until}", text::DATA_FROM.of(language)))
}
