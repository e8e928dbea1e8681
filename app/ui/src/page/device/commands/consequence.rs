//! What a command does to its device, in a sentence.

use protocol::command::{Check, CommandAction, CommandSpec, Setting};
use protocol::id::PointKey;
use protocol::point::Device;

use crate::choice::Language;
use crate::format;
use crate::text_commands as words;
use crate::view::reading::name;

/// `写入 远方启动 = ON, 以 工作模式 = 4 确认`; `shown` is the value that the operator chose.
pub(super) fn of(device: &Device, spec: &CommandSpec, shown: &str, language: Language) -> String {
    match &spec.action {
        CommandAction::Forward => words::FORWARDS.of(language).into(),
        CommandAction::PollInterval => words::CHANGES_PACE.of(language).into(),
        CommandAction::SetClock { .. } => words::SETS_CLOCK.of(language).into(),
        CommandAction::Write { point, value, verify } => {
            let written = match value {
                Setting::Fixed(value) => value_of(device, point, *value),
                Setting::Param => with_unit(device, point, shown),
            };
            let writes = words::writes(language, &called(device, point, language), &written);
            match verify {
                Check::Other { point, value } => {
                    let value = value_of(device, point, *value);
                    let proves = words::proves(language, &called(device, point, language), &value);
                    format!("{writes}, {proves}")
                }
                Check::Code | Check::Same => writes,
            }
        }
    }
}

fn called(device: &Device, key: &PointKey, language: Language) -> String {
    device.point(key).map_or_else(|| key.to_string(), |p| name(&p.name, language).to_owned())
}

fn value_of(device: &Device, key: &PointKey, value: protocol::reading::Value) -> String {
    let decimals = device.point(key).map_or(1, |point| point.decimals);
    with_unit(device, key, &format::value(value, decimals))
}

fn with_unit(device: &Device, key: &PointKey, value: &str) -> String {
    let unit = device.point(key).map(|point| point.unit.as_str()).unwrap_or_default();
    format!("{value} {unit}").trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_consequence_names_what_is_written_and_what_shows_it() {
        let device = sample::plant().devices.remove(0);
        let said = |name: &str, shown, language| {
            of(&device, device.command(name).unwrap(), shown, language)
        };
        let start = "写入 远方启动 = ON, 以 工作模式 = 4 确认";
        assert_eq!(said("START", "", Language::Zh), start);
        let threshold = "Writes Temperature threshold = 32.0 °C";
        assert_eq!(said("SET_TEMP_THRESHOLD", "32.0", Language::En), threshold);
        assert!(said("SET_CLOCK", "", Language::En).contains("time"));
    }
}
