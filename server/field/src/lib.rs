//! The road towards hardware: Modbus boards read on time, and boards in software to try it on.

pub mod decode;
pub mod map;
pub mod plan;
