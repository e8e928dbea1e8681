//! The poller against boards on real sockets and lines: ours, which fail on purpose, and others.

mod orders;
mod poller;
mod pymodbus;
mod support;
