//! Passwords are looked at two at a time, on threads that nobody waits for.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use identity::{Digest, Hashed, password};
use tokio::sync::Semaphore;

/// The passwords that are being looked at.
pub(super) struct Hashing<T> {
    under_way: FuturesUnordered<Work<T>>,
    hands: Arc<Semaphore>,
}

type Work<T> = Pin<Box<dyn Future<Output = (T, Found)> + Send>>;

/// What is to be found out about a password, and what is to be made.
pub(super) struct Task {
    /// Is this the password of whom this is kept? `None`: nobody is asked.
    pub(super) check: Option<(Option<Hashed>, Digest)>,
    /// Make this under that salt, if the other was right.
    pub(super) make: Option<(Digest, [u8; 16])>,
}

/// What was found out.
pub(super) struct Found {
    pub(super) is_right: bool,
    pub(super) made: Option<Hashed>,
}

impl<T: Send + 'static> Hashing<T> {
    pub(super) fn new() -> Self {
        Self { under_way: FuturesUnordered::new(), hands: Arc::new(Semaphore::new(HANDS)) }
    }

    pub(super) fn is_full(&self) -> bool {
        self.under_way.len() >= MOST
    }

    /// Begins; what it was about comes back with what was found.
    pub(super) fn begin(&mut self, about: T, task: Task) {
        let hands = Arc::clone(&self.hands);
        self.under_way.push(Box::pin(async move {
            let _hand = hands.acquire().await;
            let found = tokio::task::spawn_blocking(move || task.run()).await;
            (about, found.unwrap_or(Found { is_right: false, made: None }))
        }));
    }

    /// The next that is done; never, where there is none.
    pub(super) async fn next(&mut self) -> (T, Found) {
        match self.under_way.next().await {
            Some(done) => done,
            None => std::future::pending().await,
        }
    }
}

impl Task {
    fn run(self) -> Found {
        let is_right =
            self.check.is_none_or(|(kept, digest)| password::verify(kept.as_ref(), &digest));
        let make = self.make.filter(|_| is_right);
        Found { is_right, made: make.map(|(digest, salt)| password::hash(&digest, salt)) }
    }
}

/// Each takes 19 MiB and a core for some hundredths of a second.
const HANDS: usize = 2;

/// Those beyond are told to come again: nobody waits for seconds.
const MOST: usize = 64;
