//! The parts that pages are made of.

pub(crate) mod bar;
pub(crate) mod happenings;
pub(crate) mod icon;
pub(crate) mod lamp;
pub(crate) mod link;
pub(crate) mod reach;
pub(crate) mod reading;
pub(crate) mod shell;
pub(crate) mod sparkline;
pub(crate) mod state;
pub(crate) mod tile;
