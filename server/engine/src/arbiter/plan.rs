//! What an order comes down to on its device, if it can be carried out at all.

use std::ops::RangeInclusive;
use std::time::Duration;

use protocol::command::{Check, CommandAction, CommandSpec, Failure, Order, Setting};
use protocol::id::{ChannelId, DeviceId, PointKey};
use protocol::job::Task;
use protocol::point::{Device, Point, Role};
use protocol::reading::Value;
use protocol::time::Timestamp;

/// How an order is carried out, and what it changes.
#[derive(Debug)]
pub(super) struct Plan {
    pub task: Task,
    pub targets: Vec<Target>,
    /// The point that shows the effect, by its place in the device.
    pub verify: Option<usize>,
    pub needs_board: bool,
}

/// Why an order cannot be carried out, whatever the moment.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    MissingParam,
    Failed(Failure, String),
}

/// What an order changes: two orders with one target contradict each other.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Target {
    Clock(DeviceId),
    Faults(DeviceId),
    /// Whatever a command of this name changes, further down.
    Command(DeviceId, String),
    Pace(ChannelId),
    Point(DeviceId, PointKey),
}

/// Reads an order in the words of its device, whose clock shows the time of `zone`; it is `at` now.
pub(super) fn plan(
    device: &Device,
    order: &Order,
    zone: &str,
    at: Timestamp,
) -> Result<Plan, Refusal> {
    let spec = device.command(&order.command);
    let spec = spec.ok_or_else(|| {
        let detail = format!("{} has no command `{}`", device.id, order.command);
        Refusal::Failed(Failure::NotSupported, detail)
    })?;
    let param = order.param.as_deref();
    if param.is_none() && spec.needs_param() {
        return Err(Refusal::MissingParam);
    }
    match &spec.action {
        CommandAction::Forward => Ok(Plan {
            task: Task::Forward { command: order.command.clone(), param: order.param.clone() },
            targets: vec![Target::Command(device.id.clone(), order.command.clone())],
            verify: None,
            needs_board: true,
        }),
        CommandAction::PollInterval => pace(device, param),
        CommandAction::SetClock { address } => Ok(Plan {
            task: Task::SetClock {
                address: *address,
                zone: zone.into(),
                ahead_ms: ahead(param, at)?,
            },
            targets: vec![Target::Clock(device.id.clone())],
            verify: None,
            needs_board: true,
        }),
        CommandAction::Write { point, value, verify } => {
            write(device, spec, (point, *value, verify), param)
        }
    }
}

/// By how much the time that is ordered is ahead of ours: PSCADA may know better.
fn ahead(param: Option<&str>, at: Timestamp) -> Result<i64, Refusal> {
    let Some(text) = param else { return Ok(0) };
    let wanted = text.parse::<u64>().ok().filter(|millis| CLOCKS.contains(millis));
    let wanted = wanted.ok_or_else(|| {
        invalid(format!("`{text}` is no time in milliseconds since 1970 that a board can show"))
    })?;
    Ok(wanted.cast_signed().saturating_sub_unsigned(at.as_millis()))
}

/// S0-19: a number of seconds.
fn pace(device: &Device, param: Option<&str>) -> Result<Plan, Refusal> {
    let seconds = number(param.unwrap_or_default())?;
    let allowed = SHORTEST_POLL.as_secs_f64()..=LONGEST_POLL.as_secs_f64();
    if !allowed.contains(&seconds) {
        let detail = format!("a poll interval is {} to {} s", allowed.start(), allowed.end());
        return Err(invalid(detail));
    }
    let millis = (seconds * 1000.0).round() as u64;
    Ok(Plan {
        task: Task::Pace(Duration::from_millis(millis)),
        targets: vec![Target::Pace(device.channel)],
        verify: None,
        needs_board: false,
    })
}

fn write(
    device: &Device,
    spec: &CommandSpec,
    (key, setting, check): (&PointKey, Setting, &Check),
    param: Option<&str>,
) -> Result<Plan, Refusal> {
    let (place, point) = find(device, spec, key)?;
    let value = match setting {
        Setting::Fixed(value) => value,
        Setting::Param => read(point, param.unwrap_or_default())?,
    };
    let (verify, expected) = match check {
        Check::Same => (place, value),
        Check::Other { point, value } => (find(device, spec, point)?.0, *value),
        Check::Code => (fault(device, param.unwrap_or_default())?, Value::Switch(false)),
    };
    let task = Task::Write { point: place, value, verify, expected };
    Ok(Plan { task, targets: changed_by(device, key), verify: Some(verify), needs_board: true })
}

/// What a write to this point changes: the point, and whatever shows the effect of any command that
/// writes it. So a command and the point behind it stand in each other's way (S0-28).
fn changed_by(device: &Device, written: &PointKey) -> Vec<Target> {
    let of = |key: &PointKey| Target::Point(device.id.clone(), key.clone());
    let proofs = device.commands.iter().filter_map(|spec| match &spec.action {
        CommandAction::Write { point, verify, .. } if point == written => Some(verify),
        _ => None,
    });
    let shown = proofs.filter_map(|proof| match proof {
        Check::Same => None,
        Check::Other { point, .. } => Some(of(point)),
        Check::Code => Some(Target::Faults(device.id.clone())),
    });
    [of(written)].into_iter().chain(shown).collect()
}

fn find<'a>(
    device: &'a Device,
    spec: &CommandSpec,
    key: &PointKey,
) -> Result<(usize, &'a Point), Refusal> {
    let found = device.points.iter().enumerate().find(|(_, point)| point.key == *key);
    found.ok_or_else(|| {
        let detail = format!("`{}` needs the point `{key}`", spec.name);
        Refusal::Failed(Failure::NotSupported, detail)
    })
}

/// The point that tells of the fault with this code.
fn fault(device: &Device, code: &str) -> Result<usize, Refusal> {
    let tells = |point: &Point| match &point.role {
        Role::Alarm(Some(known)) | Role::Fault(Some(known)) => known.as_str() == code,
        _ => false,
    };
    let place = device.points.iter().position(tells);
    place.ok_or_else(|| invalid(format!("{} has no fault code `{code}`", device.id)))
}

/// A value as the point has it (S0-27).
fn read(point: &Point, text: &str) -> Result<Value, Refusal> {
    if point.is_switch() {
        return match text.to_ascii_uppercase().as_str() {
            "ON" | "1" | "TRUE" => Ok(Value::Switch(true)),
            "OFF" | "0" | "FALSE" => Ok(Value::Switch(false)),
            _ => Err(invalid(format!("`{}` is ON or OFF, not `{text}`", point.key))),
        };
    }
    let number = number(text)?;
    let is_low = point.min.is_some_and(|min| number < min);
    let is_high = point.max.is_some_and(|max| number > max);
    if is_low || is_high {
        return Err(invalid(format!("`{}` takes {}, not {number}", point.key, range(point))));
    }
    Ok(Value::Number(number).rounded(point.decimals))
}

fn range(point: &Point) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "…".into(), |end| end.to_string());
    format!("{} to {} {}", end(point.min), end(point.max), point.unit).trim_end().into()
}

/// A number that is one: neither infinite nor NaN.
fn number(text: &str) -> Result<f64, Refusal> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| invalid(format!("`{text}` is not a number")))
}

fn invalid(detail: String) -> Refusal {
    Refusal::Failed(Failure::InvalidParam, detail)
}

/// The years 2000 to 2047, which two digits and the low byte of the year both tell.
const CLOCKS: RangeInclusive<u64> = 946_684_800_000..=2_461_449_599_999;

/// What the field can keep up with.
const SHORTEST_POLL: Duration = Duration::from_millis(100);
const LONGEST_POLL: Duration = Duration::from_secs(10);
