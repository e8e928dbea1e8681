#![doc = include_str!("../README.md")]

pub mod command;
pub mod device;
pub mod digest;
pub mod frame;
pub mod id;
pub mod job;
pub mod journal;
pub mod json;
pub mod part;
pub mod point;
pub mod reading;
pub mod report;
pub mod small;
pub mod stream;
pub mod time;
pub mod wire;
