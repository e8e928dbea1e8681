//! Where and of what something was measured.

use std::fs;
use std::process::Command;

use serde::Serialize;

/// The machine, the moment and what was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub kernel: String,
    pub date: String,
    pub commit: Option<String>,
    pub version: String,
}

impl Machine {
    pub fn here(version: String) -> Self {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let now = jiff::Zoned::now();
        Self {
            processor: processor(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: kernel.trim().into(),
            date: now.strftime("%Y-%m-%d %H:%M %Z").to_string(),
            commit: commit(),
            version,
        }
    }
}

fn processor(cpuinfo: &str) -> String {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(": ")).map(|(_, name)| name);
    name.unwrap_or("unknown").into()
}

fn commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?;
    (output.status.success()).then(|| commit.trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Quick Thing 7\nmodel name\t: other\n";
        assert_eq!(processor(cpuinfo), "Quick Thing 7");
        assert_eq!(processor(""), "unknown");
    }
}
