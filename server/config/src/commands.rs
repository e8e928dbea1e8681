//! `[command.NAME]`: what can be asked of the boards, in the words of the plant.

use protocol::command::Risk;
use protocol::id::{DeviceId, PointKey};
use protocol::point::Name;
use protocol::reading;

use crate::finding::{Findings, Place};
use crate::names::Names;
use crate::parse::{choice, integer, list, parsed, point_value, text, word};
use crate::section::{Placed, Section};
use crate::sites::either;

mod assign;

pub(crate) use self::assign::assign;

/// A command before it is known which devices can carry it out.
pub(crate) struct Draft {
    pub name: Placed<String>,
    pub title: Name,
    pub risk: Risk,
    /// Where not set, every device that can.
    pub devices: Option<Placed<Vec<DeviceId>>>,
    pub order: Order,
}

/// What is to be done.
pub(crate) enum Order {
    PollInterval,
    SetClock { address: u16 },
    Write(Box<Write>),
}

/// A write, and what shows its effect.
pub(crate) struct Write {
    pub point: Placed<PointKey>,
    /// Where not set, the command's parameter.
    pub value: Option<Placed<reading::Value>>,
    pub verify: Verify,
}

pub(crate) enum Verify {
    Code(Place),
    Other { point: Placed<PointKey>, value: Placed<reading::Value> },
    Same,
}

pub(crate) fn read(root: &mut Section<'_>, devices: &Names<DeviceId>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    root.named("command", |name, section| drafts.extend(command(name, section, devices)));
    check_twins(&drafts, &mut root.notes.findings);
    drafts
}

fn command(
    name: Placed<String>,
    section: &mut Section<'_>,
    known: &Names<DeviceId>,
) -> Option<Draft> {
    let is_named = section.notes.findings.keep(&name.place, check_name(&name.value));
    let title = title(section, &name.value);
    let risk = section.read_or("risk", "B", choice(&RISKS));
    let devices = section.read("devices", list(parsed::<DeviceId>));
    if let Some(devices) = &devices {
        check_devices(devices, known, &mut section.notes.findings);
    }
    let order = order(section);
    is_named?;
    Some(Draft { name, title, risk: risk?, devices, order: order? })
}

fn order(section: &mut Section<'_>) -> Option<Order> {
    let action = section.read_or("action", "write", choice(&ACTIONS));
    let order = match action {
        Some(Action::Write) => write(section),
        Some(Action::PollInterval) => Some(Order::PollInterval),
        Some(Action::SetClock) => section
            .require("address", integer(0..=LAST_CLOCK))
            .map(|address| Order::SetClock { address: address.value }),
        None => None,
    };
    section.pass_over(&WRITE_KEYS, action.is_some().then_some("goes with action = \"write\""));
    section.pass_over(&["address"], action.is_some().then_some("goes with action = \"set_clock\""));
    order
}

fn write(section: &mut Section<'_>) -> Option<Order> {
    let point = section.require("point", parsed::<PointKey>);
    let has_verify = section.has("verify");
    let verify = section.read("verify", word);
    let is_code = verify.as_ref().is_some_and(|verify| verify.value == CODE);
    let value = match is_code {
        true => section.require("value", point_value),
        false => section.read("value", point_value),
    };
    let verify = match verify {
        Some(Placed { place, .. }) if is_code => Some(Verify::Code(place)),
        Some(written) => other(section, &written, point.as_ref()),
        None if has_verify => None,
        None => Some(Verify::Same),
    };
    let why = "goes with a point in `verify`";
    let is_surplus = matches!(verify, Some(Verify::Code(_) | Verify::Same));
    section.pass_over(&["verify_value"], is_surplus.then_some(why));
    Some(Order::Write(Box::new(Write { point: point?, value, verify: verify? })))
}

/// A point that is to be read back; where it is the one that was written, its value may be left
/// out.
fn other(
    section: &mut Section<'_>,
    written: &Placed<String>,
    point: Option<&Placed<PointKey>>,
) -> Option<Verify> {
    let named = written.value.parse::<PointKey>().map_err(|error| format!("`verify` {error}"));
    let key = section.notes.findings.keep(&written.place, named)?;
    let is_same = point.is_some_and(|point| point.value == key);
    if is_same && !section.has("verify_value") {
        return Some(Verify::Same);
    }
    let value = section.require("verify_value", point_value)?;
    Some(Verify::Other { point: Placed { value: key, place: written.place.clone() }, value })
}

/// What an identifier may hold, but no colon.
fn check_name(name: &str) -> Result<(), String> {
    if name.contains(COLON) {
        return Err(format!("command `{name}`: a colon comes before a command's value"));
    }
    name.parse::<PointKey>().map(drop).map_err(|error| format!("a command's name: {error}"))
}

fn title(section: &mut Section<'_>, name: &str) -> Name {
    let mut read = |key| section.read(key, text).map(|placed| placed.value).unwrap_or_default();
    let (zh, en) = (read("title_zh"), read("title_en"));
    either(zh, en, name)
}

fn check_devices(
    devices: &Placed<Vec<DeviceId>>,
    known: &Names<DeviceId>,
    findings: &mut Findings,
) {
    if devices.value.is_empty() {
        let text = "`devices` names none: leave it out for every device that can";
        findings.mistake(&devices.place, text);
    }
    devices.value.iter().for_each(|id| known.check(id, &devices.place, findings));
}

/// Variables cannot tell names apart that differ in capitals only, and people hardly can.
fn check_twins(drafts: &[Draft], findings: &mut Findings) {
    let mut names = Names::new("command");
    for Draft { name: Placed { value, place }, .. } in drafts {
        names.enter(&Placed { value: value.to_uppercase(), place: place.clone() }, findings);
    }
}

#[derive(Clone, Copy)]
enum Action {
    PollInterval,
    SetClock,
    Write,
}

const ACTIONS: [(&str, Action); 3] = [
    ("write", Action::Write),
    ("poll_interval", Action::PollInterval),
    ("set_clock", Action::SetClock),
];

const RISKS: [(&str, Risk); 3] = [("A", Risk::A), ("B", Risk::B), ("C", Risk::C)];

const WRITE_KEYS: [&str; 4] = ["point", "value", "verify", "verify_value"];

/// In `verify`: the fault whose code the parameter names is gone.
const CODE: &str = "code";

/// Stands between a command and its value.
pub(crate) const COLON: char = ':';

/// A board's clock takes four registers.
const LAST_CLOCK: u16 = u16::MAX - 3;
