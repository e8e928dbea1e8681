//! What another configuration means for a server that runs: poll intervals apply at once, all else
//! at the next start.

use std::collections::BTreeMap;
use std::time::Duration;

use field::slave::SlaveMap;
use protocol::command::CommandSpec;
use protocol::id::ChannelId;
use protocol::point::Device;

use crate::{Configuration, Setting};

/// What is another than before.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Changes {
    pub intervals: BTreeMap<ChannelId, Duration>,
    /// The keys that wait for a restart.
    pub waiting: Vec<String>,
}

/// How often each channel is polled.
pub fn poll_intervals(configuration: &Configuration) -> BTreeMap<ChannelId, Duration> {
    configuration.channels.iter().map(|config| (config.id, config.poll_interval)).collect()
}

/// What changed from the running configuration to the one that was read now.
pub fn compare(running: &Configuration, read: &Configuration) -> Changes {
    let before = poll_intervals(running);
    let mut intervals = poll_intervals(read);
    intervals.retain(|id, interval| before.get(id).is_some_and(|known| known != interval));
    let mut waiting = changed_settings(&running.settings, &read.settings);
    if running.integrity.key != read.integrity.key {
        waiting.push("integrity.key".into());
    }
    if running.integrity.previous_key != read.integrity.previous_key {
        waiting.push("integrity.previous_key".into());
    }
    if running.tls != read.tls {
        waiting.push("tls".into());
    }
    if running.metrics.token != read.metrics.token {
        waiting.push("metrics.token".into());
    }
    if running.uplink != read.uplink {
        waiting.push("uplink".into());
    }
    if running.edges != read.edges {
        waiting.push("edge".into());
    }
    if map(running) != map(read) {
        waiting.push("pscada.map".into());
    }
    if points(running) != points(read) {
        waiting.push("points".into());
    }
    waiting.sort();
    waiting.dedup();
    Changes { intervals, waiting }
}

fn changed_settings(before: &[Setting], after: &[Setting]) -> Vec<String> {
    let values = |settings: &[Setting]| -> BTreeMap<String, String> {
        let waits = settings.iter().filter(|setting| !setting.key.ends_with(".poll_interval"));
        waits.map(|setting| (setting.key.clone(), setting.value.clone())).collect()
    };
    let (before, after) = (values(before), values(after));
    let keys = before.keys().chain(after.keys());
    keys.filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

/// All that the map of PSCADA said.
fn map(configuration: &Configuration) -> Option<&SlaveMap> {
    configuration.pscada.as_ref().map(|pscada| &pscada.rules.map)
}

/// All that the point table said.
fn points(configuration: &Configuration) -> impl PartialEq {
    let devices = &configuration.plant.devices;
    let points = devices.iter().map(|device| (device.points.clone(), orders(device)));
    let targets = configuration.channels.iter().flat_map(|config| config.targets.clone());
    let mappings = targets.map(|target| (target.mappings, target.feedback));
    (points.collect::<Vec<_>>(), mappings.collect::<Vec<_>>())
}

/// What writes to a point under its own name.
fn orders(device: &Device) -> Vec<CommandSpec> {
    let is_point = |name: &str| device.points.iter().any(|point| point.key.as_str() == name);
    device.commands.iter().filter(|command| is_point(&command.name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PointTable, Source, read};

    /// The sample that the documentation shows.
    fn sample(variables: &[(&str, &str)]) -> Configuration {
        let source = Source {
            name: "gapless.toml".into(),
            text: include_bytes!("../../gapless.toml").into(),
            points: PointTable::Embedded(include_bytes!("../../points.csv")),
        };
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables: Vec<_> = variables.iter().map(own).collect();
        read(&source, &variables, Vec::new()).unwrap()
    }

    #[test]
    fn only_poll_intervals_apply_without_a_restart() {
        // S0-11
        let changed = sample(&[
            ("GAPLESS__CHANNEL__2__POLL_INTERVAL", "200ms"),
            ("GAPLESS__CHANNEL__1__PORT", "1502"),
            ("GAPLESS__INTEGRITY__KEY", "a key of many characters"),
            ("GAPLESS__METRICS__TOKEN", "a-token-of-many-characters"),
        ]);
        let changes = compare(&sample(&[]), &changed);
        let fast = (ChannelId(2), Duration::from_millis(200));
        assert_eq!(changes.intervals, BTreeMap::from([fast]));
        assert_eq!(changes.waiting, ["channel[1].port", "integrity.key", "metrics.token"]);
    }

    #[test]
    fn nothing_changed_is_nothing_to_do() {
        assert_eq!(compare(&sample(&[]), &sample(&[])), Changes::default());
    }

    #[test]
    fn other_points_wait_for_a_restart() {
        let (running, mut read) = (sample(&[]), sample(&[]));
        read.channels[0].targets[0].mappings[0].scale = 2.0;
        assert_eq!(compare(&running, &read).waiting, ["points"]);
    }
}
