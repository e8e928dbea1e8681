//! The client's half of a session: when to dial, when to beat, what is missing, what to show.

mod backoff;
mod event;
mod gap;
mod heard;
mod heartbeat;
mod hole;
mod pending;
mod policy;
mod ranges;
mod server_time;
mod session;
pub mod status;
mod stream;
mod streams;
mod table;
mod vitals;

pub use event::{Action, Event, Kept, News, Notice, Progress, Resumption};
pub use policy::Policy;
pub use session::{Config, Session};
