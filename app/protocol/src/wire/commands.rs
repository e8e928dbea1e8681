//! What `GET /api/commands` tells: orders as they were put on record, newest first.

use serde::{Deserialize, Serialize};

use crate::command::{Failure, Origin, Steps};
use crate::frame::CommandStatus;
use crate::id::DeviceId;
use crate::reading::Value;
use crate::time::Timestamp;

/// One page of the record.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct CommandPage {
    /// Handed back as `before`, it leads to what is older; `None` where there is no more.
    pub next: Option<String>,
    pub rows: Vec<CommandRow>,
}

/// An order from its acceptance to its outcome.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CommandRow {
    pub accepted_at: Timestamp,
    /// When it came to its end; `None` as long as that is not known, like all that follows from it.
    pub at: Option<Timestamp>,
    pub command: String,
    pub command_id: String,
    /// More about a failure, in words.
    pub detail: Option<String>,
    pub device_id: DeviceId,
    /// The row's own number: an order may be given again under its id after ten minutes.
    pub id: u64,
    /// From the acceptance of the order to its outcome.
    pub ms: Option<u32>,
    /// What the read-back found.
    pub new: Option<Value>,
    /// What was there before.
    pub old: Option<Value>,
    pub origin: Origin,
    pub param: Option<String>,
    pub reason: Option<Failure>,
    pub status: Option<CommandStatus>,
    #[serde(default)]
    pub steps: Steps,
    pub user: String,
    /// Whether a read-back showed the effect; `None` where nobody knows.
    pub verified: Option<bool>,
    /// From where it came.
    pub via: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back_as_written() {
        let text = r#"{"next":"17","rows":[{"accepted_at":1,"at":41,"command":"SET_TEMP_THRESHOLD","command_id":"c-1","detail":null,"device_id":"board-1","id":17,"ms":40,"new":32.0,"old":30.5,"origin":"local","param":"32","reason":null,"status":"SUCCESS","steps":{"recorded":2,"sent":3,"written":9},"user":"anonymous","verified":true,"via":"10.0.0.7"}]}"#;
        let page: CommandPage = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&page).unwrap(), text);
        assert_eq!(page.rows[0].steps.written, Some(9));
    }
}
