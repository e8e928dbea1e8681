//! The command line: what `load` can be asked to do.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use load::measure::Part;
use protocol::id::DeviceId;

/// Drives `gapless` over real sockets, and judges and measures what comes.
#[derive(Debug, Parser)]
#[command(name = "load", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Visits a server that runs, with many clients that verify all they get.
    Run(Run),
    /// Measures everything, with servers of its own.
    Bench(Bench),
    /// Faults of the line by chance; fails where a client then does not know the truth.
    Faults(Trial),
    /// Kills the server every second; fails where a client missed what happened.
    Kill(Trial),
    /// Cuts an edge off its center, kills either, and gives orders all the while; fails where a row
    /// is lost or doubled, or an order carried out twice, or after it was given up.
    Uplink(Uplink),
    /// The plain server that the benchmark compares with.
    #[command(hide = true)]
    Bare(Bare),
}

#[derive(Args, Debug)]
pub(crate) struct Tested {
    /// The program under test.
    #[arg(long, env = "GAPLESS", value_name = "FILE", default_value = "target/release/gapless")]
    pub(crate) gapless: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    #[arg(long, default_value_t = 100)]
    pub(crate) clients: usize,
    #[arg(long, default_value_t = 30)]
    pub(crate) seconds: u64,
    /// The device that all clients follow; else they spread over all there are.
    #[arg(long)]
    pub(crate) device: Option<DeviceId>,
    /// How long after its arrival a frame is verified: on a small machine, between two polls.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) verify_after: u64,
    /// Where to write a page with plots.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) tested: Tested,
    /// How long each figure is measured.
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
    /// How often two things are compared, each for a third of that time.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    #[arg(long, default_value_t = 1_000)]
    pub(crate) clients: usize,
    /// Clients of the storm, and idle connections.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) storm: usize,
    #[arg(long, default_value_t = 1_000)]
    pub(crate) devices: u16,
    /// Edges of a center.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) edges: usize,
    /// Parts to measure; all of them where none is named.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<Wanted>,
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Trial {
    #[command(flatten)]
    pub(crate) tested: Tested,
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
    #[arg(long, default_value_t = 30)]
    pub(crate) clients: usize,
    /// Decides what chance does; another at each run where it is not given.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct Uplink {
    #[command(flatten)]
    pub(crate) tested: Tested,
    /// The trial goes on for at least so long; the line is cut once at least.
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
    /// How long the line is cut each time.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub(crate) cut: u64,
    /// Decides what chance does; another at each run where it is not given.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct Bare {
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    #[arg(long)]
    pub(crate) bytes: usize,
    #[arg(long)]
    pub(crate) every_ms: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Wanted {
    FanOut,
    FrameCost,
    IdleMemory,
    Storm,
    ManyDevices,
    SlowClients,
    Orders,
    IdleEdges,
}

impl From<Wanted> for Part {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::FanOut => Self::FanOut,
            Wanted::FrameCost => Self::FrameCost,
            Wanted::IdleMemory => Self::IdleMemory,
            Wanted::Storm => Self::Storm,
            Wanted::ManyDevices => Self::ManyDevices,
            Wanted::SlowClients => Self::SlowClients,
            Wanted::Orders => Self::Orders,
            Wanted::IdleEdges => Self::IdleEdges,
        }
    }
}
