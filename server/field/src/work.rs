//! What waits to be done at the boards of a channel, beside reading them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use protocol::job::Job;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};
use tokio::time::{Instant, sleep_until};

/// A job, and how long it is worth doing.
#[derive(Clone, Debug)]
pub struct Assignment {
    pub job: Job,
    /// What came of it is told by then; what has not begun by then is never done.
    pub until: Instant,
}

impl Assignment {
    /// A job that is handed over now.
    pub fn new(job: Job) -> Self {
        let until = Instant::now() + job.within;
        Self { job, until }
    }

    /// How long ago it was handed over.
    pub(crate) fn age(&self) -> Duration {
        let left = self.until.saturating_duration_since(Instant::now());
        self.job.within.saturating_sub(left)
    }
}

/// Where jobs for the boards of one channel are handed in. Cheap to clone, and never waits.
#[derive(Clone, Debug)]
pub struct Jobs(mpsc::Sender<Assignment>);

/// Where jobs wait for their poller. A poller that is started again takes up where the one before
/// it was.
#[derive(Clone, Debug)]
pub struct JobInbox(Arc<Mutex<Desk>>);

/// Why a job was not taken; it will not be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotTaken {
    #[error("too many jobs wait for the channel")]
    Full,
    #[error("nobody polls the channel any more")]
    Closed,
}

impl Jobs {
    pub fn open() -> (Self, JobInbox) {
        let (outbox, inbox) = mpsc::channel(ROOM);
        let desk = Desk { inbox, waiting: VecDeque::new() };
        (Self(outbox), JobInbox(Arc::new(Mutex::new(desk))))
    }

    /// Hands in a job; what comes of it is the poller's news.
    pub fn hand_in(&self, assignment: Assignment) -> Result<(), NotTaken> {
        self.0.try_send(assignment).map_err(|error| match error {
            TrySendError::Full(_) => NotTaken::Full,
            TrySendError::Closed(_) => NotTaken::Closed,
        })
    }
}

impl JobInbox {
    /// Takes its jobs; waits until whoever had them before has ended.
    pub(crate) async fn take(self) -> OwnedMutexGuard<Desk> {
        self.0.lock_owned().await
    }
}

/// The jobs of a poller at work, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Desk {
    inbox: mpsc::Receiver<Assignment>,
    waiting: VecDeque<Assignment>,
}

impl Desk {
    /// Waits for the next job.
    pub(crate) async fn next(&mut self) -> Assignment {
        match self.waiting.pop_front() {
            Some(assignment) => assignment,
            None => receive(&mut self.inbox).await,
        }
    }

    /// The next job, if one waits.
    pub(crate) fn pop(&mut self) -> Option<Assignment> {
        self.waiting.pop_front().or_else(|| self.inbox.try_recv().ok())
    }

    /// How many jobs wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() + self.inbox.len()
    }

    /// Waits for a job to be past its time while it waits, and takes it out.
    pub(crate) async fn next_expired(&mut self) -> Assignment {
        loop {
            let waiting = self.waiting.iter().enumerate();
            let first = waiting.min_by_key(|(_, assignment)| assignment.until);
            let first = first.map(|(place, assignment)| (place, assignment.until));
            let has_room = self.waiting.len() < ROOM;
            tokio::select! {
                assignment = receive(&mut self.inbox), if has_room => {
                    self.waiting.push_back(assignment);
                }
                place = passed(first) => {
                    if let Some(expired) = self.waiting.remove(place) {
                        return expired;
                    }
                }
            }
        }
    }
}

async fn receive(inbox: &mut mpsc::Receiver<Assignment>) -> Assignment {
    match inbox.recv().await {
        Some(assignment) => assignment,
        // Nobody can hand in any more.
        None => std::future::pending().await,
    }
}

/// Waits until the job at this place is past its time.
async fn passed(first: Option<(usize, Instant)>) -> usize {
    match first {
        Some((place, until)) => {
            sleep_until(until).await;
            place
        }
        None => std::future::pending().await,
    }
}

/// The Station gives a device one order at a time: so many devices of a channel may have one at
/// once. Whoever finds no room is told at once.
const ROOM: usize = 64;

#[cfg(test)]
mod tests {
    use protocol::command::{OrderKey, Origin};
    use protocol::id::ChannelId;
    use protocol::job::Task;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_room_is_told() {
        let (jobs, inbox) = Jobs::open();
        for _ in 0..ROOM {
            assert_eq!(jobs.hand_in(assignment("a", 450)), Ok(()));
        }
        assert_eq!(jobs.hand_in(assignment("late", 450)), Err(NotTaken::Full));
        drop(inbox);
        assert_eq!(jobs.hand_in(assignment("late", 450)), Err(NotTaken::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn jobs_wait_in_their_order_for_whoever_takes_up_the_work() {
        let (jobs, inbox) = Jobs::open();
        for id in ["a", "b", "c"] {
            jobs.hand_in(assignment(id, 450)).unwrap();
        }
        let mut desk = inbox.clone().take().await;
        assert_eq!((desk.len(), desk.next().await.job.key.id), (3, "a".into()));
        let nothing_yet = tokio::time::timeout(Duration::from_millis(1), desk.next_expired());
        nothing_yet.await.unwrap_err();
        drop(desk);
        let mut desk = inbox.take().await;
        assert_eq!(desk.pop().map(|next| next.job.key.id), Some("b".into()));
        assert_eq!(desk.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_waits_beyond_its_time_is_taken_out() {
        let (jobs, inbox) = Jobs::open();
        jobs.hand_in(assignment("patient", 450)).unwrap();
        jobs.hand_in(assignment("hasty", 100)).unwrap();
        let mut desk = inbox.take().await;
        let expired = desk.next_expired().await;
        assert_eq!((expired.job.key.id.as_str(), expired.age()), ("hasty", expired.job.within));
        assert_eq!(desk.next().await.job.key.id, "patient");
    }

    fn assignment(id: &str, millis: u64) -> Assignment {
        let key = OrderKey {
            origin: Origin::Local,
            user: "op".into(),
            device: "board-1".parse().unwrap(),
            id: id.into(),
        };
        Assignment::new(Job {
            device: key.device.clone(),
            key,
            channel: ChannelId(1),
            task: Task::Pace(Duration::from_secs(1)),
            within: Duration::from_millis(millis),
        })
    }
}
