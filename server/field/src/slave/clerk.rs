//! Hears a request, has carried out what it orders, and says what to answer.

use std::sync::Arc;
use std::time::SystemTime;

use protocol::time::Timestamp;
use tokio::sync::mpsc;

use super::answer::{Answer, Rules, Source};
use super::clock::Staged;
use super::wish::{Wish, carry_out};
use crate::pdu;

/// One for each connection; all of them know the same.
#[derive(Clone)]
pub(super) struct Clerk {
    pub(super) rules: Arc<Rules>,
    pub(super) source: Arc<dyn Source>,
    pub(super) wishes: mpsc::Sender<Wish>,
    /// The units that were asked for something they know.
    pub(super) asked: mpsc::Sender<u8>,
}

impl Clerk {
    /// The answer of `unit`, once it is due; `None` where there is none.
    pub(super) async fn answer(
        &self,
        unit: u8,
        request: &[u8],
        via: &str,
        staged: &mut Staged,
    ) -> Option<Vec<u8>> {
        match self.rules.answer(unit, request, &*self.source, now(), staged) {
            Answer::Silence => None,
            Answer::Bytes(bytes) => {
                if is_sensible(&bytes) {
                    self.note(unit).await;
                }
                Some(bytes)
            }
            Answer::Wishes { wished, confirmation } => {
                self.note(unit).await;
                let function = confirmation.first().copied().unwrap_or(0);
                let done = carry_out(wished, via, &self.wishes).await;
                Some(
                    done.map_or_else(
                        |exception| pdu::refusal(function, exception),
                        |()| confirmation,
                    ),
                )
            }
        }
    }

    /// Carries out what was said to all units at once.
    pub(super) async fn hear_broadcast(&self, request: &[u8], via: &str, staged: &mut Staged) {
        for unit in self.rules.map.units() {
            self.answer(unit, request, via, staged).await;
        }
    }

    async fn note(&self, unit: u8) {
        // Where nobody watches any more, the slave is about to end.
        let _ = self.asked.send(unit).await;
    }
}

/// Whether the request was one that a master with the right map can make.
fn is_sensible(answer: &[u8]) -> bool {
    !matches!(answer, [function, 1..=3] if function & 0x80 != 0)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
