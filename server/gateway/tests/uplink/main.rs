//! An edge and its center on real sockets, each with a real Station and its own folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod forwarder;
mod orders;
mod raw;
mod servers;
mod upload;
