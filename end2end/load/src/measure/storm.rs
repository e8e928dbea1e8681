//! All connections break at once: how long until the last client knows everything again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use link::{News, Notice, Session};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{ARRIVED_WITHIN, Plan, SETTLE};
use crate::client::{Setup, Watch};
use crate::plant::Shape;
use crate::stage::Stage;
use crate::swarm::{Swarm, is_whole};
use crate::{clock, http};

#[derive(Debug, Serialize)]
pub struct Storm {
    pub clients: usize,
    /// From the cut until the last client was whole again, in milliseconds.
    pub last_ms: f64,
    pub median_ms: f64,
    /// The wait before the first try is part of it: this much at most.
    pub first_try_within_ms: u64,
    pub resumed: usize,
    pub lost: u64,
    pub repaired: u64,
    /// How many clients were whole again after so many milliseconds.
    pub curve: Vec<(f64, usize)>,
}

/// Waits for the client to be whole again.
#[derive(Debug)]
struct Waiting {
    restored: Option<u64>,
    all: Arc<AtomicUsize>,
}

impl Watch for Waiting {
    fn heard(&mut self, _: &str, _: &Session, _: u64) {}

    fn told(&mut self, news: &News, _: &Session) {
        if let News::Notice(Notice::Restored { .. }) = news
            && self.restored.replace(clock::micros()).is_none()
        {
            self.all.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub async fn measure(plan: &Plan) -> anyhow::Result<Storm> {
    let stage = Stage::set(plan.program.clone(), Shape::plain(POINTS, POLL)).await?;
    let _server = stage.serve().await?;
    let _changing = stage.change_everything().await?;
    let (seal, all) = (http::seal(stage.address).await?, Arc::new(AtomicUsize::new(0)));
    let swarm = Swarm::start(plan.storm, |index| {
        let setup = Setup::new(stage.address, Shape::device(0), seal.clone(), index as u64);
        let watch = Waiting { restored: None, all: Arc::clone(&all) };
        (setup, watch)
    });
    let swarm = swarm.await;
    swarm.until("a table", ARRIVED_WITHIN, is_whole).await?;
    sleep(SETTLE).await;

    let cut = clock::micros();
    swarm.cut().await;
    let end = Instant::now() + GIVE_UP;
    while all.load(Ordering::Relaxed) < swarm.len() && Instant::now() < end {
        sleep(LOOK_AGAIN).await;
    }
    let times = swarm.look(|_, waiting| waiting.restored).await;
    let status = swarm.look(|session, _| session.status()).await;
    let missing = times.iter().filter(|time| time.is_none()).count();
    anyhow::ensure!(missing == 0, "{missing} clients are not whole again after {GIVE_UP:?}");
    let mut times: Vec<_> = times.into_iter().flatten().map(|at| millis_between(cut, at)).collect();
    times.sort_by(f64::total_cmp);
    Ok(Storm {
        clients: swarm.len(),
        last_ms: times.last().copied().unwrap_or_default(),
        median_ms: super::median(times.clone()),
        first_try_within_ms: 1_000,
        resumed: status.iter().filter(|status| status.reconnects == 1).count(),
        lost: status.iter().map(|status| status.lost).sum(),
        repaired: status.iter().map(|status| status.repaired).sum(),
        curve: curve(&times),
    })
}

/// A hundred places of a long line.
fn curve(times: &[f64]) -> Vec<(f64, usize)> {
    let step = times.len().div_ceil(100).max(1);
    let whole = times.iter().enumerate().map(|(index, time)| (*time, index + 1));
    whole.filter(|(_, count)| count % step == 0 || *count == times.len()).collect()
}

fn millis_between(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64 / 1_000.0
}

const POINTS: u16 = 20;
const POLL: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const GIVE_UP: Duration = Duration::from_secs(60);
