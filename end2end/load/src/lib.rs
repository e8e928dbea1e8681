//! Load, faults and measurements over real sockets: the link of the browser, thousands of times.

pub mod boards;
pub mod chance;
pub mod clock;
pub mod cores;
pub mod http;
pub mod plant;
pub mod program;
pub mod script;
pub mod truth;
