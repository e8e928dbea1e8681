//! The command line: what `gapless` can be asked to do.

mod accounts;
mod records;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use config::overrides::Override;

use crate::demo::simulate::Switch;

pub(crate) use accounts::{Account, AccountCommand, Add, NewPassword, Passwd};
pub(crate) use records::{AuditCommand, LogsCommand, Query};

/// Live values of industrial hardware in a browser, with no gap that nobody sees.
#[derive(Debug, Parser)]
#[command(name = "gapless", version, after_help = EXIT_CODES)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

impl Cli {
    /// What to do: to serve, where no word says otherwise.
    pub(crate) fn asked(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Polls the boards and serves the pages; a demonstration where nothing is configured.
    Serve(Serve),
    /// Prints the values in effect and what set them, and every mistake and warning.
    CheckConfig(Configured),
    /// Sees to accounts, while the server runs too.
    #[command(subcommand)]
    User(AccountCommand),
    /// Looks after the audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Looks into the lifecycle log.
    #[command(subcommand)]
    Logs(LogsCommand),
    /// Runs boards alone, to try a Modbus master on.
    Simulate(Simulate),
    /// Prints the version.
    Version {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Configured {
    /// The configuration; else GAPLESS_CONFIG, ./gapless.toml or /etc/gapless/gapless.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Where that stands which a command is about.
#[derive(Args, Debug)]
pub(crate) struct Kept {
    #[command(flatten)]
    pub configured: Configured,
    /// Where the server keeps what must survive a restart.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub kept: Kept,
    /// Where to serve pages and sockets, such as 127.0.0.1:8080.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Adds to each pushed frame when it was due and when it was made (`due` and `ts`, microseconds
    /// of CLOCK_MONOTONIC), for programs on this machine that measure.
    #[arg(long)]
    pub bench_stamps: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Simulate {
    /// Where the first board listens; the others take the ports behind it, or any with port 0.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5021")]
    pub listen: SocketAddr,
    /// How many boards there are: board-1, board-2, …
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub boards: u16,
    /// A fault to begin with, such as board-1=hang; may be repeated, and written to standard input
    /// later. none, refuse, hang, exception:CODE, garbage, short_answer, foreign_unit, delay:MS,
    /// cut, ignore_writes or refuse_writes.
    #[arg(long, value_name = "BOARD=FAULT")]
    pub fault: Vec<Switch>,
}

impl Serve {
    /// What its switches put in the place of configured values.
    pub(crate) fn overrides(&self) -> Vec<Override> {
        let listen = self.listen.clone();
        let listen = listen.map(|value| Override::flag("server.listen", "--listen", value));
        listen.into_iter().chain(self.kept.overrides()).collect()
    }
}

impl Kept {
    pub(crate) fn overrides(&self) -> Vec<Override> {
        let data_dir = self.data_dir.as_ref().map(|path| path.to_string_lossy().into_owned());
        let data_dir = data_dir.map(|value| Override::flag("data_dir", "--data-dir", value));
        data_dir.into_iter().collect()
    }
}

/// The command did what it was asked to do.
pub(crate) const DONE: u8 = 0;
/// It failed while it ran.
pub(crate) const FAILED: u8 = 1;
/// The command line or the configuration has mistakes.
pub(crate) const MISTAKEN: u8 = 2;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed while running, 2 mistakes in the command \
                          line or the configuration, 130 stopped by a second signal.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_become_overrides() {
        let line = ["gapless", "serve", "--listen", "0.0.0.0:1", "--data-dir", "d"];
        let Command::Serve(serve) = Cli::try_parse_from(line).unwrap().asked() else {
            panic!("serve")
        };
        let told: Vec<_> = serve
            .overrides()
            .into_iter()
            .map(|over| format!("{}={} {}", over.path.join("."), over.value, over.place))
            .collect();
        assert_eq!(told, ["server.listen=0.0.0.0:1 --listen", "data_dir=d --data-dir"]);
    }
}
