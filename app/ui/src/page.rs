//! The places of the console.

pub(crate) mod commands;
pub(crate) mod device;
pub(crate) mod missing;
pub(crate) mod overview;
