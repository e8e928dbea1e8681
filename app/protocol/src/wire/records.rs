//! What is on record, as the REST interface tells it: newest first, a page at a time.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// One page of `GET /api/logs/websocket` (S0-80, S0-81).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct LogPage {
    /// Handed back as `before`, it leads to what is older; `None` where there is no more.
    pub next: Option<String>,
    pub rows: Vec<LogRow>,
}

/// One line of the lifecycle log (S0-73 to S0-78).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct LogRow {
    pub at: Timestamp,
    /// What a connection was sent, once it is closed (S0-75).
    pub bytes_sent: Option<u64>,
    pub connection_id: Option<String>,
    pub detail: String,
    pub device_id: Option<String>,
    pub frames_sent: Option<u64>,
    pub id: u64,
    /// What it is about, such as `opened` or `refused`.
    pub kind: String,
    pub level: Level,
    /// `WebSocket`, `Auth`, …
    pub module: String,
    pub user: Option<String>,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    Info,
    Warn,
    Error,
}

/// One page of `GET /api/audit`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct AuditPage {
    /// Handed back as `before`, it leads to what is older; `None` where there is no more.
    pub next: Option<String>,
    pub rows: Vec<AuditRow>,
}

/// Something that somebody did, or tried to (IEC 62443 CR 2.8).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct AuditRow {
    /// Such as `sign_in`, `command` or `user_changed`.
    pub action: String,
    pub after: Option<String>,
    pub at: Timestamp,
    pub before: Option<String>,
    pub detail: String,
    /// From which address, or through what.
    pub from: String,
    /// Over this row and the hash of the one before it, as 64 hexadecimal digits.
    pub hash: String,
    pub id: u64,
    /// Whether it was done; otherwise the detail says why not.
    pub is_done: bool,
    pub role: Option<String>,
    /// To whom or to what.
    pub target: String,
    pub user: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_back_as_written() {
        let log = r#"{"next":null,"rows":[{"at":1,"bytes_sent":null,"connection_id":"c-1","detail":"from 10.0.0.7","device_id":"board-1","frames_sent":null,"id":7,"kind":"opened","level":"INFO","module":"WebSocket","user":"li"}]}"#;
        let page: LogPage = serde_json::from_str(log).unwrap();
        assert_eq!(serde_json::to_string(&page).unwrap(), log);
        let audit = r#"{"next":"7","rows":[{"action":"sign_in","after":null,"at":1,"before":null,"detail":"","from":"10.0.0.7","hash":"00","id":7,"is_done":true,"role":"operator","target":"li","user":"li"}]}"#;
        let page: AuditPage = serde_json::from_str(audit).unwrap();
        assert_eq!(serde_json::to_string(&page).unwrap(), audit);
    }
}
