//! Real files in a temporary folder: what was put on record is there after whatever happens.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod damage;
mod desk;
mod failing_disk;
mod log;
mod records;
