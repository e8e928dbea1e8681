//! The ranges that a channel must keep to.

use std::time::Duration;

use protocol::id::DeviceId;

use super::MappingError;

/// Why a channel cannot be polled as configured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RangeError {
    #[error("poll interval {0:?} is not from {SHORTEST_POLL:?} to {LONGEST_POLL:?}")]
    PollInterval(Duration),
    #[error("time-out {0:?} is shorter than {SHORTEST_TIMEOUT:?}")]
    Timeout(Duration),
    #[error("no serial line runs at {0} baud")]
    BaudRate(u32),
    #[error("a character has 5 to 8 data bits, not {0}")]
    DataBits(u8),
    #[error("a character has 1 or 2 stop bits, not {0}")]
    StopBits(u8),
    #[error("point {point} of device {device}: {mistake}")]
    Mapping {
        device: DeviceId,
        /// Its place in [`Target::mappings`].
        point: usize,
        mistake: MappingError,
    },
}

/// Whether a channel may be polled at this interval, at the start and later.
pub fn check_poll_interval(interval: Duration) -> Result<(), RangeError> {
    if (SHORTEST_POLL..=LONGEST_POLL).contains(&interval) {
        Ok(())
    } else {
        Err(RangeError::PollInterval(interval))
    }
}

/// S0-11: an operator may set any interval between these two.
pub const SHORTEST_POLL: Duration = Duration::from_millis(100);
pub const LONGEST_POLL: Duration = Duration::from_secs(10);
/// S0-10
pub const USUAL_POLL: Duration = Duration::from_secs(1);

/// Below this, a busy network alone would look like a dead board.
pub const SHORTEST_TIMEOUT: Duration = Duration::from_millis(50);
