//! The native wire from outside: real sockets, a real Station, and boards played by the test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod coming_back;
mod commands;
mod gate;
mod handshake;
mod house;
mod metrics;
mod numbers;
mod records;
mod rest;
mod signing_in;
mod silence;
mod station_restarted;
mod tls;
mod trail;
