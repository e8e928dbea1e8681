//! The history of devices' states, as it goes up to the system server (S0-46 to S0-51).

use serde::{Deserialize, Serialize};

use crate::id::{DeviceId, Incarnation};
use crate::time::Timestamp;

/// One row of the table `status_history`: something about a device is another than before.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct StatusRow {
    /// Which bit of its word it is, where it is one.
    pub bit_position: Option<u8>,
    pub device_id: DeviceId,
    pub new_value: String,
    pub old_value: String,
    /// When it was put on record.
    pub record_time: Timestamp,
    pub status_name: String,
    pub status_type: String,
    /// When it happened.
    pub timestamp: Timestamp,
}

/// A row with the number it has in its backlog; a number is never given twice in one incarnation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct NumberedRow {
    pub id: u64,
    #[serde(flatten)]
    pub row: StatusRow,
}

/// Rows that go up together.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct StatusBatch {
    pub incarnation: Incarnation,
    pub rows: Vec<NumberedRow>,
}
