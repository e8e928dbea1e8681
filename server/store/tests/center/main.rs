//! Real files in a temporary folder: a batch that was acknowledged is there once, whatever happens.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod desk;
mod failing_disk;
mod history;
mod kept;
mod killed;
