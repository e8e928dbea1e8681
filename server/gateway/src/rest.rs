//! The REST interface: what does not move.

pub(crate) mod accounts;
pub(crate) mod audit;
mod body;
pub(crate) mod commands;
pub(crate) mod connections;
pub(crate) mod devices;
pub(crate) mod health;
pub(crate) mod logs;
pub(crate) mod metrics;
mod query;
pub(crate) mod session;
mod sheet;
pub(crate) mod signin;
pub(crate) mod tokens;
