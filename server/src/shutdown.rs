//! Stops the server politely: a signal cancels one token, and all that watch it have a moment.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by the first SIGINT or SIGTERM; by the second, the process ends.
pub(crate) fn on_signal() -> io::Result<CancellationToken> {
    let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let name = next(&mut signals).await;
        tracing::info!(signal = name, "{name}: stopping");
        token.cancel();
        let name = next(&mut signals).await;
        tracing::warn!(signal = name, "{name} again: stopping at once");
        std::process::exit(STOPPED_AT_ONCE);
    });
    Ok(stop)
}

/// Waits for `work` to end once the server stops, but no longer than the grace period.
///
/// Whether it ended in time.
pub(crate) async fn within_grace(stop: &CancellationToken, work: impl Future) -> bool {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        _ = &mut work => return true,
        () = stop.cancelled() => {}
    }
    let in_time = tokio::time::timeout(GRACE, work).await.is_ok();
    if !in_time {
        tracing::warn!("not everything ended within {GRACE:?}");
    }
    in_time
}

async fn next((interrupt, terminate): &mut (Signal, Signal)) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

/// Docker kills after ten seconds.
const GRACE: Duration = Duration::from_secs(8);

/// What a shell expects of a process that was interrupted.
const STOPPED_AT_ONCE: i32 = 130;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_has_a_grace_period_and_no_longer() {
        let stop = CancellationToken::new();
        assert!(within_grace(&stop, async {}).await);
        stop.cancel();
        let slow = |time| within_grace(&stop, tokio::time::sleep(time));
        assert!(slow(GRACE / 2).await);
        assert!(!slow(GRACE * 2).await);
    }
}
