//! Our Modbus slave: what it answers, and masters that nobody here wrote.

mod answers;
mod masters;
mod pymodbus;
mod raw;
mod support;
