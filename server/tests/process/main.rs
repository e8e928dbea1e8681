//! The real binary as a process: how it starts, fares and ends, and what it finds again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod batch_steps;
mod behind_nginx;
mod cable;
mod client;
mod console;
mod edge_orders;
mod limits;
mod log_files;
mod new_pace;
mod on_record;
mod orders;
mod pair;
mod plant;
mod ports;
mod pscada;
mod restart;
mod running;
mod service_manager;
mod signals;
mod signing_in;
mod tap;
mod unreadable;
mod uplink;
