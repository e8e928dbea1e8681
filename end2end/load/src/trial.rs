//! What the trials share: clients with diaries on a small plant, and a verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use link::Policy;
use protocol::digest::Seal;
use protocol::time::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::client::Setup;
use crate::diary::Diary;
use crate::oracle::{Case, Seen};
use crate::plant::Shape;
use crate::stage::Stage;
use crate::swarm::Swarm;
use crate::truth::Truth;

/// How a trial ended.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    pub trial: &'static str,
    pub seed: u64,
    pub seconds: u64,
    pub clients: usize,
    /// What was done to them, and how often.
    pub blows: BTreeMap<&'static str, u64>,
    /// Key events, each counted once however many saw it.
    pub events: usize,
    pub reconnects: u64,
    pub frames_lost: u64,
    pub frames_repaired: u64,
    /// How often a client was told that something may be missing.
    pub told: usize,
    /// How often a restarted server knew a client again.
    pub resumed_after_restart: u64,
    /// Empty where everything is as it must be.
    pub complaints: Vec<String>,
}

/// A small plant with all that can happen in one.
pub(crate) fn shape() -> Shape {
    Shape {
        devices: 3,
        channels: 3,
        numbers: 12,
        switches: 12,
        key_switches: 4,
        faults: 4,
        settings: 0,
        poll_interval: Duration::from_millis(100),
        snapshot_interval: Duration::from_secs(5),
        name_length: 0,
    }
}

impl Stage {
    /// Starts clients that are spread over the devices and dial `address`.
    pub(crate) async fn clients(
        &self,
        count: usize,
        address: SocketAddr,
        seal: &Seal,
        seed: u64,
    ) -> Swarm<Diary> {
        let make = |index: usize| {
            let devices = usize::from(self.shape.devices.max(1));
            let device = Shape::device(u16::try_from(index % devices).unwrap_or(0));
            let seed = seed.wrapping_add(index as u64);
            let setup = Setup::new(address, device, seal.clone(), seed);
            (Setup { policy: impatient(), ..setup }, Diary::default())
        };
        Swarm::start(count, make).await
    }

    /// Waits until nothing is wrong any more; what still is after a long time stays wrong.
    pub(crate) async fn judge(
        &self,
        swarm: &Swarm<Diary>,
        truth: &Truth,
        kills: &[Timestamp],
        outcome: &mut Outcome,
    ) -> anyhow::Result<()> {
        let seal = crate::http::seal(self.address).await?;
        let devices = usize::from(self.shape.devices);
        let fresh = self.clients(devices, self.address, &seal, 0).await;
        let end = Instant::now() + CALM_WITHIN;
        loop {
            let (clients, fresh) = (swarm.look(Seen::of).await, fresh.look(Seen::of).await);
            let case = Case { truth, clients: &clients, fresh: &fresh, kills };
            outcome.complaints = case.complaints();
            if outcome.complaints.is_empty() || Instant::now() > end {
                outcome.sum_up(&clients);
                return Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

impl Outcome {
    pub(crate) fn strike(&mut self, blow: &'static str, times: usize) {
        let count = self.blows.entry(blow).or_default();
        *count = count.saturating_add(times as u64);
    }

    fn sum_up(&mut self, clients: &[Seen]) {
        let events = clients.iter().flat_map(|client| &client.diary.events);
        let ids: BTreeSet<_> = events.map(|event| &event.id).collect();
        let rejoined = |client: &Seen| client.diary.holes.len().saturating_sub(1);
        self.events = ids.len();
        self.clients = clients.len();
        self.reconnects = clients.iter().map(|client| u64::from(client.reconnects)).sum();
        self.frames_lost = clients.iter().map(|client| client.lost).sum();
        self.frames_repaired = clients.iter().map(|client| client.repaired).sum();
        self.told = clients.iter().map(rejoined).sum();
        self.resumed_after_restart =
            clients.iter().map(|client| u64::from(client.diary.restarts)).sum();
    }
}

/// The policy of a page, with shorter waits: more happens in a minute.
pub(crate) fn impatient() -> Policy {
    Policy {
        first_retry: (Duration::from_millis(20), Duration::from_millis(200)),
        retry: Duration::from_millis(300),
        tries: u32::MAX,
        ..Policy::native()
    }
}

/// Three heartbeats and more: what is not known by then is not coming.
const CALM_WITHIN: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
