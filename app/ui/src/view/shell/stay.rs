//! The bands that say how long the sign-in holds, and that the page is locked.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use protocol::wire::people::Unlock;

use crate::live::Live;
use crate::live::call::Call;
use crate::preference::t;
use crate::stay::Stay;
use crate::text;
use crate::text_people as words;
use crate::view::errand::Errand;
use crate::view::form::{Field, Form, Kind};
use crate::view::hear::hear;
use crate::view::modal::Modal;

/// Nothing while the sign-in holds for long and somebody is there.
#[component]
pub(super) fn StayBands() -> impl IntoView {
    let live = expect_context::<Live>();
    let is_asked = RwSignal::new(false);
    let is_ending = move || matches!(live.stay(), Stay::Ending(_)) && !live.is_out();
    let is_locked = move || live.is_locked() && !live.is_out();
    view! {
        <aside class="band stay" data-band="ending" aria-label=t(words::TIME_LEFT) hidden=move || !is_ending()>
            // The words alone are announced: a countdown would never let the reader speak.
            <b role="status">{move || is_ending().then(t(words::ENDS_SOON))}</b>
            <span>{move || live.stay().left()}</span>
            <button type="button" on:click=hear(move |_: MouseEvent| live.prolong())>
                {t(words::EXTEND)}
            </button>
        </aside>
        <aside class="band stay" data-band="locked" aria-label=t(words::UNLOCK) hidden=move || !is_locked()>
            <b role="status">{move || is_locked().then(t(words::PAGE_LOCKED))}</b>
            <button type="button" on:click=hear(move |_: MouseEvent| is_asked.set(true))>
                {t(words::UNLOCK)}
            </button>
        </aside>
        <UnlockDialog is_asked/>
    }
    .into_any()
}

#[component]
fn UnlockDialog(is_asked: RwSignal<bool>) -> impl IntoView {
    let live = expect_context::<Live>();
    let errand = Errand::new();
    let close = move || {
        errand.forget();
        is_asked.set(false);
    };
    let send = Callback::new(move |values: Vec<String>| {
        let password = values.into_iter().next().unwrap_or_default();
        errand.run(live, Call::post("/api/unlock").with(&Unlock { password }), move |_| {
            live.unlock();
            close();
        });
    });
    let is_open = Memo::new(move |_| is_asked.get() && live.is_locked() && !live.is_out());
    let fields = || vec![Field::new("unlock", words::PASSWORD, Kind::Secret("current-password"))];
    view! {
        <Modal id="unlock-dialog" is_open title=words::UNLOCK close=Some(Callback::new(move |()| close()))>
            <Form fields=fields() submit=words::UNLOCK errand send/>
            <button type="button" on:click=hear(move |_: MouseEvent| close())>{t(text::CLOSE)}</button>
        </Modal>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::user::Role;

    use super::*;
    use crate::first_html::{piece, signed_in};
    use crate::sample::NOW;

    #[test]
    fn the_end_is_counted_down_and_a_lock_is_said() {
        // S0-87
        let band = |html: &str, name: &str| {
            let from = html.find(&format!("data-band=\"{name}\"")).unwrap();
            let band = &html[from..];
            band[..band.find("</aside>").unwrap()].to_owned()
        };
        let show = || view! { <StayBands/> }.into_any();
        let html = piece(signed_in(Role::Operator), move |_| show());
        assert!(
            band(&html, "ending").contains("hidden") && band(&html, "locked").contains("hidden")
        );
        let html = piece(signed_in(Role::Operator), move |live| {
            live.tick(Default::default(), NOW + Duration::from_secs(3600 - 272));
            show()
        });
        let ending = band(&html, "ending");
        assert!(ending.contains("登录即将结束") && ending.contains("4:32"), "{ending}");
        let html = piece(signed_in(Role::Operator), move |live| {
            live.keep_watch(NOW, None);
            live.keep_watch(NOW + Duration::from_secs(900), None);
            show()
        });
        let locked = band(&html, "locked");
        assert!(locked.contains("数值继续更新") && !locked.contains("hidden"), "{locked}");
    }
}
