//! The program `load`: drives `gapless` over real sockets, and judges and measures what comes.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use load::program::Program;
use load::trial::Outcome;
use load::{clock, cores, faults, kill};

#[derive(Debug, Parser)]
#[command(name = "load", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Faults of the line by chance; fails where a client then does not know the truth.
    Faults(Trial),
    /// Kills the server every second; fails where a client missed what happened.
    Kill(Trial),
}

#[derive(Args, Debug)]
struct Tested {
    /// The program under test.
    #[arg(long, env = "GAPLESS", value_name = "FILE", default_value = "target/release/gapless")]
    gapless: PathBuf,
}

#[derive(Args, Debug)]
struct Trial {
    #[command(flatten)]
    tested: Tested,
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    #[arg(long, default_value_t = 30)]
    clients: usize,
    /// Decides by what chance does; another at each run where it is not given.
    #[arg(long)]
    seed: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    cores::raise_file_limit()?;
    match command {
        Command::Faults(trial) => {
            let program = Program::at(trial.tested.gapless.clone()).await?;
            conclude(&faults::run(program, trial.plan()?).await?)
        }
        Command::Kill(trial) => {
            let program = Program::at(trial.tested.gapless.clone()).await?;
            conclude(&kill::run(program, trial.plan()?).await?)
        }
    }
}

impl Trial {
    /// Says the seed first: a trial that hangs can be had again, too.
    fn plan(&self) -> anyhow::Result<faults::Plan> {
        let seed = self.seed.unwrap_or_else(|| clock::micros() % 1_000_000);
        writeln!(io::stderr(), "seed {seed}")?;
        Ok(faults::Plan { seconds: self.seconds, clients: self.clients, seed })
    }
}

fn conclude(outcome: &Outcome) -> anyhow::Result<ExitCode> {
    writeln!(io::stdout(), "{}", serde_json::to_string_pretty(outcome)?)?;
    let mut complaints = outcome.complaints.iter().take(SHOWN);
    complaints.try_for_each(|complaint| writeln!(io::stderr(), "load: {complaint}"))?;
    let is_good = outcome.complaints.is_empty();
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The first complaints mostly explain the others.
const SHOWN: usize = 10;
