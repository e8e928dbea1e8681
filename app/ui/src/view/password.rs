//! The form by which somebody changes their own password, and the page that lets nothing else through.

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::wire::people::NewPassword;

use crate::live::Live;
use crate::live::call::Call;
use crate::preference::{language, t};
use crate::text_people as words;
use crate::view::dom::clear;
use crate::view::errand::Errand;
use crate::view::form::{Field, Form, Kind};
use crate::view::shell::person::sign_out;

#[component]
pub(crate) fn PasswordForm(done: Callback<()>) -> impl IntoView {
    let live = expect_context::<Live>();
    let errand = Errand::new();
    let new = Kind::Secret("new-password");
    let fields = vec![
        Field::new(OLD, words::OLD_PASSWORD, Kind::Secret("current-password")),
        Field {
            hint: Some(words::PASSWORD_RULE),
            ..Field::new(NEW, words::NEW_PASSWORD, new.clone())
        },
        Field::new(AGAIN, words::REPEAT_PASSWORD, new),
    ];
    let send = move |values: Vec<String>| {
        let Ok([old, new, again]) = <[String; 3]>::try_from(values) else { return };
        if let Some(wrong) = wrong(&new, &again) {
            return errand.fail(wrong);
        }
        let call = Call::post("/api/password").with(&NewPassword { old, new });
        errand.run(live, call, move |_| {
            [OLD, NEW, AGAIN].into_iter().for_each(clear);
            done.run(());
        });
    };
    view! { <Form fields submit=words::CHANGE_PASSWORD errand send=Callback::new(send)/> }
        .into_any()
}

/// What can be seen without asking; the server judges the rest.
fn wrong(new: &str, again: &str) -> Option<&'static str> {
    if new.chars().count() < SHORTEST {
        return Some(words::TOO_SHORT);
    }
    (new != again).then_some(words::NOT_THE_SAME)
}

/// All that is shown to whoever has a password that somebody else set.
#[component]
pub(crate) fn MustChange() -> impl IntoView {
    let language = language();
    let done = Callback::new(|()| drop(location().reload()));
    view! {
        <Title text=move || words::CHANGE_PASSWORD.of(language())/>
        <section class="panel entrance">
            <h1>{t(words::CHANGE_PASSWORD)}</h1>
            <p>{t(words::MUST_CHANGE)}</p>
            <PasswordForm done/>
            {sign_out(expect_context())}
        </section>
    }
    .into_any()
}

/// S0-83's passwords are no shorter; as `identity` has it.
const SHORTEST: usize = 12;

const OLD: &str = "password-old";
const NEW: &str = "password-new";
const AGAIN: &str = "password-again";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plainly_wrong_is_not_asked() {
        let table = [
            ("", "", Some(words::TOO_SHORT)),
            ("elevenchars", "elevenchars", Some(words::TOO_SHORT)),
            ("十二个字符的密码也可以的", "十二个字符的密码也可以的", None),
            ("twelve chars", "twelve char", Some(words::NOT_THE_SAME)),
            ("twelve chars", "twelve chars", None),
        ];
        for (new, again, expected) in table {
            assert_eq!(wrong(new, again), expected, "{new:?} {again:?}");
        }
    }
}
