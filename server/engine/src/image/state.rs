//! What follows from a device's readings and its reach: status, fault codes, and the facts of which
//! a change is a key event.

use std::collections::BTreeSet;

use protocol::device::{DeviceStatus, Links, Peer};
use protocol::id::FaultCode;
use protocol::point::{Device, Role};
use protocol::reading::{Reading, Value};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    pub(super) status: DeviceStatus,
    pub(super) codes: BTreeSet<FaultCode>,
    pub(super) links: Links,
}

impl State {
    pub(super) fn of(device: &Device, readings: &[Reading], links: Links) -> Self {
        let mut status = DeviceStatus::Working;
        let mut codes = BTreeSet::new();
        let on =
            device.points.iter().zip(readings).filter(|(_, r)| r.value.is_some_and(Value::is_on));
        for (point, _) in on {
            status = status.max(claim(&point.role));
            codes.extend(code(&point.role).cloned());
        }
        if !links.board {
            status = DeviceStatus::Fault;
            codes.insert(board_lost());
        }
        Self { status, codes, links }
    }

    /// The facts that can be told now, as `what` and value (S0-44). A point that was never read
    /// says nothing, nor does a board that has not had all its chances to answer.
    pub(super) fn facts(
        &self,
        device: &Device,
        readings: &[Reading],
        is_lost: bool,
    ) -> Vec<(String, String)> {
        let points = || device.points.iter().zip(readings);
        let is_read = |concerns: &dyn Fn(&Role) -> bool| {
            points().filter(|(point, _)| concerns(&point.role)).all(|(_, r)| r.value.is_some())
        };
        let key_points = points().filter(|(point, _)| point.key_event);
        let told = |(point, reading): (&protocol::point::Point, &Reading)| {
            Some((format!("point/{}", point.key), reading.value?.to_string()))
        };
        let mut facts: Vec<_> = key_points.filter_map(told).collect();
        if is_lost || self.links.board && is_read(&|role| *role != Role::None) {
            facts.push(("device_status".into(), self.status.to_string()));
        }
        for known in codes(device) {
            let is_on = self.codes.contains(known);
            if is_on || is_read(&|role| code(role) == Some(known)) {
                facts.push((format!("fault_code/{known}"), Value::Switch(is_on).to_string()));
            }
        }
        self.reach(is_lost, &mut facts);
        facts
    }

    fn reach(&self, is_lost: bool, facts: &mut Vec<(String, String)>) {
        let is_decided = is_lost || self.links.board;
        if is_decided {
            let is_on = Value::Switch(self.codes.contains(&board_lost()));
            facts.push((format!("fault_code/{BOARD_LOST}"), is_on.to_string()));
        }
        for peer in Peer::ALL.into_iter().filter(|peer| *peer != Peer::Board || is_decided) {
            facts.push((format!("link/{peer}"), self.links.reaches(peer).to_string()));
        }
    }
}

/// The fault codes that points of the device stand for, but for that of its reach.
fn codes(device: &Device) -> BTreeSet<&FaultCode> {
    let codes = device.points.iter().filter_map(|point| code(&point.role));
    codes.filter(|code| code.as_str() != BOARD_LOST).collect()
}

fn code(role: &Role) -> Option<&FaultCode> {
    match role {
        Role::Alarm(code) | Role::Fault(code) => code.as_ref(),
        Role::None | Role::Testing => None,
    }
}

fn claim(role: &Role) -> DeviceStatus {
    match role {
        Role::None => DeviceStatus::Working,
        Role::Testing => DeviceStatus::Testing,
        Role::Alarm(_) => DeviceStatus::Alarm,
        Role::Fault(_) => DeviceStatus::Fault,
    }
}

fn board_lost() -> FaultCode {
    BOARD_LOST.parse().expect("a code of ours is an identifier")
}

/// The fault code of a board that cannot be reached (domain facts, B0).
const BOARD_LOST: &str = "E030";
