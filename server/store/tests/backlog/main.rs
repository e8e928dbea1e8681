//! Real files in a temporary folder: a row waits until it is uploaded, whatever happens.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bounds;
mod desk;
mod failing_disk;
mod killed;
mod uploaded;
