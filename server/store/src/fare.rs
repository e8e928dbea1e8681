//! Tells how a part of the server fares.

use protocol::part::{Condition, PartState};
use tokio::sync::watch;

use crate::open::now;

/// How a writer fares, for whoever watches.
#[derive(Debug)]
pub(crate) struct Fare(pub(crate) watch::Sender<Condition>);

impl Fare {
    /// It fails, and why. Whether it worked until now.
    pub(crate) fn fails(&self, why: impl ToString) -> bool {
        self.turn(PartState::Failing, Some(why.to_string()))
    }

    /// It works. Whether it failed until now.
    pub(crate) fn works(&self) -> bool {
        self.turn(PartState::Working, None)
    }

    fn turn(&self, state: PartState, why: Option<String>) -> bool {
        let mut is_turn = false;
        self.0.send_if_modified(|condition| {
            is_turn = condition.state != state;
            let is_news = is_turn || condition.why != why;
            let since = if is_turn { now() } else { condition.since };
            *condition = Condition { since, state, why };
            is_news
        });
        is_turn
    }
}
