//! A thousand devices on one core: whether each is read on time, and what that costs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use link::{News, Session};
use protocol::stream::StreamName;
use serde::Serialize;
use tokio::time::sleep;

use super::{ARRIVED_WITHIN, Plan, SETTLE, millis, per_second};
use crate::client::{Setup, Watch};
use crate::ear::{DUE, stamp};
use crate::plant::Shape;
use crate::stage::Stage;
use crate::swarm::{Swarm, is_whole};
use crate::{cores, http};

#[derive(Debug, Serialize)]
pub struct ManyDevices {
    pub devices: u16,
    pub channels: u16,
    pub points: u16,
    pub poll_ms: u64,
    pub seconds: f64,
    /// Of the one core that the server has, in percent.
    pub core: f64,
    pub polls_per_second: f64,
    /// By how much the longest time between two polls of a device was too long.
    pub worst_lateness_ms: f64,
    /// The times come from the server's stamps, not from the arrival of the frames.
    pub is_stamped: bool,
    pub memory_bytes: u64,
}

/// When each device that a client follows was polled.
#[derive(Clone, Debug, Default)]
struct Polls(BTreeMap<String, Vec<u64>>);

impl Watch for Polls {
    fn heard(&mut self, text: &str, _: &Session, at: u64) {
        if text.ends_with("\"type\":\"DATA_UPDATE\"}") && !text.contains("\"recovered\":true") {
            let polls = self.0.entry(stream(text).into()).or_default();
            polls.push(stamp(text, DUE).unwrap_or(at));
        }
    }

    fn told(&mut self, _: &News, _: &Session) {}
}

/// The name of a frame's stream; empty for the client's own.
fn stream(text: &str) -> &str {
    let rest = text.rsplit_once("\"stream\":\"").map_or("", |(_, rest)| rest);
    rest.split_once('"').map_or("", |(name, _)| name)
}

pub async fn measure(plan: &Plan) -> anyhow::Result<ManyDevices> {
    let shape = Shape {
        devices: plan.devices,
        channels: plan.devices.div_ceil(UNITS).max(1),
        ..Shape::plain(POINTS, POLL)
    };
    let stage = Stage::set(plan.program.clone(), shape).await?;
    let _changing = stage.change_everything().await?;
    cores::leave_core(CORE)?;
    let measured = on_one_core(plan, &stage).await;
    cores::use_all_cores()?;
    measured
}

async fn on_one_core(plan: &Plan, stage: &Stage) -> anyhow::Result<ManyDevices> {
    let server = stage.serve_on(CORE).await?;
    let swarm = follow_all(stage).await?;
    swarm.until("a table", ARRIVED_WITHIN, is_whole).await?;
    sleep(SETTLE).await;

    swarm.look(|_, polls| polls.0.clear()).await;
    let (start, before) = (Instant::now(), server.usage()?);
    sleep(plan.period()).await;
    let (time, after) = (start.elapsed(), server.usage()?);
    let polls = swarm.look(|_, polls| std::mem::take(&mut polls.0)).await;
    let polls: Vec<_> = polls.into_iter().flat_map(BTreeMap::into_values).collect();
    Ok(ManyDevices {
        devices: stage.shape.devices,
        channels: stage.shape.channels,
        points: POINTS,
        poll_ms: millis(POLL),
        seconds: time.as_secs_f64(),
        core: after.share(before, time),
        polls_per_second: per_second(polls.iter().map(|times| times.len() as u64).sum(), time),
        worst_lateness_ms: worst(&polls),
        is_stamped: plan.program.stamps,
        memory_bytes: after.memory,
    })
}

/// A few clients that follow all devices between them: the load is the polling.
async fn follow_all(stage: &Stage) -> anyhow::Result<Swarm<Polls>> {
    let seal = http::seal(stage.address).await?;
    let devices: Vec<_> = stage.shape.devices().collect();
    let shares: Vec<_> = devices.chunks(STREAMS).collect();
    let swarm = Swarm::start(shares.len(), |index| {
        let setup = Setup::new(stage.address, shares[index][0].clone(), seal.clone(), index as u64);
        let want: BTreeSet<_> = shares[index].iter().cloned().map(StreamName::Device).collect();
        (Setup { want, ..setup }, Polls::default())
    });
    Ok(swarm.await)
}

fn worst(polls: &[Vec<u64>]) -> f64 {
    let poll = u64::try_from(POLL.as_micros()).unwrap_or(u64::MAX);
    let gaps = polls.iter().flat_map(|times| times.windows(2));
    let late = gaps.map(|pair| pair[1].saturating_sub(pair[0]).saturating_sub(poll));
    late.max().unwrap_or_default() as f64 / 1_000.0
}

const POINTS: u16 = 20;
const POLL: Duration = Duration::from_secs(1);

/// The core that the server has for itself.
const CORE: usize = 0;

/// Devices on one channel.
const UNITS: u16 = 50;

/// A connection carries 64 streams at most.
const STREAMS: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_what_a_gap_is_longer_than_a_poll() {
        let polls = [vec![0, 1_000_000, 2_040_000], vec![5, 1_000_004], vec![]];
        assert_eq!(worst(&polls), 40.0);
    }

    #[test]
    fn a_frame_names_its_stream_behind_the_data() {
        assert_eq!(stream("{\"seq\":1,\"stream\":\"device/d7\",\"timestamp\":1}"), "device/d7");
        assert_eq!(stream("{\"seq\":1}"), "");
    }
}
