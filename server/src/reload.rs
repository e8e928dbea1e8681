//! Takes up a configuration that was read again: hands on what applies at once.

use std::time::Duration;

use config::Configuration;
use config::changes::{Changes, compare};
use protocol::id::ChannelId;

/// Hands on the poll intervals that are new in the configuration as it was read again.
pub(crate) fn take_up(
    running: &mut Configuration,
    read: anyhow::Result<Configuration>,
    apply: impl Fn(ChannelId, Duration),
) {
    match read {
        Ok(read) => adopt(running, &read, apply),
        Err(error) => tracing::error!("everything stays as it is: {error:#}"),
    }
}

fn adopt(running: &mut Configuration, read: &Configuration, apply: impl Fn(ChannelId, Duration)) {
    let Changes { intervals, waiting } = compare(running, read);
    for config in &mut running.channels {
        if let Some(interval) = intervals.get(&config.id) {
            let channel = config.id;
            tracing::info!(%channel, "channel {channel} is polled every {interval:?} now");
            config.poll_interval = *interval;
            apply(channel, *interval);
        }
    }
    if !waiting.is_empty() {
        let keys = waiting.join(", ");
        tracing::warn!(%keys, "changed, but only a restart makes it so: {keys}");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::demo;

    fn sample(variables: &[(&str, &str)]) -> Configuration {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables: Vec<_> = variables.iter().map(own).collect();
        config::read(&demo::source(), &variables, Vec::new()).unwrap()
    }

    #[test]
    fn a_new_poll_interval_is_handed_on_once() {
        // S0-11
        let mut running = sample(&[]);
        let changed = sample(&[
            ("GAPLESS__CHANNEL__2__POLL_INTERVAL", "200ms"),
            ("GAPLESS__CHANNEL__1__PORT", "1502"),
        ]);
        let told = RefCell::new(Vec::new());
        let tell = |channel, interval| told.borrow_mut().push((channel, interval));
        adopt(&mut running, &changed, tell);
        adopt(&mut running, &changed, tell);
        assert_eq!(told.take(), [(ChannelId(2), Duration::from_millis(200))]);
    }
}
