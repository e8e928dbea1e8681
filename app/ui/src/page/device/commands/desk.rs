//! The state of one command on the page, from what is typed to what is sent.

use leptos::html::{Button, Input as Field};
use leptos::prelude::*;
use link::Progress;
use protocol::command::{CommandAction, CommandSpec, Risk};
use protocol::frame::CommandStatus;
use protocol::point::Device;

use super::Asked;
use crate::choice::Language;
use crate::live::{Blocked, Given, Live, Wish};
use crate::order::{Input, Wanted, Wrong};
use crate::text_commands as words;
use crate::view::progress::{self, Say};

/// One row's state. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) live: Live,
    pub(super) device: StoredValue<Device>,
    pub(super) spec: StoredValue<CommandSpec>,
    pub(super) input: StoredValue<Input>,
    /// What stands in the field; it stays there until it has taken effect.
    pub(super) text: RwSignal<String>,
    /// Shown as old → new, and not confirmed yet.
    pub(super) draft: RwSignal<Option<Wanted>>,
    pub(super) field: NodeRef<Field>,
    pub(super) confirm: NodeRef<Button>,
    pub(super) is_blocked: Memo<bool>,
    wrong: RwSignal<Option<Wrong>>,
    asked: RwSignal<Option<Asked>>,
    given: Memo<Option<Given>>,
}

impl Desk {
    pub(super) fn new(device: Device, spec: CommandSpec, asked: RwSignal<Option<Asked>>) -> Self {
        let live = expect_context::<Live>();
        let (id, name) = (device.id.clone(), spec.name.clone());
        let given = Memo::new(move |_| live.last_given(&id, &name));
        let input = StoredValue::new(Input::of(&device, &spec));
        let (device, spec) = (StoredValue::new(device), StoredValue::new(spec));
        let is_blocked = Memo::new(move |_| {
            let is_open = given.with(|given| given.as_ref().is_some_and(Given::is_open));
            is_open || blocked(live, device, spec).is_some() || lacks_code(live, device, input)
        });
        Self {
            live,
            device,
            spec,
            input,
            text: RwSignal::new(String::new()),
            draft: RwSignal::new(None),
            field: NodeRef::new(),
            confirm: NodeRef::new(),
            is_blocked,
            wrong: RwSignal::new(None),
            asked,
            given,
        }
    }

    /// The focus goes to the question, and what has taken effect leaves the field.
    pub(super) fn follow(self) {
        Effect::new(move |_| {
            if let (true, Some(button)) = (self.draft.read().is_some(), self.confirm.get()) {
                let _ = button.focus();
            }
        });
        Effect::new(move |_| {
            let is_done = self.given.with(|given| given.as_ref().is_some_and(is_done));
            if is_done && self.draft.with_untracked(Option::is_none) {
                self.text.set(String::new());
            }
        });
    }

    /// The first step, as far as the risk of the command lets it go.
    pub(super) fn propose(self) {
        if self.is_blocked.get_untracked() {
            return;
        }
        let text = untrack(|| self.chosen());
        match self.input.with_value(|input| input.read(&text)) {
            Err(wrong) => self.wrong.set(Some(wrong)),
            Ok(wanted) => {
                self.wrong.set(None);
                let spec = self.spec.get_value();
                match spec.risk {
                    Risk::A => self.send(wanted),
                    Risk::B => self.draft.set(Some(wanted)),
                    Risk::C => self.asked.set(Some(Asked { spec, wanted })),
                }
            }
        }
    }

    /// The second step of what is shown as old → new.
    pub(super) fn confirm(self) {
        if let Some(wanted) = self.draft.get_untracked() {
            self.send(wanted);
        }
    }

    pub(super) fn leave_draft(self) {
        if self.draft.get_untracked().is_none() {
            return;
        }
        self.draft.set(None);
        if let Some(field) = self.field.get_untracked() {
            let _ = field.focus();
        }
    }

    pub(super) fn typed(self, text: String) {
        self.wrong.set(None);
        self.text.set(text);
    }

    /// A code that is gone cannot be chosen any more: the first that is there stands for it.
    fn chosen(self) -> String {
        let text = self.text.get();
        if self.input.with_value(|input| *input != Input::Code) {
            return text;
        }
        let codes = codes(self.live, self.device);
        if codes.contains(&text) { text } else { codes.into_iter().next().unwrap_or_default() }
    }

    fn send(self, wanted: Wanted) {
        if self.is_blocked.get_untracked() {
            return;
        }
        self.draft.set(None);
        let device = self.device.with_value(|device| device.id.clone());
        let command = self.spec.with_value(|spec| spec.name.clone());
        self.live.command(Wish { device, command, param: wanted.param });
    }

    pub(super) fn codes(self) -> Vec<String> {
        codes(self.live, self.device)
    }

    /// What became of the last order, or that the next one waits for a confirmation.
    pub(super) fn say(self, language: Language) -> Option<Say> {
        if self.draft.read().is_some() {
            return Some(Say { word: "confirm", text: String::new() });
        }
        let given = self.given.get()?;
        let orders = self.live.orders(&given.wish.device);
        Some(progress::say(&given, &orders, self.live.now(), language))
    }

    /// What is asked for and not there yet.
    pub(super) fn request(self) -> Option<String> {
        if let Some(draft) = self.draft.get() {
            return Some(draft.shown).filter(|shown| !shown.is_empty());
        }
        let param = self.given.get().filter(Given::is_open)?.wish.param?;
        self.input.with_value(|input| input.read(&param)).ok().map(|wanted| wanted.shown)
    }

    /// Why nothing can be sent from this row, where the panel has not said it of all.
    pub(super) fn why(self, language: Language) -> Option<String> {
        if let Some(wrong) = self.wrong.get() {
            return Some(self.input.with_value(|input| complaint(wrong, input, language)));
        }
        match blocked(self.live, self.device, self.spec) {
            Some(Blocked::Starting | Blocked::Offline | Blocked::Stale | Blocked::NotPermitted) => {
                None
            }
            Some(why) => Some(progress::blocked(&why, self.live.now(), language)),
            None if lacks_code(self.live, self.device, self.input) => {
                Some(words::NO_CODE.of(language).into())
            }
            None => None,
        }
    }

    /// What is there now, where it is no point: the pace of the channel, in seconds.
    pub(super) fn pace(self) -> Option<String> {
        let is_pace = self.spec.with_value(|spec| spec.action == CommandAction::PollInterval);
        let device = self.device.with_value(|device| device.id.clone());
        let millis = self.live.pace(&device).filter(|_| is_pace)?;
        Some(format!("{}", f64::from(millis) / 1000.0))
    }
}

fn blocked(
    live: Live,
    device: StoredValue<Device>,
    spec: StoredValue<CommandSpec>,
) -> Option<Blocked> {
    let command = spec.with_value(|spec| spec.name.clone());
    device.with_value(|device| live.blocked(device, &command))
}

fn codes(live: Live, device: StoredValue<Device>) -> Vec<String> {
    let state = live.state(&device.with_value(|device| device.id.clone()));
    let codes = state.with(|state| state.as_ref().map(|state| state.fault_codes.clone()));
    codes.unwrap_or_default().into_iter().map(String::from).collect()
}

fn lacks_code(live: Live, device: StoredValue<Device>, input: StoredValue<Input>) -> bool {
    input.with_value(|input| *input == Input::Code) && codes(live, device).is_empty()
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
