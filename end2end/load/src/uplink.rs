//! The trial of the uplink: an edge and its center whose line is cut, with orders from both sides.

mod audit;
mod history;
mod twins;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use protocol::time::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::chance::Chance;
use crate::client::Setup;
use crate::giver::{Book, Giver};
use crate::plant::Shape;
use crate::program::Program;
use crate::proxy::Fault;
use crate::trial::impatient;
use crate::truth::Truth;
use crate::{clock, http, trial};
use audit::Tally;
use twins::{End, Twins};

/// How long, how long the line is cut, and what decides the rest.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seconds: u64,
    pub cut: u64,
    pub seed: u64,
}

/// How the trial ended.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    pub trial: &'static str,
    pub seed: u64,
    pub seconds: u64,
    pub cut: u64,
    /// What was done to them, and how often.
    pub blows: BTreeMap<&'static str, u64>,
    /// Rows of the edge's history at the center.
    pub rows: usize,
    /// Orders that were given at the center, and what came of them.
    pub from_center: Tally,
    pub from_edge: Tally,
    /// Empty where everything is as it must be.
    pub complaints: Vec<String>,
}

/// A time in which one of them was not there, or just come back. In microseconds.
#[derive(Clone, Copy, Debug)]
struct Absence {
    end: End,
    from: u64,
    to: u64,
    /// When it was killed, by the wall clock.
    killed_at: Timestamp,
}

/// Runs the trial; the same seed makes the same choices, though not the same moments.
pub async fn run(program: Program, plan: Plan) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome { trial: "uplink", ..Outcome::default() };
    (outcome.seed, outcome.seconds, outcome.cut) = (plan.seed, plan.seconds, plan.cut);
    let chance = Chance::new(plan.seed);
    let mut twins = Twins::start(program, shape()).await?;
    twins.becomes_whole(ARRIVED_WITHIN).await?;
    let script = twins.play(chance.child(1)).await?;
    let (above, below) = givers(&twins, &chance).await?;

    let absences = weather(&mut twins, plan, chance.child(2), &mut outcome).await?;
    sleep(AFTER_THE_LAST).await;
    let (above, below) = (books(above).await?, books(below).await?);
    let truth = script.end().await?;
    twins.calm().await;
    judge(&twins, &truth, (&above, &below), &absences, &mut outcome).await?;
    Ok(outcome)
}

/// A small plant with key events and two settings: one that the center sets, one the edge's operator.
fn shape() -> Shape {
    Shape { devices: 2, channels: 2, settings: 2, ..trial::shape() }
}

/// Somebody for each device, at the center and at the edge.
async fn givers(twins: &Twins, chance: &Chance) -> anyhow::Result<(Vec<Giver>, Vec<Giver>)> {
    let values = Arc::new(AtomicU16::new(1));
    let (mut above, mut below) = (Vec::new(), Vec::new());
    for (place, own, givers) in [(End::Center, 0, &mut above), (End::Edge, 1, &mut below)] {
        let seal = http::seal(twins.address(place)).await?;
        for index in 0..twins.shape.devices {
            let number = 10 + 2 * u64::from(index) + u64::from(own);
            let device = twins.device(place, index);
            let setup = Setup::new(twins.address(place), device, seal.clone(), number);
            let setup = Setup { policy: impatient(), ..setup };
            givers.push(Giver::start(setup, own, Arc::clone(&values), chance.child(number)));
        }
    }
    Ok((above, below))
}

async fn books(givers: Vec<Giver>) -> anyhow::Result<Vec<Book>> {
    let mut books = Vec::new();
    for giver in givers {
        books.push(giver.end().await?);
    }
    Ok(books)
}

/// Cuts the line and lets it go still, by turns, and kills now and then, until time is up; once
/// through at least.
async fn weather(
    twins: &mut Twins,
    plan: Plan,
    mut chance: Chance,
    outcome: &mut Outcome,
) -> anyhow::Result<Vec<Absence>> {
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    let cut = Duration::from_secs(plan.cut);
    let mut absences = Vec::new();
    loop {
        outcome.strike("cut");
        twins.spoil(Fault::BlackHole).await;
        absences.extend(pass(twins, cut, &mut chance, outcome).await?);
        twins.calm().await;
        twins.becomes_whole(WHOLE_WITHIN).await?;
        absences.extend(pass(twins, chance.pause(1_000, 3_000), &mut chance, outcome).await?);

        twins.becomes_whole(WHOLE_WITHIN).await?;
        outcome.strike("still");
        twins.spoil(Fault::Delay(FOR_EVER)).await;
        sleep(chance.pause(300, 4_000)).await;
        twins.calm().await;
        sleep(chance.pause(500, 1_500)).await;
        if chance.happens(50) {
            outcome.strike("reset");
            twins.spoil(Fault::Reset).await;
            twins.calm().await;
        }
        absences.extend(pass(twins, chance.pause(1_000, 3_000), &mut chance, outcome).await?);
        if Instant::now() >= end {
            return Ok(absences);
        }
    }
}

/// Lets time pass, and kills one of them, or both, somewhere in it.
async fn pass(
    twins: &mut Twins,
    time: Duration,
    chance: &mut Chance,
    outcome: &mut Outcome,
) -> anyhow::Result<Vec<Absence>> {
    let until = Instant::now() + time;
    let mut absences = Vec::new();
    for end in [End::Edge, End::Center] {
        if chance.happens(KILLED) {
            let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            sleep(chance.pause(0, millis / 3)).await;
            outcome.strike(end.blow());
            absences.push(twins.kill(end).await?);
        }
    }
    tokio::time::sleep_until(until).await;
    Ok(absences)
}

/// Waits until nothing is wrong any more; what still is after a long time stays wrong.
async fn judge(
    twins: &Twins,
    truth: &Truth,
    (above, below): (&[Book], &[Book]),
    absences: &[Absence],
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let end = Instant::now() + CALM_WITHIN;
    loop {
        let rows = history::of(twins.address(End::Center)).await?;
        let mut complaints = twins.complaint().await.into_iter().collect::<Vec<_>>();
        complaints.extend(history::complaints(&rows, truth, absences));
        outcome.rows = rows.len();
        if complaints.is_empty() || Instant::now() > end {
            outcome.complaints = complaints;
            break;
        }
        sleep(LOOK_AGAIN).await;
    }
    let written = twins.written();
    let mut audit = audit::Audit { written: &written, absences, complaints: Vec::new() };
    outcome.from_center = audit.of(above, End::Center);
    outcome.from_edge = audit.of(below, End::Edge);
    audit.of_strangers(above.iter().chain(below));
    outcome.complaints.extend(audit.complaints);
    for (tally, whose) in [(&outcome.from_center, "center's"), (&outcome.from_edge, "edge's")] {
        if tally.done == 0 {
            outcome.complaints.push(format!("not one of the {whose} orders was carried out"));
        }
    }
    Ok(())
}

impl Outcome {
    fn strike(&mut self, blow: &'static str) {
        let count = self.blows.entry(blow).or_default();
        *count = count.saturating_add(1);
    }
}

impl Absence {
    /// Begins when `end` is killed.
    fn begin(end: End) -> Self {
        let now = clock::micros();
        Self { end, from: now, to: now, killed_at: clock::wall() }
    }
}

const ARRIVED_WITHIN: Duration = Duration::from_secs(60);

/// A line that was silent is given up after three heartbeats, and dialled again.
const WHOLE_WITHIN: Duration = Duration::from_secs(60);

/// Longer than any line stays still.
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// How often one of them is killed in a while, in percent.
const KILLED: u64 = 40;

/// The plant goes on for so long when everything is well.
const AFTER_THE_LAST: Duration = Duration::from_secs(2);

const CALM_WITHIN: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
