//! What the plant knows and promises: a pure state machine between the pollers and the clients.
//!
//! [`Station`] takes events and returns actions; it has no clock and does nothing itself. The
//! frames it makes are kept in [`Window`]s, from which every connection reads at its own pace.

pub mod arbiter;
pub mod image;
pub mod journal;
pub mod presence;
pub mod site;
pub mod station;
pub mod status_row;
pub mod stream;
pub mod system;
pub mod throttle;
pub mod uploader;

pub use arbiter::{ArbiterPolicy, Asker};
pub use journal::Journal;
pub use presence::{Admission, Arrival, Limits};
pub use station::{Action, Event, PushStrategy, Setup, Start, Station, streams};
pub use stream::{Backlog, History, Notice, Recovery, Shared, Window, windows};
