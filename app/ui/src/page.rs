//! The places of the console.

pub(crate) mod commands;
pub(crate) mod device;
pub(crate) mod events;
pub(crate) mod login;
pub(crate) mod me;
pub(crate) mod missing;
pub(crate) mod overview;
pub(crate) mod system;
