//! A list that the server tells: read a page at a time, and read again.

use std::sync::Arc;
use std::time::Duration;

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use protocol::json;
use serde_json::Value;

use crate::choice::Language;
use crate::live::Live;
use crate::live::call::{Call, Failed};
use crate::preference::{language, t};
use crate::text::Text;
use crate::text_commands::{HISTORY_LOADING, OLDER};
use crate::text_people as words;
use crate::view::hear::hear;
use crate::view::table::{cell, head, row};

/// The rows that are known, and how the last question went. Cheap to copy.
///
/// The rows are trees: a browser would load all of this once for each type of them.
#[derive(Clone, Copy)]
pub(crate) struct Sheet(RwSignal<Part>);

/// How a row is shown; `None` where it is not what it should be.
pub(crate) type Entry = Arc<dyn Fn(Value, Language) -> Option<AnyView> + Send + Sync>;

#[derive(Default)]
struct Part {
    /// What was asked last, without the place to go on from.
    path: String,
    rows: Vec<Value>,
    next: Option<String>,
    is_told: bool,
    failed: Option<Failed>,
}

impl Sheet {
    pub(crate) fn new() -> Self {
        Self(RwSignal::new(Part::default()))
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
        let path = self.0.with_untracked(|part| part.path.clone());
        self.look_up(live, path);
    }

    fn look_up(self, live: Live, path: String) {
        self.0.update(|part| {
            if part.path != path {
                (part.rows, part.next, part.is_told) = (Vec::new(), None, false);
            }
            part.path = path.clone();
        });
        self.ask(live, path, false);
    }

    /// What is older, too.
    fn look_further(self, live: Live) {
        let (path, next) = self.0.with_untracked(|part| (part.path.clone(), part.next.clone()));
        if next.is_some() {
            self.ask(live, path, true);
        }
    }

    fn ask(self, live: Live, path: String, is_more: bool) {
        let before = self.0.with_untracked(|part| part.next.clone()).filter(|_| is_more);
        let address = match &before {
            Some(before) => format!("{path}&before={before}"),
            None => path.clone(),
        };
        live.call(Call::get(address), move |answer| {
            let told = answer.map(|text| rows_of(&text));
            // By now the page may ask for something else, or be gone.
            self.0.try_update(|part| {
                if part.path == path && (!is_more || part.next == before) {
                    part.take_in(told, is_more);
                }
            });
        });
    }

    fn rows(self) -> Vec<Value> {
        self.0.with(|part| part.rows.clone())
    }

    fn has_more(self) -> bool {
        self.0.with(|part| part.next.is_some())
    }

    /// What stands in the place of rows.
    fn remark(self, language: Language) -> Option<String> {
        self.0.with(|part| match &part.failed {
            Some(failed) => Some(words::failure(failed, language)),
            None if !part.is_told => Some(HISTORY_LOADING.of(language).into()),
            None if part.rows.is_empty() => Some(words::NOTHING.of(language).into()),
            None => None,
        })
    }
}

impl Part {
    fn take_in(&mut self, told: Result<Option<Told>, Failed>, is_more: bool) {
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

/// Rows, and where they go on.
type Told = (Vec<Value>, Option<String>);

/// A list, or a page of one.
fn rows_of(text: &str) -> Option<Told> {
    let mut tree: Value = serde_json::from_str(text).ok()?;
    if let Value::Array(rows) = tree {
        return Some((rows, None));
    }
    let next = json::part(&mut tree, "next").as_str().map(String::from);
    match json::part(&mut tree, "rows") {
        Value::Array(rows) => Some((rows, next)),
        _ => None,
    }
}

/// Its rows as a table, or why there are none, and the way to what is older.
pub(crate) fn show(
    live: Live,
    sheet: Sheet,
    columns: &'static [Text],
    entry: Entry,
    beside: AnyView,
) -> AnyView {
    let language = language();
    let rows = move || {
        let shown = |row| entry(row, language()).unwrap_or_else(|| row_of_nothing(columns));
        sheet.rows().into_iter().map(shown).collect_view().into_any()
    };
    view! {
        <p class="muted" role="status">{move || sheet.remark(language())}</p>
        <table class="record lines">
            {head(columns)}
            <tbody>{rows}</tbody>
        </table>
        <p class="more">
            <button
                type="button"
                hidden=move || !sheet.has_more()
                on:click=hear(move |_: MouseEvent| sheet.look_further(live))
            >
                {t(OLDER)}
            </button>
            {beside}
        </p>
    }
    .into_any()
}

/// What is not understood is not hidden, either.
fn row_of_nothing(columns: &[Text]) -> AnyView {
    row(columns.iter().map(|_| cell("?".into())).collect())
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

    fn rows(rows: &[u32]) -> Vec<Value> {
        rows.iter().map(|row| (*row).into()).collect()
    }

    #[test]
    fn what_is_older_comes_behind_and_a_new_question_begins_anew() {
        let (_owner, live, asked) = page();
        let sheet = Sheet::new();
        assert_eq!(sheet.remark(Language::Zh).as_deref(), Some("正在读取…"));
        sheet.look_up(live, "/a?".into());
        answer(&asked, "/a?", r#"{"next":"8","rows":[9,8]}"#);
        sheet.look_further(live);
        answer(&asked, "/a?&before=8", r#"{"next":null,"rows":[7]}"#);
        assert_eq!((sheet.rows(), sheet.has_more()), (rows(&[9, 8, 7]), false));
        sheet.again(live);
        answer(&asked, "/a?", r#"{"next":"9","rows":[10,9]}"#);
        assert_eq!((sheet.rows(), sheet.has_more()), (rows(&[10, 9]), true));
        sheet.look_up(live, "/b?".into());
        assert!(sheet.rows().is_empty());
        answer(&asked, "/b?", "[]");
        assert_eq!(sheet.remark(Language::En).as_deref(), Some("There is nothing"));
    }

    #[test]
    fn an_answer_to_what_nobody_asks_any_more_is_dropped() {
        let (_owner, live, asked) = page();
        let sheet = Sheet::new();
        sheet.look_up(live, "/a?".into());
        sheet.look_up(live, "/b?".into());
        answer(&asked, "/a?", "[1]");
        assert!(sheet.rows().is_empty());
        answer(&asked, "/b?", "[2]");
        assert_eq!(sheet.rows(), rows(&[2]));
        sheet.again(live);
        let (_, then) = asked.borrow_mut().remove(0);
        then(Answer::default());
        assert_eq!(sheet.rows(), rows(&[2]), "what is known stays");
        assert!(sheet.remark(Language::En).is_some());
    }
}
