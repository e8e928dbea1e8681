//! A list that the server tells: read a page at a time, and read again.

use std::time::Duration;

use leptos::prelude::*;
use protocol::json;
use serde::de::DeserializeOwned;

use crate::choice::Language;
use crate::live::Live;
use crate::live::call::{Call, Failed};
use crate::text::Text;
use crate::text_commands::HISTORY_LOADING;
use crate::text_people as words;
use crate::view::table::head;

/// The rows that are known, and how the last question went. Cheap to copy.
pub(crate) struct Sheet<T: 'static> {
    part: RwSignal<Part<T>>,
    read: Read<T>,
}

/// How an answer is read: its rows, and where it goes on.
type Read<T> = fn(&str) -> Option<Told<T>>;

type Told<T> = (Vec<T>, Option<String>);

struct Part<T> {
    /// What was asked last, without the place to go on from.
    path: String,
    rows: Vec<T>,
    next: Option<String>,
    is_told: bool,
    failed: Option<Failed>,
}

impl<T: DeserializeOwned + Clone + Send + Sync> Sheet<T> {
    /// Of what is told as one list.
    pub(crate) fn list() -> Self {
        Self::new(|text| Some((json::read(text).ok()?, None)))
    }

    /// Of what is told in pages.
    pub(crate) fn new(read: Read<T>) -> Self {
        let part = Part {
            path: String::new(),
            rows: Vec::new(),
            next: None,
            is_told: false,
            failed: None,
        };
        Self { part: RwSignal::new(part), read }
    }

    /// Asks for what `path` says, now and whenever that changes.
    pub(crate) fn follow(self, live: Live, path: impl Fn() -> String + 'static) {
        Effect::new(move |_| self.look_up(live, path()));
    }

    /// Asks again every few seconds, as long as somebody looks.
    pub(crate) fn repeat(self, live: Live) {
        Effect::new(move |_| {
            let again = move || {
                if !document().hidden() {
                    self.again(live);
                }
            };
            if let Ok(timer) = set_interval_with_handle(again, OFTEN) {
                on_cleanup(move || timer.clear());
            }
        });
    }

    /// From the first page on; what is known stays until the answer is there.
    pub(crate) fn again(self, live: Live) {
        let path = self.part.with_untracked(|part| part.path.clone());
        self.look_up(live, path);
    }

    pub(crate) fn look_up(self, live: Live, path: String) {
        self.part.update(|part| {
            if part.path != path {
                (part.rows, part.next, part.is_told) = (Vec::new(), None, false);
            }
            part.path = path.clone();
        });
        self.ask(live, path, false);
    }

    /// What is older, too.
    pub(crate) fn look_further(self, live: Live) {
        let (path, next) = self.part.with_untracked(|part| (part.path.clone(), part.next.clone()));
        if next.is_some() {
            self.ask(live, path, true);
        }
    }

    fn ask(self, live: Live, path: String, is_more: bool) {
        let before = self.part.with_untracked(|part| part.next.clone()).filter(|_| is_more);
        let address = match &before {
            Some(before) => format!("{path}&before={before}"),
            None => path.clone(),
        };
        live.call(Call::get(address), move |answer| {
            let told = answer.map(|text| (self.read)(&text));
            // By now the page may ask for something else, or be gone.
            self.part.try_update(|part| {
                if part.path == path && (!is_more || part.next == before) {
                    part.take_in(told, is_more);
                }
            });
        });
    }

    pub(crate) fn rows(self) -> Vec<T> {
        self.part.with(|part| part.rows.clone())
    }

    pub(crate) fn has_more(self) -> bool {
        self.part.with(|part| part.next.is_some())
    }

    /// What stands in the place of rows.
    pub(crate) fn remark(self, language: Language) -> Option<String> {
        self.part.with(|part| match &part.failed {
            Some(failed) => Some(words::failure(failed, language)),
            None if !part.is_told => Some(HISTORY_LOADING.of(language).into()),
            None if part.rows.is_empty() => Some(words::NOTHING.of(language).into()),
            None => None,
        })
    }
}

impl<T> Part<T> {
    fn take_in(&mut self, told: Result<Option<Told<T>>, Failed>, is_more: bool) {
        match told {
            Ok(Some((rows, next))) => {
                if !is_more {
                    self.rows.clear();
                }
                self.rows.extend(rows);
                (self.next, self.is_told, self.failed) = (next, true, None);
            }
            Ok(None) => self.failed = Some(Failed::of("")),
            Err(failed) => self.failed = Some(failed),
        }
    }
}

impl<T> Clone for Sheet<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Sheet<T> {}

/// Its rows as a table, or why there are none.
#[component]
pub(crate) fn SheetView(
    #[prop(into)] remark: Signal<Option<String>>,
    columns: &'static [Text],
    rows: ViewFn,
) -> impl IntoView {
    view! {
        <p class="muted" role="status">{move || remark.get()}</p>
        <table class="record">
            {head(columns)}
            <tbody>{move || rows.run()}</tbody>
        </table>
    }
    .into_any()
}

/// A list of what happens now is not much older than this.
const OFTEN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::live::{Answer, Then};
    use crate::sample;

    type Asked = Rc<RefCell<Vec<(String, Then)>>>;

    fn page() -> (Owner, Live, Asked) {
        let owner = Owner::new();
        owner.set();
        let live = Live::with(sample::page(None));
        let asked = Asked::default();
        let all = asked.clone();
        live.on_call(move |call, then| all.borrow_mut().push((call.path, then)));
        (owner, live, asked)
    }

    fn answer(asked: &Asked, path: &str, body: &str) {
        let (asked, then) = asked.borrow_mut().remove(0);
        assert_eq!(asked, path);
        then(Answer { status: 200, body: body.into(), retry_after: None });
    }

    fn sheet() -> Sheet<u32> {
        Sheet::new(|text| {
            let (rows, next): (Vec<u32>, Option<String>) = serde_json::from_str(text).ok()?;
            Some((rows, next))
        })
    }

    #[test]
    fn what_is_older_comes_behind_and_a_new_question_begins_anew() {
        let (_owner, live, asked) = page();
        let sheet = sheet();
        assert_eq!(sheet.remark(Language::Zh).as_deref(), Some("正在读取…"));
        sheet.look_up(live, "/a?".into());
        answer(&asked, "/a?", r#"[[9,8],"8"]"#);
        sheet.look_further(live);
        answer(&asked, "/a?&before=8", "[[7],null]");
        assert_eq!((sheet.rows(), sheet.has_more()), (vec![9, 8, 7], false));
        sheet.again(live);
        answer(&asked, "/a?", r#"[[10,9],"9"]"#);
        assert_eq!((sheet.rows(), sheet.has_more()), (vec![10, 9], true));
        sheet.look_up(live, "/b?".into());
        assert!(sheet.rows().is_empty());
        answer(&asked, "/b?", "[[],null]");
        assert_eq!(sheet.remark(Language::En).as_deref(), Some("There is nothing"));
    }

    #[test]
    fn an_answer_to_what_nobody_asks_any_more_is_dropped() {
        let (_owner, live, asked) = page();
        let sheet = sheet();
        sheet.look_up(live, "/a?".into());
        sheet.look_up(live, "/b?".into());
        answer(&asked, "/a?", "[[1],null]");
        assert!(sheet.rows().is_empty());
        answer(&asked, "/b?", "[[2],null]");
        assert_eq!(sheet.rows(), [2]);
        sheet.again(live);
        let (_, then) = asked.borrow_mut().remove(0);
        then(Answer::default());
        assert_eq!(sheet.rows(), [2], "what is known stays");
        assert!(sheet.remark(Language::En).is_some());
    }
}
