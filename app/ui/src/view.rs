//! The parts that pages are made of.
//!
//! What changes is written as a closure where it stands, `{move || word()}`, and views of several
//! shapes end in `into_any`: `view!` makes one type of all of these. A closure that comes out of a
//! variable is a type of its own, and each costs the browser kilobytes. So does a memo of another type
//! and a handler that has not gone through [`hear`].

pub(crate) mod bar;
pub(crate) mod chips;
pub(crate) mod confirm;
pub(crate) mod dom;
pub(crate) mod errand;
pub(crate) mod form;
pub(crate) mod happenings;
pub(crate) mod hear;
pub(crate) mod hold;
pub(crate) mod icon;
pub(crate) mod lamp;
pub(crate) mod link;
pub(crate) mod modal;
pub(crate) mod password;
pub(crate) mod progress;
pub(crate) mod reach;
pub(crate) mod reading;
pub(crate) mod sheet;
pub(crate) mod shell;
pub(crate) mod sign_in;
pub(crate) mod sparkline;
pub(crate) mod state;
pub(crate) mod table;
pub(crate) mod tile;
