//! The state of one command on the page, from what is typed to what is sent.

use std::sync::Arc;

use leptos::prelude::*;
use link::Progress;
use protocol::command::{CommandAction, CommandSpec, Risk};
use protocol::frame::CommandStatus;
use protocol::point::Device;

use crate::choice::Language;
use crate::live::{Blocked, Given, Live, Wish};
use crate::order::{Input, Wanted, Wrong};
use crate::text_commands as words;
use crate::view::dom::focus;
use crate::view::progress::{self, Say};

/// One row's state. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) live: Live,
    facts: StoredValue<Arc<Facts>>,
    draft: RwSignal<Draft>,
    /// The row whose order waits for the button to be held.
    asked: RwSignal<Option<Self>>,
}

/// What does not change.
pub(super) struct Facts {
    pub(super) device: Device,
    pub(super) spec: CommandSpec,
    pub(super) input: Input,
}

/// What the operator has in mind.
#[derive(Clone, Default)]
pub(super) struct Draft {
    /// What stands in the field; it stays there until it has taken effect.
    pub(super) text: String,
    /// Shown as old → new, and not confirmed yet.
    pub(super) wanted: Option<Wanted>,
    wrong: Option<Wrong>,
}

impl Desk {
    pub(super) fn new(device: Device, spec: CommandSpec, asked: RwSignal<Option<Self>>) -> Self {
        let input = Input::of(&device, &spec);
        Self {
            live: expect_context(),
            facts: StoredValue::new(Arc::new(Facts { device, spec, input })),
            draft: RwSignal::new(Draft::default()),
            asked,
        }
    }

    /// The focus goes to the question and back; what has taken effect leaves the field.
    pub(super) fn follow(self) {
        Effect::new(move |before: Option<(bool, Option<String>)>| {
            let (was_asking, was_done) = before.unwrap_or_default();
            let is_asking = self.is_asking();
            let done = self.given().filter(is_done).map(|given| given.id);
            if is_asking && !was_asking {
                focus(&self.id("confirm"));
            }
            if was_asking && !is_asking {
                focus(&self.id("field"));
            }
            if done != was_done && done.is_some() {
                self.set(Draft::default());
            }
            (is_asking, done)
        });
    }

    pub(super) fn facts(self) -> Arc<Facts> {
        self.facts.get_value()
    }

    pub(super) fn draft(self) -> Draft {
        self.draft.get()
    }

    /// What a part of this row is called in the document.
    pub(super) fn id(self, part: &str) -> String {
        format!("{part}-{}", self.facts().spec.name)
    }

    /// Whether the row asks if it is meant so; what can do harm is asked by a dialog.
    pub(super) fn is_asking(self) -> bool {
        self.draft().wanted.is_some() && self.facts().spec.risk != Risk::C
    }

    fn set(self, draft: Draft) {
        self.draft.set(draft);
    }

    pub(super) fn typed(self, text: String) {
        self.set(Draft { text, ..Draft::default() });
    }

    /// The first step, as far as the risk of the command lets it go.
    pub(super) fn propose(self) {
        untrack(|| {
            if self.is_blocked() {
                return;
            }
            let (facts, text) = (self.facts(), self.draft().text);
            match facts.input.read(&text) {
                Err(wrong) => self.set(Draft { text, wrong: Some(wrong), wanted: None }),
                Ok(wanted) if facts.spec.risk == Risk::A => self.send(wanted),
                Ok(wanted) => {
                    self.set(Draft { text, wanted: Some(wanted), wrong: None });
                    if facts.spec.risk == Risk::C {
                        self.asked.set(Some(self));
                    }
                }
            }
        });
    }

    /// One of several values was chosen, which is the first step, too.
    pub(super) fn choose(self, value: String) {
        self.typed(value);
        self.propose();
    }

    /// The second step.
    pub(super) fn confirm(self) {
        untrack(|| {
            if let Some(wanted) = self.draft().wanted {
                self.send(wanted);
            }
        });
    }

    /// What was typed stays.
    pub(super) fn step_back(self) {
        let draft = untrack(|| self.draft());
        if draft.wanted.is_some() {
            self.typed(draft.text);
        }
    }

    fn send(self, wanted: Wanted) {
        if self.is_blocked() {
            return;
        }
        let facts = self.facts();
        let text = if facts.input.is_typed() { self.draft().text } else { String::new() };
        self.typed(text);
        let (device, command) = (facts.device.id.clone(), facts.spec.name.clone());
        self.live.command(Wish { device, command, param: wanted.param });
    }

    /// The last order from this row.
    fn given(self) -> Option<Given> {
        let facts = self.facts();
        self.live.last_given(&facts.device.id, &facts.spec.name)
    }

    fn why_blocked(self) -> Option<Blocked> {
        let facts = self.facts();
        self.live.blocked(&facts.device, &facts.spec.name)
    }

    /// Whether nothing can be sent now: for a reason, or because an answer is awaited.
    pub(super) fn is_blocked(self) -> bool {
        let is_open = self.given().is_some_and(|given| given.is_open());
        is_open || self.why_blocked().is_some() || self.lacks_code()
    }

    fn lacks_code(self) -> bool {
        self.facts().input == Input::Code && self.choices().is_empty()
    }

    /// What there is to choose from.
    pub(super) fn choices(self) -> Vec<String> {
        let facts = self.facts();
        match facts.input {
            Input::Nothing | Input::Number(_) => return Vec::new(),
            Input::Switch => return ["ON", "OFF"].map(String::from).into(),
            Input::Code => {}
        }
        let state = self.live.state(&facts.device.id).get();
        let codes = state.map(|state| state.fault_codes).unwrap_or_default();
        codes.into_iter().map(String::from).collect()
    }

    /// What became of the last order, or that the next one waits for a confirmation.
    pub(super) fn say(self, language: Language) -> Option<Say> {
        if self.draft().wanted.is_some() {
            return Some(Say { word: "confirm", text: String::new() });
        }
        let given = self.given()?;
        let orders = self.live.orders(&given.wish.device);
        Some(progress::say(&given, &orders, self.live.now(), language))
    }

    /// What is asked for and not there yet: `→ 32.0 …`.
    pub(super) fn request(self) -> Option<String> {
        let wanted = self.draft().wanted.or_else(|| {
            let param = self.given().filter(Given::is_open)?.wish.param?;
            self.facts().input.read(&param).ok()
        });
        let shown = wanted?.shown;
        (!shown.is_empty()).then(|| format!("→ {shown} …"))
    }

    /// Why nothing can be sent from this row.
    pub(super) fn obstacle(self, language: Language) -> Option<String> {
        let why = self.why_blocked()?;
        Some(progress::blocked(&why, self.live.now(), language))
    }

    /// What is wrong with this row alone: the panel says what is wrong with all of them.
    pub(super) fn why(self, language: Language) -> Option<String> {
        if let Some(wrong) = self.draft().wrong {
            return Some(complaint(wrong, &self.facts().input, language));
        }
        match self.why_blocked() {
            Some(why) if why.is_of_all() => None,
            Some(_) => self.obstacle(language),
            None if self.lacks_code() => Some(words::NO_CODE.of(language).into()),
            None => None,
        }
    }

    /// What is there now, where it is no point: the pace of the channel, in seconds.
    pub(super) fn pace(self) -> Option<String> {
        let facts = self.facts();
        let is_pace = facts.spec.action == CommandAction::PollInterval;
        let millis = self.live.pace(&facts.device.id).filter(|_| is_pace)?;
        Some((f64::from(millis) / 1000.0).to_string())
    }
}

fn is_done(given: &Given) -> bool {
    let is_success = |progress: &Progress| matches!(progress, Progress::Done(result) if result.status == CommandStatus::Success);
    given.progress.as_ref().is_some_and(is_success)
}

fn complaint(wrong: Wrong, input: &Input, language: Language) -> String {
    match (wrong, input) {
        (Wrong::OutOfRange, Input::Number(bounds)) => words::range(language, &bounds.ends()),
        (Wrong::NotANumber, _) => words::NOT_A_NUMBER.of(language).into(),
        _ => words::NO_VALUE.of(language).into(),
    }
}
