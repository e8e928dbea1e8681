//! The REST interface: what does not move.

pub(crate) mod commands;
pub(crate) mod connections;
pub(crate) mod devices;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod session;
