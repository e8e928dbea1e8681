//! What the process takes of the machine, as Linux tells it.

use std::fs;
use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::time::{ClockId, clock_gettime};

/// Bytes of memory in use; `None` where the system does not tell.
pub(super) fn resident_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(page_size()).ok()?)
}

/// How long the processor has worked for this process.
pub(super) fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

pub(super) fn open_files() -> Option<u64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the look itself.
    u64::try_from(count).ok()?.checked_sub(1)
}

/// When the process began, in seconds since 1970.
pub(super) fn started_at() -> Option<f64> {
    let machine = fs::read_to_string("/proc/stat").ok()?;
    let booted = machine.lines().find_map(|line| line.strip_prefix("btime "))?;
    let process = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program stands in brackets, and may hold anything.
    let (_, behind) = process.rsplit_once(')')?;
    let ticks: f64 = behind.split_whitespace().nth(START_TIME)?.parse().ok()?;
    Some(booted.parse::<f64>().ok()? + ticks / clock_ticks_per_second() as f64)
}

/// proc(5): the 22nd value of all, and the 20th behind the name.
const START_TIME: usize = 19;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_tells_all_of_it() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1024 * 1024));
        assert!(open_files().is_some_and(|files| files > 2));
        assert!(cpu_time() > Duration::ZERO);
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        assert!(started_at().is_some_and(|at| at > 1e9 && at < now + 2.0));
    }
}
