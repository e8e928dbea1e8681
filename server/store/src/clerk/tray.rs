//! What was handed in, on its way to the clerk.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::{Mutex, mpsc};

use super::ledger::Ledger;
use crate::reads::Reads;

/// Where what is handed in waits for its writer. A writer that is started again takes up where the
/// one before it was.
#[derive(Debug)]
pub(crate) struct Tray<L: Ledger> {
    pub(crate) desk: Arc<Mutex<Desk<L>>>,
    /// How much did not even get in.
    pub(crate) refused: Arc<AtomicU64>,
    pub(crate) reads: Reads,
}

impl<L: Ledger> Clone for Tray<L> {
    fn clone(&self) -> Self {
        let (desk, refused) = (Arc::clone(&self.desk), Arc::clone(&self.refused));
        Self { desk, refused, reads: self.reads.clone() }
    }
}

#[derive(Debug)]
pub(crate) struct Desk<L: Ledger> {
    pub(super) letters: mpsc::Receiver<L::Letter>,
    pub(crate) ledger: L,
}

impl<L: Ledger> Tray<L> {
    pub(crate) fn new(letters: mpsc::Receiver<L::Letter>, ledger: L) -> Self {
        let desk = Arc::new(Mutex::new(Desk { letters, ledger }));
        Self { desk, refused: Arc::default(), reads: Reads::default() }
    }
}

impl<L: Ledger> Desk<L> {
    /// Waits for letters and takes them in. `false` once nobody is left who could send one.
    pub(super) async fn take_in(&mut self) -> bool {
        let mut letters = Vec::new();
        let taken = self.letters.recv_many(&mut letters, AT_ONCE).await;
        letters.into_iter().for_each(|letter| self.ledger.take(letter));
        taken > 0
    }

    pub(super) fn take_rest(&mut self) {
        while let Ok(letter) = self.letters.try_recv() {
            self.ledger.take(letter);
        }
    }
}

/// How many letters are taken in before the disk is looked after again.
const AT_ONCE: usize = 1024;
