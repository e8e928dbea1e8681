//! Which cores a process may use, and how many files it may hold open.

use std::fs;
use std::io;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Lets this process hold open as many files as it may at all.
pub fn raise_file_limit() -> io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

/// Does something on one core; a process that is started meanwhile stays there.
pub fn on_core<T>(core: usize, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = sched_getaffinity(None)?;
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one)?;
    let outcome = act();
    sched_setaffinity(None, &before)?;
    outcome
}

/// Keeps all threads of this process off a core, where there is another one.
pub fn leave_core(core: usize) -> io::Result<()> {
    let mut others = sched_getaffinity(None)?;
    if others.count() < 2 {
        return Ok(());
    }
    others.unset(core);
    for entry in fs::read_dir("/proc/self/task")? {
        let name = entry?.file_name();
        let thread = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        if thread.is_some() {
            // A thread may have ended meanwhile.
            let _ = sched_setaffinity(thread, &others);
        }
    }
    Ok(())
}

/// Lets all threads of this process go anywhere.
pub fn use_all_cores() -> io::Result<()> {
    let mut all = CpuSet::new();
    let count = fs::read_to_string("/proc/cpuinfo")?.matches("processor\t").count();
    (0..count).for_each(|core| all.set(core));
    for entry in fs::read_dir("/proc/self/task")? {
        let name = entry?.file_name();
        let thread = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let _ = thread.map(|thread| sched_setaffinity(Some(thread), &all));
    }
    Ok(())
}
