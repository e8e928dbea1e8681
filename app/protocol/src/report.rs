//! What one poll of one device brought home: facts only, no judgement of quality.

use crate::id::DeviceId;
use crate::reading::{Reason, Value};

/// The outcome of one poll.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub device: DeviceId,
    pub reach: Reach,
    /// One result for each point that was due, by its place in [`crate::point::Device::points`].
    pub results: Vec<(usize, Result<Value, Reason>)>,
}

/// Whether the board showed a sign of life during the poll.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// It answered, if only with an exception.
    Answered,
    /// A connection stands, but no answer to anything came.
    Silent,
    /// There is no connection to it.
    Away,
}
