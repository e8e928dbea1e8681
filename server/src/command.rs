//! Does what the command line asked for.

mod audit;
mod kept;
mod logs;
mod user;

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use config::overrides::Variables;
use config::{Configuration, Refusal, Source, locate, report};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::assemble::Running;
use crate::cli::{
    AuditCommand, Cli, Command, Configured, DONE, FAILED, LogsCommand, MISTAKEN, Serve, Simulate,
};
use crate::demo::simulate::{self, Simulation};
use crate::demo::{self, Demo, DemoError};
use crate::notify::Stage;
use crate::{assemble, log, notify, open_files, reload, shutdown, welcome};
use user::UserError;

/// A configuration that was asked for and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
pub(crate) struct Unreadable {
    path: PathBuf,
    source: io::Error,
}

/// The exit code of the command; why it failed is told on standard error.
pub(crate) fn run(asked: Cli, variables: &Variables) -> u8 {
    let done = match asked.asked() {
        Command::Serve(asked) => serve(&asked, variables),
        Command::CheckConfig(asked) => check_config(&asked, variables),
        Command::User(asked) => user::run(asked, variables),
        Command::Audit(AuditCommand::Verify { json, kept }) => {
            audit::verify(&kept, json, variables)
        }
        Command::Logs(LogsCommand::Query(asked)) => logs::query(&asked, variables),
        Command::Simulate(asked) => simulate(asked, variables),
        Command::Version { json } => version(json),
    };
    done.unwrap_or_else(|error| {
        // Where even standard error is closed there is nobody to tell.
        let _ = writeln!(io::stderr(), "gapless: {error:#}");
        if is_mistake(&error) { MISTAKEN } else { FAILED }
    })
}

fn is_mistake(error: &anyhow::Error) -> bool {
    let in_demo = matches!(error.downcast_ref(), Some(DemoError::Refusal(_)));
    let is_asked = matches!(error.downcast_ref(), Some(UserError::NoSuchSite { .. }));
    in_demo
        || is_asked
        || error.is::<Refusal>()
        || error.is::<Unreadable>()
        || error.is::<log::LogError>()
}

fn serve(asked: &Serve, variables: &Variables) -> anyhow::Result<u8> {
    Runtime::new()?.block_on(async {
        let stop = shutdown::on_signal().context("cannot hear signals")?;
        let hangup = hangup(asked, variables)?;
        let Demo { configuration, boards } = prepare(asked, variables).await?;
        let _kept = log::begin_kept(variables, &configuration.log)?;
        open_files::raise_limit();
        for warning in &configuration.warnings {
            tracing::warn!("{warning}");
        }
        notify::tell(Stage::Opening(configuration.listen));
        let timed = asked.bench_stamps;
        let running = assemble::start(&configuration, boards, timed, stop.clone()).await?;
        let Some(running) = running else { return Ok(DONE) };
        let address = running.address;
        welcome::say(&running, &configuration)?;
        if notify::is_ready(&running.hub, &stop).await {
            notify::tell(Stage::Serving(address));
            let again = || reread(asked, variables);
            let reloading = reload_at(hangup, configuration, again, &running, &stop);
            tokio::join!(prove_alive(&running, &stop), reloading);
        }
        notify::tell(Stage::Stopping);
        shutdown::within_grace(&stop, running.ended()).await;
        Ok(DONE)
    })
}

/// SIGHUP, where there is a file to read again. Until it is asked for, the signal ends the process.
fn hangup(asked: &Serve, variables: &Variables) -> anyhow::Result<Option<Signal>> {
    let is_file = source(&asked.kept.configured, variables)?.is_some();
    let hangup = is_file.then(|| signal(SignalKind::hangup())).transpose();
    hangup.context("cannot hear signals")
}

/// Tells systemd that the Station answers, where systemd asked for it.
async fn prove_alive(running: &Running, stop: &CancellationToken) {
    if let Some(beat) = notify::beat() {
        notify::keep_beating(beat, (&running.hub, running.address), stop, notify::tell).await;
    }
}

/// Reads the configuration again at each SIGHUP, where it comes from a file.
async fn reload_at(
    hangup: Option<Signal>,
    mut configuration: Configuration,
    read: impl Fn() -> anyhow::Result<Configuration>,
    running: &Running,
    stop: &CancellationToken,
) {
    let Some(mut hangup) = hangup else { return stop.cancelled().await };
    while stop.run_until_cancelled(hangup.recv()).await.is_some() {
        notify::tell(Stage::Reloading);
        let apply = |channel, interval| running.set_pace(channel, interval);
        reload::take_up(&mut configuration, read(), apply);
        notify::tell(Stage::Serving(running.address));
    }
}

/// The configuration as its file has it now.
fn reread(asked: &Serve, variables: &Variables) -> anyhow::Result<Configuration> {
    let source = source(&asked.kept.configured, variables)?.context("the configuration is gone")?;
    Ok(config::read(&source, variables, asked.overrides())?)
}

/// What is configured, without boards of our own; or the demonstration, with them.
async fn prepare(asked: &Serve, variables: &Variables) -> anyhow::Result<Demo> {
    let flags = asked.overrides();
    match source(&asked.kept.configured, variables)? {
        Some(source) => {
            let configuration = config::read(&source, variables, flags)?;
            Ok(Demo { configuration, boards: Vec::new() })
        }
        None => Ok(demo::prepare(variables, flags).await?),
    }
}

fn check_config(asked: &Configured, variables: &Variables) -> anyhow::Result<u8> {
    let source = source(asked, variables)?.unwrap_or_else(demo::source);
    let read = config::read(&source, variables, Vec::new());
    report::print(&mut io::stdout().lock(), &source.name, &read)?;
    Ok(if read.is_ok() { DONE } else { MISTAKEN })
}

/// The configuration that was asked for or found; none means the demonstration.
fn source(asked: &Configured, variables: &Variables) -> Result<Option<Source>, Unreadable> {
    let path = locate::find(asked.config.as_deref(), variables);
    let read = path.map(|path| Source::file(&path).map_err(|source| Unreadable { path, source }));
    read.transpose()
}

fn simulate(asked: Simulate, variables: &Variables) -> anyhow::Result<u8> {
    log::begin(variables, log::USUAL)?;
    let Simulate { listen, boards, fault: faults } = asked;
    Runtime::new()?.block_on(async {
        let stop = shutdown::on_signal().context("cannot hear signals")?;
        simulate::run(Simulation { listen, boards, faults }, stop).await?;
        Ok(DONE)
    })
}

fn version(json: bool) -> anyhow::Result<u8> {
    let (name, version) = ("gapless", env!("CARGO_PKG_VERSION"));
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::json!({ "name": name, "version": version }))?;
    } else {
        writeln!(out, "{name} {version}")?;
    }
    Ok(DONE)
}
