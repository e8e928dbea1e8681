//! The form by which somebody signs in, and the one over a page whose sign-in has ended.

use leptos::prelude::*;
use protocol::json;
use protocol::wire::people::SignIn;
use protocol::wire::session::SessionGrant;

use crate::bootstrap::Person;
use crate::live::Live;
use crate::live::call::Call;
use crate::preference::t;
use crate::text_people as words;
use crate::view::errand::Errand;
use crate::view::form::{Field, Form, Kind};
use crate::view::modal::Modal;

/// `done` hears for whom the page speaks from now on.
#[component]
pub(crate) fn SignInForm(
    /// Who was signed in.
    user: String,
    done: Callback<SessionGrant>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let errand = Errand::new();
    let fields = vec![
        Field { value: user, ..Field::new(NAME, words::USER, Kind::Plain("username")) },
        Field::new(PASSWORD, words::PASSWORD, Kind::Secret("current-password")),
    ];
    let send = move |values: Vec<String>| {
        let mut values = values.into_iter();
        let username = values.next().unwrap_or_default().trim().to_owned();
        let asked = SignIn { username, password: values.next(), cookie: true, ..SignIn::default() };
        errand.run(live, Call::post("/api/login").with(&asked), move |text| {
            match json::read(&text) {
                Ok(grant) => done.run(grant),
                Err(_) => errand.fail(""),
            }
        });
    };
    view! { <Form fields submit=words::SIGN_IN errand send=Callback::new(send)/> }.into_any()
}

/// Over the page that stands still: after it the same page goes on (S0-89).
#[component]
pub(crate) fn SignInAgain() -> impl IntoView {
    let live = expect_context::<Live>();
    let is_out = Memo::new(move |_| live.is_out());
    let done = Callback::new(move |grant: SessionGrant| {
        let before = untrack(|| live.person());
        live.back_again(&grant);
        if !is_same(before.as_ref(), &grant) {
            drop(location().reload());
        }
    });
    let user = move || untrack(|| live.person()).map(|person| person.user).unwrap_or_default();
    view! {
        <Modal id="sign-in-again" is_open=is_out title=words::SIGN_IN_AGAIN>
            <p>{t(words::ENDED)}</p>
            <SignInForm user=user() done/>
        </Modal>
    }
    .into_any()
}

/// Whether the page is right for whoever has signed in: somebody else may see other things.
fn is_same(before: Option<&Person>, grant: &SessionGrant) -> bool {
    let now = Person::from(grant);
    before.is_some_and(|before| {
        let Person { user, role, sites, must_change_password, .. } = &now;
        (user, role, sites) == (&before.user, &before.role, &before.sites) && !must_change_password
    })
}

const NAME: &str = "sign-in-name";
const PASSWORD: &str = "sign-in-password";

#[cfg(test)]
mod tests {
    use protocol::user::Role;

    use super::*;
    use crate::sample;

    #[test]
    fn a_page_goes_on_for_the_same_person_only() {
        let before = Person::from(&sample::grant());
        let table = [
            (SessionGrant { expires: None, ..sample::grant() }, true),
            (SessionGrant { user: "wang".into(), ..sample::grant() }, false),
            (SessionGrant { role: Role::Viewer, ..sample::grant() }, false),
            (SessionGrant { must_change_password: true, ..sample::grant() }, false),
        ];
        for (grant, expected) in table {
            assert_eq!(is_same(Some(&before), &grant), expected, "{grant:?}");
        }
        assert!(!is_same(None, &sample::grant()));
    }
}
