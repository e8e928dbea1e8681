//! Real files in a temporary folder: an order that was told to be on record is there after whatever
//! happens.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod desk;
mod failing_disk;
mod history;
mod kept;
mod killed;
mod settings;
