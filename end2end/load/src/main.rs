//! The program `load`.

mod cli;

use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use cli::{Bench, Cli, Command, Run, Trial};
use load::machine::Machine;
use load::measure::run::Visit;
use load::measure::{Part, Plan, Results, run};
use load::program::Program;
use load::report::{html, markdown};
use load::trial::Outcome;
use load::{bare, clock, cores, faults, kill};
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
            conclude(&faults::run(program, plan(&trial)?).await?)
        }
        Command::Kill(trial) => {
            let program = Program::at(trial.tested.gapless.clone()).await?;
            conclude(&kill::run(program, plan(&trial)?).await?)
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

/// Says the seed first: a trial that hangs can be had again, too.
fn plan(trial: &Trial) -> anyhow::Result<faults::Plan> {
    let seed = trial.seed.unwrap_or_else(|| clock::micros() % 1_000_000);
    writeln!(io::stderr(), "seed {seed}")?;
    Ok(faults::Plan { seconds: trial.seconds, clients: trial.clients, seed })
}

fn conclude(outcome: &Outcome) -> anyhow::Result<ExitCode> {
    print(outcome)?;
    let mut complaints = outcome.complaints.iter().take(SHOWN);
    complaints.try_for_each(|complaint| writeln!(io::stderr(), "load: {complaint}"))?;
    let is_good = outcome.complaints.is_empty();
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(figures: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(figures)?;
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

/// The first complaints mostly explain the others.
const SHOWN: usize = 10;
