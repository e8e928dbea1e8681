//! Load, faults and measurements over real sockets: the link of the browser, thousands of times.

pub mod bare;
pub mod boards;
pub mod chance;
pub mod client;
pub mod clock;
pub mod cores;
pub mod counter;
pub mod diary;
pub mod ear;
pub mod faults;
pub mod http;
pub mod kill;
pub mod latency;
mod line;
pub mod machine;
pub mod measure;
pub mod oracle;
pub mod plant;
pub mod program;
pub mod proxy;
pub mod report;
pub mod script;
pub mod stage;
pub mod swarm;
pub mod trial;
pub mod truth;
