//! An operator's orders: from the client, over the disk, to the board and back with what was read.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use link::{News, Progress, Session};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::{ARRIVED_WITHIN, Plan, SETTLE};
use crate::client::{Client, Setup, Watch};
use crate::latency::{Distribution, Latencies};
use crate::plant::Shape;
use crate::stage::Stage;
use crate::{clock, http};

#[derive(Debug, Serialize)]
pub struct Orders {
    pub given: usize,
    pub done: usize,
    /// Why the others were not, such as a disk that did not take the intent in time.
    pub failures: Vec<String>,
    /// From the giving of an order to its answer, the read-back included.
    pub answered_ms: Option<Distribution>,
}

/// When each order was given, and how long its answer took.
#[derive(Debug, Default)]
struct Operator {
    sent: BTreeMap<String, u64>,
    took: Vec<u64>,
    failed: Vec<String>,
}

impl Watch for Operator {
    fn heard(&mut self, _: &str, _: &Session, _: u64) {}

    fn told(&mut self, news: &News, _: &Session) {
        let News::Command { id, progress } = news else { return };
        match progress {
            Progress::Sent => drop(self.sent.insert(id.clone(), clock::micros())),
            Progress::Done(result) if result.reason.is_none() => {
                let sent = self.sent.remove(id);
                self.took.extend(sent.map(|sent| clock::micros().saturating_sub(sent)));
            }
            Progress::Resent => {}
            Progress::Done(result) => {
                let reason = result.reason.map(|reason| reason.to_string());
                self.failed.extend(reason);
            }
            other => self.failed.push(format!("{other:?}")),
        }
    }
}

pub async fn measure(plan: &Plan) -> anyhow::Result<Orders> {
    let shape = Shape { settings: 1, ..Shape::plain(POINTS, POLL) };
    let stage = Stage::set(plan.program.clone(), shape).await?;
    let server = stage.serve().await?;
    let seal = http::seal(server.address).await?;
    let setup = Setup::new(server.address, Shape::device(0), seal, 1);
    let client = Client::start(setup, Operator::default());
    becomes_live(&client).await?;
    sleep(SETTLE).await;

    let mut pace = interval(PAUSE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (end, mut given) = (Instant::now() + plan.period(), 0);
    while Instant::now() < end {
        pace.tick().await;
        given += 1;
        // Another value each time: the read-back has something to tell.
        let value = (given % 1_000).to_string();
        client.order(given.to_string(), Shape::setting_key(0), Some(value)).await;
    }
    sleep(SETTLE).await;
    let told = client.look(|_, operator| std::mem::take(operator)).await;
    let Operator { took, failed: failures, .. } = told.context("the client has left")?;
    let mut latencies = Latencies::default();
    let done = took.len();
    latencies.extend(took);
    client.leave().await;
    Ok(Orders { given, done, failures, answered_ms: latencies.distribution() })
}

/// Waits until the client knows of its board, which takes a poll.
async fn becomes_live(client: &Client<Operator>) -> anyhow::Result<()> {
    let end = Instant::now() + ARRIVED_WITHIN;
    let is_reached = |session: &Session, _: &mut Operator| {
        let device = session.status().device;
        let table = session.table(&protocol::stream::StreamName::Device(device));
        table.and_then(|table| table.links).is_some_and(|links| links.board)
    };
    while !client.look(is_reached).await.context("the client has left")? {
        anyhow::ensure!(Instant::now() < end, "the board is not reached");
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

const POINTS: u16 = 40;
const POLL: Duration = Duration::from_secs(1);

/// A client may say twenty frames a second, and beats beside.
const PAUSE: Duration = Duration::from_millis(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
