//! Where the machine's clocks become moments of ours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::time::{Clock, Instant, Timestamp};
use tokio::time;

/// Counts milliseconds from its start; everyone in the process shares one.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    start: time::Instant,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { start: time::Instant::now() }
    }

    pub fn now(&self) -> Instant {
        let millis = self.start.elapsed().as_millis();
        Instant::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// A clock that shows the machine's wall-clock time.
    pub fn clock(&self) -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Clock::new(self.now(), Timestamp::from_millis(u64::try_from(wall).unwrap_or(u64::MAX)))
    }

    /// Sleeps until `moment`; for ever where there is none.
    pub(crate) async fn sleep_until(&self, moment: Option<Instant>) {
        let moment = moment
            .and_then(|moment| self.start.checked_add(Duration::from_millis(moment.as_millis())));
        match moment {
            Some(moment) => time::sleep_until(moment).await,
            None => std::future::pending().await,
        }
    }
}
