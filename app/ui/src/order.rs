//! What can be asked of a device: which value a command takes, what it changes, who holds that.

use protocol::command::{Check, CommandAction, CommandSpec, OrderLine, Origin, Setting};
use protocol::id::PointKey;
use protocol::point::{Device, Point};
use protocol::reading::Value;

use crate::format;

/// The value that a command takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    Nothing,
    /// One of the device's fault codes.
    Code,
    Switch,
    Number(Bounds),
}

/// Which numbers can be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub unit: String,
    pub decimals: u8,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// A value as it is shown, and as it goes over the wire.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wanted {
    pub shown: String,
    pub param: Option<String>,
}

/// What is wrong with what somebody typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wrong {
    Nothing,
    NotANumber,
    OutOfRange,
}

impl Input {
    pub(crate) fn of(device: &Device, spec: &CommandSpec) -> Self {
        match &spec.action {
            CommandAction::Write { point, value: Setting::Param, .. } => {
                device.point(point).map_or(Self::Nothing, Self::of_point)
            }
            CommandAction::Write { verify: Check::Code, .. } => Self::Code,
            CommandAction::PollInterval => Self::Number(Bounds { unit: SECONDS.into(), ..PACE }),
            CommandAction::Write { .. }
            | CommandAction::SetClock { .. }
            | CommandAction::Forward => Self::Nothing,
        }
    }

    fn of_point(point: &Point) -> Self {
        if point.is_switch() {
            return Self::Switch;
        }
        let (unit, decimals) = (point.unit.clone(), point.decimals);
        Self::Number(Bounds { unit, decimals, min: point.min, max: point.max })
    }

    /// Reads what somebody typed or chose.
    pub(crate) fn read(&self, text: &str) -> Result<Wanted, Wrong> {
        let text = text.trim();
        match self {
            Self::Nothing => Ok(Wanted { shown: String::new(), param: None }),
            _ if text.is_empty() => Err(Wrong::Nothing),
            Self::Code | Self::Switch => {
                Ok(Wanted { shown: text.into(), param: Some(text.into()) })
            }
            Self::Number(bounds) => bounds.read(text),
        }
    }

    /// Whether there is a field for it, and not a button for each value.
    pub(crate) fn is_typed(&self) -> bool {
        matches!(self, Self::Number(_))
    }

    pub(crate) fn unit(&self) -> &str {
        match self {
            Self::Number(bounds) => &bounds.unit,
            _ => "",
        }
    }
}

impl Bounds {
    fn read(&self, text: &str) -> Result<Wanted, Wrong> {
        // The page reads numbers already; `parse` would bring a reader of its own, and its tables.
        let number: f64 =
            serde_json::from_str(&text.replace(',', ".")).map_err(|_| Wrong::NotANumber)?;
        let is_low = self.min.is_some_and(|min| number < min);
        let is_high = self.max.is_some_and(|max| number > max);
        if is_low || is_high {
            return Err(Wrong::OutOfRange);
        }
        let value = Value::Number(number).rounded(self.decimals);
        let shown = format::value(value, self.decimals);
        Ok(Wanted { shown, param: Some(value.to_string()) })
    }

    /// `20 – 120 °C`; an end that is open has no number.
    pub(crate) fn ends(&self) -> String {
        let end = |end: Option<f64>| end.map_or_else(|| "…".to_owned(), |end| end.to_string());
        format!("{} – {} {}", end(self.min), end(self.max), self.unit).trim_end().into()
    }
}

/// The commands that the page of a device offers: a point that another command writes is not offered
/// again under its own name.
pub(crate) fn offered(device: &Device) -> Vec<&CommandSpec> {
    let is_named = |spec: &CommandSpec| match &spec.action {
        CommandAction::Write { point, .. } => spec.name != point.as_str(),
        _ => true,
    };
    let is_written = |point: &PointKey| {
        device.commands.iter().any(|other| written(other) == Some(point) && is_named(other))
    };
    let is_offered = |spec: &&CommandSpec| is_named(spec) || !written(spec).is_some_and(is_written);
    device.commands.iter().filter(is_offered).collect()
}

/// The point whose value a command sets, if it takes one.
pub(crate) fn subject<'a>(device: &'a Device, spec: &CommandSpec) -> Option<&'a Point> {
    match &spec.action {
        CommandAction::Write { point, value: Setting::Param, .. } => device.point(point),
        _ => None,
    }
}

/// Whether the value of a point stands beside the command that sets it.
pub(crate) fn is_subject(device: &Device, point: &Point) -> bool {
    let is_it = |spec: &&CommandSpec| subject(device, spec).is_some_and(|own| own.key == point.key);
    offered(device).iter().any(is_it)
}

/// Whether nothing can be done while the board is away.
pub(crate) fn needs_board(spec: &CommandSpec) -> bool {
    spec.action != CommandAction::PollInterval
}

/// The order of a higher origin that stands in the way of a command given here (S0-29).
pub(crate) fn holder<'a>(
    device: &Device,
    spec: &CommandSpec,
    orders: &'a [OrderLine],
) -> Option<&'a OrderLine> {
    let targets = targets(spec);
    let is_in_the_way = |line: &&OrderLine| {
        let other = device.command(&line.command).map(self::targets).unwrap_or_default();
        line.origin > Origin::Local && other.iter().any(|target| targets.contains(target))
    };
    orders.iter().filter(is_in_the_way).max_by_key(|line| (line.origin, line.until))
}

/// What a command changes; two that change the same contradict each other.
#[derive(Debug, PartialEq)]
enum Target<'a> {
    Clock,
    Faults,
    Named(&'a str),
    Pace,
    Point(&'a PointKey),
}

fn targets(spec: &CommandSpec) -> Vec<Target<'_>> {
    match &spec.action {
        CommandAction::Forward => vec![Target::Named(&spec.name)],
        CommandAction::PollInterval => vec![Target::Pace],
        CommandAction::SetClock { .. } => vec![Target::Clock],
        CommandAction::Write { point, verify, .. } => {
            let proof = match verify {
                Check::Same => None,
                Check::Code => Some(Target::Faults),
                Check::Other { point, .. } => Some(Target::Point(point)),
            };
            proof.into_iter().chain([Target::Point(point)]).collect()
        }
    }
}

fn written(spec: &CommandSpec) -> Option<&PointKey> {
    match &spec.action {
        CommandAction::Write { point, .. } => Some(point),
        _ => None,
    }
}

/// S0-19: what the field can keep up with, in seconds.
const PACE: Bounds = Bounds { unit: String::new(), decimals: 1, min: Some(0.1), max: Some(10.0) };

const SECONDS: &str = "s";

#[cfg(test)]
mod tests {
    use protocol::command::Stage;

    use super::*;
    use crate::sample::{self, NOW};

    fn device() -> Device {
        sample::plant().devices.remove(0)
    }

    fn line(command: &str, origin: Origin) -> OrderLine {
        OrderLine {
            command: command.into(),
            command_id: "c-1".into(),
            origin,
            param: None,
            since: NOW,
            stage: Stage::Holding,
            until: Some(NOW),
            user: "center".into(),
        }
    }

    #[test]
    fn what_is_typed_becomes_a_value_or_a_reason() {
        let device = device();
        let input = |name: &str| Input::of(&device, device.command(name).unwrap());
        let shown = |name: &str, text: &str| input(name).read(text).map(|wanted| wanted.shown);
        let threshold = "SET_TEMP_THRESHOLD";
        let table = [
            (threshold, "32", Ok("32.0")),
            (threshold, " 32,04 ", Ok("32.0")),
            (threshold, "", Err(Wrong::Nothing)),
            (threshold, "warm", Err(Wrong::NotANumber)),
            (threshold, "NaN", Err(Wrong::NotANumber)),
            (threshold, "1e999", Err(Wrong::NotANumber)),
            (threshold, "inf", Err(Wrong::NotANumber)),
            (threshold, "19.9", Err(Wrong::OutOfRange)),
            (threshold, "121", Err(Wrong::OutOfRange)),
            ("SET_POLL_INTERVAL", "2", Ok("2.0")),
            ("SET_POLL_INTERVAL", "11", Err(Wrong::OutOfRange)),
            ("RESET_ERROR", "E001", Ok("E001")),
            ("automatic", "ON", Ok("ON")),
            ("START", "anything", Ok("")),
        ];
        for (name, text, expected) in table {
            assert_eq!(shown(name, text), expected.map(String::from), "{name} {text}");
        }
        let wanted = input(threshold).read("32").unwrap();
        assert_eq!(wanted.param.as_deref(), Some("32"));
        assert_eq!(input("START").read("").unwrap().param, None);
    }

    #[test]
    fn a_point_is_offered_once() {
        let device = device();
        let names: Vec<_> = offered(&device).into_iter().map(|spec| spec.name.as_str()).collect();
        let expected = [
            "START",
            "STOP",
            "SET_TEMP_THRESHOLD",
            "RESET_ERROR",
            "SET_POLL_INTERVAL",
            "SET_CLOCK",
            "automatic",
        ];
        assert_eq!(names, expected, "SET_TEMP_THRESHOLD stands for its point");
        let is_subject =
            |key: &str| is_subject(&device, device.point(&key.parse().unwrap()).unwrap());
        assert!(is_subject("temp_threshold") && is_subject("automatic"));
        assert!(!is_subject("remote_on") && !is_subject("temperature"));
    }

    #[test]
    fn only_a_higher_origin_stands_in_the_way_of_the_same_target() {
        // S0-28, S0-29
        let device = device();
        let held = |name: &str, lines: &[OrderLine]| {
            holder(&device, device.command(name).unwrap(), lines).map(|line| line.origin)
        };
        let lines = [line("START", Origin::Pscada), line("SET_CLOCK", Origin::SystemServer)];
        assert_eq!(held("STOP", &lines), Some(Origin::Pscada), "both show in the work mode");
        assert_eq!(held("SET_CLOCK", &lines), Some(Origin::SystemServer));
        assert_eq!(held("SET_TEMP_THRESHOLD", &lines), None);
        assert_eq!(held("STOP", &[line("START", Origin::Local)]), None);
        assert_eq!(held("STOP", &[line("NOBODY", Origin::Pscada)]), None);
    }
}
