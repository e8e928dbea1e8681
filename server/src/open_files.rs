//! How many files and sockets the process may have open at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Takes as many as the system grants, and warns where that is too few.
///
/// The usual limit is 1024; programs that count on it are no concern of ours.
pub(crate) fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    let granted = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!("the limit of open files stays as it is: {error}");
            current
        }
    };
    if let Some(granted) = granted.filter(|granted| *granted < WANTED) {
        tracing::warn!(
            "only {granted} files and sockets may be open at once, {WANTED} are needed for as \
             many clients as are promised: raise the hard limit (LimitNOFILE, ulimit -Hn)"
        );
    }
}

/// Ten thousand clients, and room for boards, databases and callers of REST.
const WANTED: u64 = 10_500;
