//! How the page shows its own connection.

pub(crate) mod bar;
pub(crate) mod drawer;
pub(crate) mod pill;

use link::status::LinkState;

/// As the `data-link-state` attribute has it.
pub(crate) fn word(state: &LinkState) -> &'static str {
    match state {
        LinkState::Dialing { .. } => "dialing",
        LinkState::Greeting { .. } => "greeting",
        LinkState::Live { .. } => "live",
        LinkState::Waiting { .. } => "waiting",
        LinkState::Failed { .. } => "failed",
        LinkState::Refused { .. } => "refused",
    }
}
