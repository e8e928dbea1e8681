//! Keeps the server's tasks running: one that fails is started again, and its reason is told.

use std::convert::Infallible;
use std::fmt::Display;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Runs a task until it is done or `stop`; one that fails or panics is started again.
///
/// The task watches the same token and ends by itself.
pub(crate) async fn keep_running<F, E>(name: &str, stop: CancellationToken, start: impl Fn() -> F)
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Display + Send + 'static,
{
    loop {
        let task = AbortOnDropHandle::new(tokio::spawn(start()));
        let reason = match task.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic.to_string(),
        };
        tracing::error!(task = name, %reason, "task `{name}` failed, starting it again: {reason}");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(RESTART_DELAY) => {}
        }
    }
}

/// The same for a task that cannot fail but by a panic.
pub(crate) async fn keep_alive<F>(name: &str, stop: CancellationToken, start: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let start = || {
        let task = start();
        async move {
            task.await;
            Ok::<_, Infallible>(())
        }
    };
    keep_running(name, stop, start).await;
}

/// Operators are promised a restart within three seconds.
const RESTART_DELAY: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_fails_or_panics_is_started_again_within_three_seconds() {
        let starts = Arc::new(AtomicUsize::new(0));
        let task = || {
            let nth = starts.fetch_add(1, Ordering::SeqCst);
            async move {
                match nth {
                    0 => Err("broken"),
                    1 => panic!("torn"),
                    _ => Ok(()),
                }
            }
        };
        let began = tokio::time::Instant::now();
        keep_running("test", CancellationToken::new(), task).await;
        assert_eq!(starts.load(Ordering::SeqCst), 3);
        assert!(began.elapsed() < Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_started_again_once_the_server_stops() {
        let stop = CancellationToken::new();
        stop.cancel();
        let starts = AtomicUsize::new(0);
        let task = || {
            starts.fetch_add(1, Ordering::SeqCst);
            async { Err("broken") }
        };
        keep_running("test", stop, task).await;
        assert_eq!(starts.load(Ordering::SeqCst), 1);
    }
}
