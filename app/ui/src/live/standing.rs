//! What the state of the connection means to the values on the page.

use link::status::{LinkState, Status};

/// Whether the values on the page can be the present.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// The first connection is being made; the values came with the page a moment ago.
    Starting,
    Live,
    /// There was a connection, or the first tries failed: the values stand still.
    Lost,
}

impl Standing {
    pub fn of(status: Option<&Status>) -> Self {
        let Some(status) = status else { return Self::Starting };
        match status.state {
            LinkState::Live { .. } => Self::Live,
            LinkState::Dialing { .. } | LinkState::Greeting { .. } if status.ended.is_none() => {
                Self::Starting
            }
            _ => Self::Lost,
        }
    }

    /// As the `data-standing` attribute has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Live => "live",
            Self::Lost => "lost",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use link::status::Ending;
    use protocol::time::Instant;

    #[test]
    fn values_stand_still_unless_the_link_lives() {
        let at = Instant::from_millis(5);
        let table = [
            (LinkState::Dialing { tries: 0 }, false, Standing::Starting),
            (LinkState::Greeting { tries: 1 }, false, Standing::Starting),
            (LinkState::Live { since: at }, false, Standing::Live),
            (LinkState::Live { since: at }, true, Standing::Live),
            (LinkState::Waiting { tries: 1, until: at }, true, Standing::Lost),
            (LinkState::Dialing { tries: 1 }, true, Standing::Lost),
            (LinkState::Failed { until: at }, true, Standing::Lost),
        ];
        for (state, has_ended, expected) in table {
            let ended = has_ended.then_some((Ending::Silent, at));
            let status = Status { state: state.clone(), ended, ..sample::status() };
            assert_eq!(Standing::of(Some(&status)), expected, "{state:?}, ended {has_ended}");
        }
        assert_eq!(Standing::of(None), Standing::Starting);
    }
}
