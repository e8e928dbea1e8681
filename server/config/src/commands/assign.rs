//! What each device can be told: the commands of the configuration, then its points.

use std::collections::BTreeMap;

use protocol::command::{Check, CommandAction, CommandSpec, Setting};
use protocol::id::{DeviceId, PointKey};
use protocol::point::{Device, Point, PointKind, Role};
use protocol::reading::Value;

use super::{COLON, Draft, Order, Verify, Write};
use crate::finding::{Findings, Place, nearest};
use crate::section::Placed;

/// Gives each device its commands; its points stand in [`Device::commands`] already.
pub(crate) fn assign(drafts: &[Draft], devices: &mut [Device], findings: &mut Findings) {
    let mut given: Vec<Vec<CommandSpec>> = vec![Vec::new(); devices.len()];
    for draft in drafts {
        let mut told = Told::default();
        for (device, given) in devices.iter().zip(&mut given) {
            if draft.is_for(device) {
                given.extend(draft.on(device, &mut told));
            }
        }
        told.pass_on(findings);
        check_home(draft, devices, findings);
    }
    devices.iter_mut().zip(given).for_each(|(device, given)| put_first(device, given));
}

/// The points come behind, where their names are free.
fn put_first(device: &mut Device, configured: Vec<CommandSpec>) {
    let points = std::mem::replace(&mut device.commands, configured);
    let is_free =
        |point: &CommandSpec| device.command(&point.name).is_none() && !point.name.contains(COLON);
    let own: Vec<_> = points.into_iter().filter(is_free).collect();
    device.commands.extend(own);
}

impl Draft {
    fn is_for(&self, device: &Device) -> bool {
        match (&self.devices, &self.order) {
            // That it has no points has been said.
            (_, Order::Write(_)) if device.points.is_empty() => false,
            (Some(listed), _) => listed.value.contains(&device.id),
            (None, Order::Write(write)) => device.point(&write.point.value).is_some(),
            (None, _) => true,
        }
    }

    fn on(&self, device: &Device, told: &mut Told) -> Option<CommandSpec> {
        let action = match &self.order {
            Order::PollInterval => CommandAction::PollInterval,
            Order::SetClock { address } => CommandAction::SetClock { address: *address },
            Order::Write(write) => write.on(&mut Desk { device, told })?,
        };
        let (title, risk) = (self.title.clone(), self.risk);
        Some(CommandSpec { name: self.name.value.clone(), title, risk, action })
    }
}

impl Write {
    /// Checks the proof, too, where the target is wrong.
    fn on(&self, desk: &mut Desk<'_>) -> Option<CommandAction> {
        let target = desk.point("point", &self.point);
        let target = target.filter(|point| desk.takes_orders(point, &self.point.place));
        let value = match (&self.value, target) {
            (Some(value), Some(point)) => desk.fits("value", value, point).map(Setting::Fixed),
            (Some(_), None) => None,
            (None, _) => Some(Setting::Param),
        };
        let verify = match &self.verify {
            Verify::Code(place) => desk.has_codes(place).then_some(Check::Code),
            Verify::Other { point, value } => desk
                .point("verify", point)
                .and_then(|point| desk.fits("verify_value", value, point))
                .map(|value| Check::Other { point: point.value.clone(), value }),
            Verify::Same => Some(Check::Same),
        };
        let point = target?.key.clone();
        Some(CommandAction::Write { point, value: value?, verify: verify? })
    }
}

/// A command that no device can carry out was meant for one that can.
fn check_home(draft: &Draft, devices: &[Device], findings: &mut Findings) {
    let Order::Write(write) = &draft.order else { return };
    let point = &write.point;
    let keys = || devices.iter().flat_map(|device| &device.points).map(|point| &point.key);
    let is_there = keys().any(|key| *key == point.value);
    if draft.devices.is_none() && !is_there && keys().next().is_some() {
        let text = format!("`point`: no device has a point `{}`", point.value);
        let near = nearest(point.value.as_str(), keys().map(PointKey::as_str));
        findings.mistake(&point.place, format!("{text}{near}"));
    }
}

/// One command held against one device.
struct Desk<'a> {
    device: &'a Device,
    told: &'a mut Told,
}

impl<'a> Desk<'a> {
    fn point(&mut self, key: &str, wanted: &Placed<PointKey>) -> Option<&'a Point> {
        let device = self.device;
        let found = device.point(&wanted.value);
        if found.is_none() {
            let keys = device.points.iter().map(|point| point.key.as_str());
            let near = nearest(wanted.value.as_str(), keys);
            let text = format!("`{key}`: there is no point `{}`{near}", wanted.value);
            self.mistake(&wanted.place, text);
        }
        found
    }

    fn takes_orders(&mut self, point: &Point, place: &Place) -> bool {
        let key = &point.key;
        let why = match point.kind {
            PointKind::Telemetry | PointKind::Signal => "is neither of type C nor A",
            _ if self.device.command(key.as_str()).is_none() => "is not writable",
            _ => return true,
        };
        self.mistake(place, format!("`point`: `{key}` {why}"));
        false
    }

    fn fits(&mut self, key: &str, value: &Placed<Value>, point: &Point) -> Option<Value> {
        let wrong = mismatch(value.value, point);
        if let Some(wrong) = &wrong {
            let text = format!("`{key}` must be {wrong} for `{}`, not {}", point.key, value.value);
            self.mistake(&value.place, text);
        }
        wrong.is_none().then_some(value.value)
    }

    fn has_codes(&mut self, place: &Place) -> bool {
        let has_code =
            |point: &Point| matches!(point.role, Role::Alarm(Some(_)) | Role::Fault(Some(_)));
        let has_codes = self.device.points.iter().any(has_code);
        if !has_codes {
            self.mistake(place, "`verify` is a code, but no point has a `fault_code`".into());
        }
        has_codes
    }

    fn mistake(&mut self, place: &Place, text: String) {
        let devices = self.told.0.entry((place.clone(), text)).or_default();
        devices.push(self.device.id.clone());
    }
}

/// What the point would take in place of this value.
fn mismatch(value: Value, point: &Point) -> Option<String> {
    match (value, point.is_switch()) {
        (Value::Switch(_), true) => None,
        (_, true) => Some("\"ON\" or \"OFF\"".into()),
        (Value::Switch(_), false) => Some("a number".into()),
        (Value::Number(number), false) => {
            let (low, high) = (point.min, point.max);
            let is_outside =
                low.is_some_and(|low| number < low) || high.is_some_and(|high| number > high);
            is_outside.then(|| range(low, high))
        }
    }
}

fn range(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("{low} or more"),
        (None, Some(high)) => format!("{high} or less"),
        (None, None) => "a number".into(),
    }
}

/// The mistakes of one command, each once, with the devices on which it is one.
#[derive(Default)]
struct Told(BTreeMap<(Place, String), Vec<DeviceId>>);

impl Told {
    fn pass_on(self, findings: &mut Findings) {
        for ((place, text), devices) in self.0 {
            let others = match devices.len() {
                0 | 1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            let first = devices.first().map(DeviceId::as_str).unwrap_or_default();
            findings.mistake(&place, format!("{text} ({first}{others})"));
        }
    }
}
