//! The times and limits of a session.

use std::time::Duration;

/// How long a session waits for what, and how often it tries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// How often to beat, unless the server asks for another pace (S0-37).
    pub beat: Duration,
    /// After so many heartbeats without an answer the connection is lost (S0-40).
    pub beats_missed: u32,
    /// How long a socket may take to open.
    pub dial_limit: Duration,
    /// How long the server may take to say who we are.
    pub greet_limit: Duration,
    /// The shortest and the longest wait before the first try after a loss: not all at once.
    pub first_retry: (Duration, Duration),
    /// The wait before every further try (S0-42).
    pub retry: Duration,
    /// By how much that wait varies, in percent.
    pub spread: u32,
    /// So many tries make a series (S0-43).
    pub tries: u32,
    /// The wait between tries after a series failed, for screens that nobody attends.
    pub slow_retry: Duration,
    /// A stay shorter than this is no success: the series goes on.
    pub short_stay: Duration,
    /// How soon to ask again for frames that were asked for and did not come.
    pub repair: Duration,
    /// The shortest time between two requests for lost frames of one stream.
    pub breath: Duration,
    /// How long a command may go without an answer, each of the two times it is sent (S0-60).
    pub command: Duration,
}

impl Policy {
    /// What S0 promises its operators.
    pub const fn native() -> Self {
        Self {
            beat: Duration::from_secs(10),
            beats_missed: 3,
            dial_limit: Duration::from_secs(5),
            greet_limit: Duration::from_secs(5),
            first_retry: (Duration::from_millis(200), Duration::from_secs(1)),
            retry: Duration::from_secs(5),
            spread: 20,
            tries: 10,
            slow_retry: Duration::from_secs(60),
            short_stay: Duration::from_secs(5),
            repair: Duration::from_secs(1),
            breath: Duration::from_millis(100),
            command: Duration::from_millis(500),
        }
    }

    /// What an edge promises its center: it never gives up.
    pub const fn uplink() -> Self {
        Self { tries: u32::MAX, ..Self::native() }
    }
}
