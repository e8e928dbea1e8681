//! The question before something that cuts somebody off.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::live::Live;
use crate::live::call::Call;
use crate::preference::{language, t};
use crate::text::Text;
use crate::text_commands::{CANCEL, CONFIRM};
use crate::view::errand::Errand;
use crate::view::hear::hear;
use crate::view::modal::Modal;

/// What is asked before it is done.
#[derive(Clone)]
pub(crate) struct Question {
    pub title: Text,
    /// Whom it is about.
    pub whom: String,
    pub consequence: Text,
    pub call: Call,
}

/// `done` hears that it was done.
#[component]
pub(crate) fn Confirm(asked: RwSignal<Option<Question>>, done: Callback<()>) -> impl IntoView {
    let live = expect_context::<Live>();
    let language = language();
    let errand = Errand::new();
    let close = move || {
        errand.forget();
        asked.set(None);
    };
    let confirm = move |_: MouseEvent| {
        if let Some(question) = asked.get_untracked() {
            errand.run(live, question.call, move |_| {
                close();
                done.run(());
            });
        }
    };
    let said = move || {
        asked.get().map(|question| {
            let (title, consequence) = (question.title, question.consequence);
            let title = format!("{}: {}", title.of(language()), question.whom);
            view! { <p><b>{title}</b></p><p>{consequence.of(language())}</p> }.into_any()
        })
    };
    view! {
        <Modal
            id="question"
            is_open=Memo::new(move |_| asked.read().is_some())
            title=CONFIRM
            close=Some(Callback::new(move |()| close()))
        >
            {move || said()}
            {errand.wrong()}
            <p class="choices">
                <button type="button" on:click=hear(move |_: MouseEvent| close())>{t(CANCEL)}</button>
                <button type="button" class="main" disabled=move || errand.is_under_way() on:click=hear(confirm)>
                    {t(CONFIRM)}
                </button>
            </p>
        </Modal>
    }
    .into_any()
}
