//! The program `load`.

mod cli;

use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use cli::{Bench, Cli, Command, Run, Trial, Uplink};
use load::machine::Machine;
use load::measure::run::Visit;
use load::measure::{Part, Plan, Results, run};
use load::program::Program;
use load::report::{html, markdown};
use load::{bare, clock, cores, faults, kill, uplink};
use serde::Serialize;

#[tokio::main]
async fn main() -> ExitCode {
    match carry_out(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(command: Command) -> anyhow::Result<ExitCode> {
    cores::raise_file_limit()?;
    match command {
        Command::Run(asked) => visit(asked).await,
        Command::Bench(asked) => bench(asked).await,
        Command::Faults(trial) => {
            let program = Program::at(trial.tested.gapless.clone()).await?;
            let outcome = faults::run(program, plan(&trial)?).await?;
            conclude(&outcome, &outcome.complaints)
        }
        Command::Kill(trial) => {
            let program = Program::at(trial.tested.gapless.clone()).await?;
            let outcome = kill::run(program, plan(&trial)?).await?;
            conclude(&outcome, &outcome.complaints)
        }
        Command::Uplink(Uplink { tested, seconds, cut, seed }) => {
            let program = Program::at(tested.gapless).await?;
            let plan = uplink::Plan { seconds, cut, seed: told(seed)? };
            let outcome = uplink::run(program, plan).await?;
            conclude(&outcome, &outcome.complaints)
        }
        Command::Bare(asked) => {
            let every = Duration::from_millis(asked.every_ms.max(1));
            bare::run(bare::Plan { address: asked.listen, bytes: asked.bytes, every }).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn visit(asked: Run) -> anyhow::Result<ExitCode> {
    let report = run::run(Visit {
        verify_after: Duration::from_millis(asked.verify_after),
        url: asked.url,
        device: asked.device,
        clients: asked.clients,
        seconds: asked.seconds,
    })
    .await?;
    print(&report)?;
    if let Some(path) = asked.html {
        let version = report.server_version.as_deref().unwrap_or("of unknown version");
        let machine = Machine::here(format!("gapless {version}"));
        fs::write(path, html::of_visit(&report, &machine))?;
    }
    Ok(if report.crowd.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn bench(asked: Bench) -> anyhow::Result<ExitCode> {
    let wanted: Vec<Part> = asked.only.iter().copied().map(Part::from).collect();
    let parts = if wanted.is_empty() { Part::ALL.to_vec() } else { wanted };
    let plan = Plan {
        program: Program::at(asked.tested.gapless).await?,
        seconds: asked.seconds.max(1),
        rounds: asked.rounds,
        clients: asked.clients.max(1),
        storm: asked.storm.max(1),
        devices: asked.devices.max(1),
        edges: asked.edges.max(1),
    };
    let say = |part: &str| drop(writeln!(io::stderr(), "measuring {part}"));
    let results = Results::of(&plan, &parts, say).await?;
    io::stdout().lock().write_all(markdown::of(&results).as_bytes())?;
    if let Some(path) = asked.json {
        fs::write(path, serde_json::to_string_pretty(&results)?)?;
    }
    if let Some(path) = asked.html {
        fs::write(path, html::of(&results))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn plan(trial: &Trial) -> anyhow::Result<faults::Plan> {
    let Trial { seconds, clients, seed, .. } = *trial;
    Ok(faults::Plan { seconds, clients, seed: told(seed)? })
}

/// Says the seed first: a trial that hangs can be had again, too.
fn told(seed: Option<u64>) -> anyhow::Result<u64> {
    let seed = seed.unwrap_or_else(|| clock::micros() % 1_000_000);
    writeln!(io::stderr(), "seed {seed}")?;
    Ok(seed)
}

fn conclude(outcome: &impl Serialize, complaints: &[String]) -> anyhow::Result<ExitCode> {
    print(outcome)?;
    let mut shown = complaints.iter().take(SHOWN);
    shown.try_for_each(|complaint| writeln!(io::stderr(), "load: {complaint}"))?;
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(figures: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(figures)?;
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

/// The first complaints mostly explain the others.
const SHOWN: usize = 10;
