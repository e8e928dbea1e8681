//! How often each channel is polled: what the configuration says, until a command says otherwise.

use std::collections::BTreeMap;
use std::time::Duration;

use config::Configuration;
use field::map::{ChannelConfig, check_poll_interval};
use protocol::id::ChannelId;
use tokio::sync::watch;

/// The pace of every channel. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Paces {
    channels: BTreeMap<ChannelId, Pace>,
    commands: store::Commands,
}

#[derive(Clone, Debug)]
struct Pace {
    /// What the configuration said at the start.
    configured: Duration,
    now: watch::Sender<Duration>,
}

/// Why a channel is polled as before.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PaceError {
    #[error("there is no channel {0}")]
    NoChannel(ChannelId),
    #[error("the new pace cannot be kept")]
    NotKept,
}

impl Paces {
    /// What is configured, or was ordered since: an order stands as long as the configuration says
    /// what it said then (S0-19).
    pub(crate) fn new(
        configuration: &Configuration,
        settings: &BTreeMap<String, store::Setting>,
        commands: store::Commands,
    ) -> Self {
        let pace = |config: &ChannelConfig| {
            let configured = config.poll_interval;
            let (kept, written) = (settings.get(&key(config.id)), written(configured));
            let in_force = read(store::setting_in_force(kept, &written));
            let in_force = in_force.filter(|pace| check_poll_interval(*pace).is_ok());
            let now = watch::Sender::new(in_force.unwrap_or(configured));
            (config.id, Pace { configured, now })
        };
        let mut channels: BTreeMap<_, _> = configuration.channels.iter().map(pace).collect();
        let of_edge = |edge: &config::Edge| {
            let (configured, now) = (config::EDGE_PACE, watch::Sender::new(config::EDGE_PACE));
            (edge.channel, Pace { configured, now })
        };
        channels.extend(configuration.edges.iter().map(of_edge));
        Self { channels, commands }
    }

    pub(crate) fn follow(&self, channel: ChannelId) -> Option<watch::Receiver<Duration>> {
        self.channels.get(&channel).map(|pace| pace.now.subscribe())
    }

    /// Each channel, and how often it is polled now.
    pub(crate) fn all(&self) -> BTreeMap<ChannelId, Duration> {
        self.channels.iter().map(|(id, pace)| (*id, *pace.now.borrow())).collect()
    }

    /// Polls a channel at another pace from now on, and pushes at the same (S0-11).
    pub(crate) fn set(&self, channel: ChannelId, interval: Duration) {
        if let Some(pace) = self.channels.get(&channel) {
            pace.now.send_replace(interval);
        }
    }

    /// As [`Paces::set`], and after a restart, too.
    pub(crate) async fn order(
        &self,
        channel: ChannelId,
        interval: Duration,
    ) -> Result<(), PaceError> {
        let pace = self.channels.get(&channel).ok_or(PaceError::NoChannel(channel))?;
        let (value, configured) = (written(interval), written(pace.configured));
        if !self.commands.set(&key(channel), &value, &configured).await {
            return Err(PaceError::NotKept);
        }
        pace.now.send_replace(interval);
        Ok(())
    }

    /// An order that came to nothing holds after a restart as little as before it.
    pub(crate) async fn keep_present(&self, channel: ChannelId) {
        if let Some(pace) = self.channels.get(&channel) {
            let (now, configured) = (written(*pace.now.borrow()), written(pace.configured));
            self.commands.set(&key(channel), &now, &configured).await;
        }
    }
}

fn key(channel: ChannelId) -> String {
    format!("channel/{channel}/poll_interval_ms")
}

fn written(interval: Duration) -> String {
    interval.as_millis().to_string()
}

fn read(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_millis)
}
