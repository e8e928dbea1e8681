//! What a page asks of the server beside its socket, and what it is answered.

use std::time::Duration;

use protocol::json;
use serde::{Deserialize, Serialize};

/// A request to our own server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    pub method: Method,
    pub path: String,
    /// JSON.
    pub body: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// What came of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answer {
    /// Nought where none came.
    pub status: u16,
    pub body: String,
    /// After so many seconds it is worth to ask again.
    pub retry_after: Option<u64>,
}

/// Whoever waits for an answer.
pub type Then = Box<dyn FnOnce(Answer)>;

/// Why a request was in vain.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Failed {
    /// As the server calls it, or one of those below.
    pub code: String,
    /// In the server's words.
    pub detail: String,
    pub wait: Option<Duration>,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::Get, path: path.into(), body: None }
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::Delete, path: path.into(), body: None }
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self { method: Method::Post, path: path.into(), body: None }
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self { method: Method::Put, path: path.into(), body: None }
    }

    /// What we write can always be written.
    pub(crate) fn with(self, body: &impl Serialize) -> Self {
        Self { body: serde_json::to_string(body).ok(), ..self }
    }
}

impl Answer {
    pub(crate) fn outcome(self) -> Result<String, Failed> {
        match self.status {
            200..300 => Ok(self.body),
            0 => Err(Failed::of(NO_CONNECTION)),
            status => Err(refusal(status, &self.body, self.retry_after)),
        }
    }
}

impl Failed {
    pub(crate) fn of(code: &str) -> Self {
        Self { code: code.into(), ..Self::default() }
    }
}

fn refusal(status: u16, body: &str, retry_after: Option<u64>) -> Failed {
    #[derive(Deserialize)]
    struct Body {
        code: String,
        msg: String,
    }
    let wait = retry_after.map(Duration::from_secs);
    match json::read(body) {
        Ok(Body { code, msg }) => Failed { code, detail: msg, wait },
        Err(_) if status == 401 => Failed::of(UNAUTHORIZED),
        Err(_) => Failed { detail: format!("HTTP {status}"), wait, ..Failed::default() },
    }
}

/// The server did not answer.
pub(crate) const NO_CONNECTION: &str = "NO_CONNECTION";

/// The server does not know whoever asks, or not any more.
pub(crate) const UNAUTHORIZED: &str = "UNAUTHORIZED";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_text_or_a_reason() {
        let answer = |status, body: &str| Answer { status, body: body.into(), retry_after: None };
        let code = |answer: Answer| answer.outcome().map_err(|failed| failed.code);
        let refused = |code: &str| Err(String::from(code));
        let table = [
            (answer(200, "[]"), Ok("[]".into())),
            (answer(204, ""), Ok(String::new())),
            (answer(0, ""), refused(NO_CONNECTION)),
            (
                answer(401, r#"{"code":"WRONG_CREDENTIALS","msg":"x"}"#),
                refused("WRONG_CREDENTIALS"),
            ),
            (answer(401, ""), refused(UNAUTHORIZED)),
            (answer(502, "<html>"), refused("")),
        ];
        for (answer, expected) in table {
            assert_eq!(code(answer.clone()), expected, "{answer:?}");
        }
        let locked = r#"{"code":"LOCKED","msg":"later"}"#;
        let locked = Answer { retry_after: Some(900), ..answer(429, locked) };
        assert_eq!(locked.outcome().unwrap_err().wait, Some(Duration::from_secs(900)));
    }
}
