//! The trial of the server: it is killed every second, and nobody may miss what happened.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::chance::Chance;
use crate::clock;
use crate::faults::Plan;
use crate::program::{Program, Server};
use crate::stage::Stage;
use crate::swarm::is_whole;
use crate::trial::{Outcome, shape};
use protocol::time::Timestamp;

/// Runs the trial; the same seed makes the same choices, though not the same moments.
pub async fn run(program: Program, plan: Plan) -> anyhow::Result<Outcome> {
    let mut chance = Chance::new(plan.seed);
    let mut outcome = Outcome { trial: "kill", ..Outcome::default() };
    (outcome.seed, outcome.seconds) = (plan.seed, plan.seconds);
    let stage = Stage::set(program, shape()).await?;
    let mut server = stage.serve().await?;
    let seal = crate::http::seal(stage.address).await?;
    let swarm = stage.clients(plan.clients, stage.address, &seal, plan.seed).await;
    swarm.until("a table", ARRIVED_WITHIN, is_whole).await?;

    let script = stage.play(chance.child(1)).await?;
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    let mut kills = Vec::new();
    while Instant::now() < end {
        sleep(chance.pause(SHORTEST_LIFE, LONGEST_LIFE)).await;
        kills.push(kill(server).await?);
        outcome.strike("kill", 1);
        server = stage.serve().await?;
    }
    sleep(AFTER_THE_LAST).await;
    let truth = script.end().await?;
    stage.judge(&swarm, &truth, &kills, &mut outcome).await?;
    if outcome.resumed_after_restart == 0 {
        outcome.complaints.push("after its restarts the server never knew a client again".into());
    }
    Ok(outcome)
}

/// Kills, and says when: the moment at which the server last can have done something.
async fn kill(server: Server) -> anyhow::Result<Timestamp> {
    server.kill().await?;
    Ok(clock::wall())
}

const ARRIVED_WITHIN: Duration = Duration::from_secs(30);

/// Between a start and the next kill, in milliseconds.
const SHORTEST_LIFE: u64 = 500;
const LONGEST_LIFE: u64 = 1_500;

/// The plant goes on for so long when the server stays.
const AFTER_THE_LAST: Duration = Duration::from_secs(1);
