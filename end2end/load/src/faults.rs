//! The trial of the line: everything that can happen between clients and server does, by chance.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::chance::Chance;
use crate::program::Program;
use crate::proxy::{Fault, Proxy};
use crate::stage::Stage;
use crate::swarm::is_whole;
use crate::trial::{Outcome, shape};

/// How long, how many, and what decides the rest.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seconds: u64,
    pub clients: usize,
    pub seed: u64,
}

/// Runs the trial; the same seed makes the same choices, though not the same moments.
pub async fn run(program: Program, plan: Plan) -> anyhow::Result<Outcome> {
    let chance = Chance::new(plan.seed);
    let mut outcome = Outcome { trial: "faults", ..Outcome::default() };
    (outcome.seed, outcome.seconds) = (plan.seed, plan.seconds);
    let stage = Stage::set(program, shape()).await?;
    let _server = stage.serve().await?;
    let seal = crate::http::seal(stage.address).await?;
    let line = Proxy::start(stage.address).await?;
    let swarm = stage.clients(plan.clients, line.address, &seal, plan.seed).await;
    swarm.until("a table", ARRIVED_WITHIN, is_whole).await?;

    let script = stage.play(chance.child(1)).await?;
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    weather(&line, chance.child(2), end, &mut outcome).await;
    line.calm().await;
    sleep(AFTER_THE_STORM).await;
    let truth = script.end().await?;
    stage.judge(&swarm, &truth, &[], &mut outcome).await?;
    Ok(outcome)
}

/// Strikes some connections after the other until `end`.
async fn weather(line: &Proxy, mut chance: Chance, end: Instant, outcome: &mut Outcome) {
    while Instant::now() < end {
        let (fault, percent) = (Fault::random(&mut chance), chance.below(60));
        let struck = line.strike(fault, percent, chance.child(percent)).await;
        outcome.strike(name(fault), struck);
        if chance.happens(30) {
            line.greet(Fault::random(&mut chance)).await;
        }
        sleep(chance.pause(50, 700)).await;
        if chance.happens(40) {
            line.calm().await;
        }
    }
}

fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::None => "none",
        Fault::Delay(_) => "delay",
        Fault::Throttle(_) => "throttle",
        Fault::Reset => "reset",
        Fault::BlackHole => "black hole",
        Fault::Truncate => "truncate",
    }
}

const ARRIVED_WITHIN: Duration = Duration::from_secs(30);

/// The plant goes on for so long when the weather is fine again.
const AFTER_THE_STORM: Duration = Duration::from_secs(1);
