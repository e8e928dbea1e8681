//! The program under test: started, killed, and looked at through `/proc`.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use rustix::param::clock_ticks_per_second;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::{cores, http};

/// Where `gapless` is, and what of it is wanted.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    /// It can stamp frames with the moments that latency is counted from.
    pub stamps: bool,
}

/// A server that runs; it ends with this.
#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    child: Child,
}

/// What a process has used up.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub cpu: Duration,
    /// Resident bytes.
    pub memory: u64,
}

impl Program {
    pub async fn at(path: PathBuf) -> anyhow::Result<Self> {
        let help = Command::new(&path).args(["serve", "--help"]).output().await;
        let help = help.with_context(|| format!("{} does not start", path.display()))?;
        let stamps = String::from_utf8_lossy(&help.stdout).contains(STAMPS);
        Ok(Self { path, stamps })
    }

    pub async fn version(&self) -> anyhow::Result<String> {
        let output = Command::new(&self.path).arg("version").output().await?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().into())
    }

    /// Starts it at `address`, on one core alone if need be, and waits until it is ready.
    pub async fn serve(
        &self,
        folder: &Path,
        address: SocketAddr,
        core: Option<usize>,
    ) -> anyhow::Result<Server> {
        let mut command = Command::new(&self.path);
        command.args(["serve", "--listen", &address.to_string()]);
        command.arg("--config").arg(folder.join("gapless.toml"));
        command.arg("--data-dir").arg(folder.join("data"));
        command.args(self.stamps.then_some(STAMPS));
        let server = Server { address, child: start(&mut command, core)? };
        server.becomes_ready().await
    }
}

/// Starts a child that ends with its handle, on one core alone if need be.
pub fn start(command: &mut Command, core: Option<usize>) -> io::Result<Child> {
    // Nobody signs in: it is the road that is measured.
    command.env("GAPLESS_LOG", "error").env("GAPLESS__AUTH__ENABLED", "false");
    command.env("GAPLESS__LOG__DIRECTORY", "");
    command.stdin(Stdio::null()).kill_on_drop(true);
    match core {
        Some(core) => cores::on_core(core, || command.spawn()),
        None => command.spawn(),
    }
}

impl Server {
    pub fn new(address: SocketAddr, child: Child) -> Self {
        Self { address, child }
    }

    pub async fn becomes_ready(mut self) -> anyhow::Result<Self> {
        let waiting = async {
            while !http::is_ready(self.address).await {
                if let Some(status) = self.child.try_wait()? {
                    anyhow::bail!("the server ended: {status}");
                }
                sleep(LOOK_AGAIN).await;
            }
            Ok(())
        };
        timeout(READY_WITHIN, waiting).await.context("the server does not become ready")??;
        Ok(self)
    }

    /// Ends it as a power cut would.
    pub async fn kill(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    pub fn usage(&self) -> anyhow::Result<Usage> {
        let pid = self.child.id().context("the server has ended")?;
        Usage::of(pid)
    }
}

impl Usage {
    /// How much of one core was used up since `before`, in percent.
    pub fn share(self, before: Self, time: Duration) -> f64 {
        let used = self.cpu.saturating_sub(before.cpu);
        100.0 * used.as_secs_f64() / time.as_secs_f64().max(f64::EPSILON)
    }

    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let ticks = ticks(&stat).context("/proc/PID/stat is not as expected")?;
        let micros = ticks.saturating_mul(1_000_000) / clock_ticks_per_second().max(1);
        let memory = resident(&rollup).context("/proc/PID/smaps_rollup is not as expected")?;
        Ok(Self { cpu: Duration::from_micros(micros), memory })
    }
}

/// Time in user and system mode: the fields 14 and 15, behind a name that may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11).map(|field| field.parse::<u64>().ok());
    times.next()??.checked_add(times.next()??)
}

fn resident(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// A port that nobody listens at.
pub async fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()
}

const STAMPS: &str = "--bench-stamps";

/// A server that is not ready by then never will be.
const READY_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_a_strange_name_is_read_too() {
        let stat = "7 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20 0 1 0 99";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(resident("x [rollup]\nRss:        20 kB\nPss: 3 kB\n"), Some(20 * 1024));
    }

    #[test]
    fn this_process_has_used_up_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.memory > 100_000, "{usage:?}");
    }
}
