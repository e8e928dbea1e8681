//! The road towards hardware: Modbus boards read on time, and boards in software to try it on.

pub mod decode;
pub mod encode;
pub mod map;
pub mod modbus;
pub mod plan;
pub mod poller;
pub mod simulator;
pub mod slave;
pub mod work;

mod backoff;
mod clock;
mod device;
mod errand;
mod line;
mod mbap;
mod pdu;
mod serial;
mod tap;
