//! Hands each order to whoever can carry it out, and brings back what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::Event;
use field::work::{Assignment, Jobs};
use gateway::{Edges, Hub};
use protocol::command::Failure;
use protocol::id::ChannelId;
use protocol::job::{Done, Execution, Job, NotDone, Task};
use protocol::reading::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::paces::Paces;

/// Who carries out what.
pub(super) struct Ways {
    /// The pollers of boards.
    pub boards: BTreeMap<ChannelId, Jobs>,
    /// The edges of a center.
    pub edges: Option<Edges>,
    pub paces: Paces,
}

/// Passes jobs on until nobody gives any more.
pub(super) async fn hand_out(mut jobs: mpsc::Receiver<Job>, ways: Ways, hub: Hub) {
    while let Some(job) = jobs.recv().await {
        if let Task::Pace(interval) = job.task {
            // The disk may take its time; other channels do not wait for it.
            tokio::spawn(set_pace(job, interval, ways.paces.clone(), hub.clone()));
            continue;
        }
        let Err(not_done) = ways.pass_on(&job) else { continue };
        let execution = Execution { result: Err(not_done), written_after: None };
        if hub.tell(Event::Executed { key: job.key, execution }).await.is_err() {
            return;
        }
    }
}

impl Ways {
    fn pass_on(&self, job: &Job) -> Result<(), NotDone> {
        if let (Task::Forward { .. }, Some(edges)) = (&job.task, &self.edges) {
            return edges.order(job.clone());
        }
        let board = self.boards.get(&job.channel).ok_or(Failure::NotSupported)?;
        board.hand_in(Assignment::new(job.clone())).map_err(|why| {
            let detail = Some(why.to_string());
            NotDone { failure: Failure::Busy, detail, found: None }
        })
    }
}

/// A pace that is not on the disk would not survive a restart: then it is not set either.
async fn set_pace(job: Job, interval: Duration, paces: Paces, hub: Hub) {
    let set = timeout(job.within, paces.order(job.channel, interval)).await;
    // What is told as not done must not hold after a restart either.
    let is_late = set.is_err();
    let result = match set {
        Ok(Ok(())) => {
            let new = Some(Value::Number(interval.as_secs_f64()));
            Ok(Done { old: None, new })
        }
        Ok(Err(why)) => {
            let detail = Some(why.to_string());
            Err(NotDone { failure: Failure::NotRecorded, detail, found: None })
        }
        Err(_) => Err(NotDone::from(Failure::NotRecorded)),
    };
    let execution = Execution { result, written_after: None };
    // Without a Station there is nobody to tell.
    let _ = hub.tell(Event::Executed { key: job.key, execution }).await;
    if is_late {
        paces.keep_present(job.channel).await;
    }
}
