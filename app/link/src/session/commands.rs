//! Orders to devices, and what is heard of them.

use protocol::command::Origin;
use protocol::frame::{CommandExecuted, CommandStatus, KeyEvent};
use protocol::id::DeviceId;
use protocol::time::Instant;
use protocol::wire::native::{
    ClientMessage, Command, CommandResult, ConflictHighPriority, Invalid, Tampered,
};

use super::live::notice;
use super::{Session, State};
use crate::event::{Action, News, Notice, Progress};
use crate::pending::Due;

impl Session {
    /// Sends an order, or says at once that it was not sent: nothing is kept for later.
    pub(super) fn command(
        &mut self,
        device: DeviceId,
        id: String,
        name: String,
        param: Option<String>,
        now: Instant,
    ) -> Vec<Action> {
        if !self.is_live() {
            return vec![progress(id, Progress::NotSent)];
        }
        let valid_until = self.server_time(now).map(|time| time + self.pending.life());
        let command = Command { id: id.clone(), name, param, valid_until };
        if !self.pending.send(device.clone(), command.clone(), now) {
            return Vec::new();
        }
        let said = self.say_to(&device, ClientMessage::Command(command), now);
        vec![said, progress(id, Progress::Sent)]
    }

    /// Sends once more what had no answer in time, or gives it up.
    pub(super) fn hurry(&mut self, now: Instant) -> Vec<Action> {
        if matches!(self.state, State::Ended) {
            return Vec::new();
        }
        let mut actions = Vec::new();
        for due in self.pending.due(self.is_live(), now) {
            match due {
                Due::Repeat(device, command) => {
                    let id = command.id.clone();
                    actions.push(self.say_to(&device, ClientMessage::Command(command), now));
                    actions.push(progress(id, Progress::Resent));
                }
                Due::GiveUp(id) => actions.push(progress(id, Progress::NoResponse)),
            }
        }
        actions
    }

    pub(super) fn on_result(&mut self, result: &CommandResult) -> Vec<Action> {
        self.answered(&result.command_id, Progress::Done(result.clone()))
    }

    pub(super) fn on_conflict(&mut self, conflict: &ConflictHighPriority) -> Vec<Action> {
        self.answered(&conflict.command_id, Progress::Conflict(conflict.clone()))
    }

    pub(super) fn on_invalid(&mut self, invalid: &Invalid) -> Vec<Action> {
        let rejected = Progress::Rejected(invalid.clone());
        let told = match (&invalid.command_id, self.pending.only()) {
            (Some(id), _) => self.answered(id, rejected),
            (None, Some(id)) if self.pending.guess(&id) => vec![progress(id, rejected)],
            (None, _) => Vec::new(),
        };
        if told.is_empty() { vec![notice(Notice::Rejected(invalid.clone()))] } else { told }
    }

    pub(super) fn on_tampered(&mut self, tampered: &Tampered) -> Vec<Action> {
        let told = tampered.command_id.as_ref();
        let told = told.map(|id| self.answered(id, Progress::Tampered)).unwrap_or_default();
        [notice(Notice::Tampered)].into_iter().chain(told).collect()
    }

    /// What key events tell of our orders; it counts where no answer came.
    pub(super) fn overhear(&mut self, news: &[News]) -> Vec<Action> {
        let mut actions = Vec::new();
        for news in news {
            let News::Happened { event: KeyEvent::CommandExecuted(executed), .. } = news else {
                continue;
            };
            let is_ours = executed.origin == Origin::Local;
            if is_ours && self.pending.overhear(&executed.command_id) {
                let done = Progress::Done(result_of(executed));
                actions.push(progress(executed.command_id.clone(), done));
            }
        }
        actions
    }

    fn answered(&mut self, id: &str, how: Progress) -> Vec<Action> {
        self.pending.answer(id).then(|| progress(id.into(), how)).into_iter().collect()
    }

    fn is_live(&self) -> bool {
        matches!(self.state, State::Live { .. })
    }
}

fn progress(id: String, progress: Progress) -> Action {
    Action::Apply(News::Command { id, progress })
}

/// The answer that the asker would have had, as far as everyone is told it.
fn result_of(executed: &CommandExecuted) -> CommandResult {
    let is_success = executed.status == CommandStatus::Success;
    CommandResult {
        command_id: executed.command_id.clone(),
        detail: None,
        executed_at: executed.at,
        ms: executed.ms,
        new: executed.new,
        old: executed.old,
        reason: executed.reason,
        status: executed.status,
        // Something was read back, and success means that it was what was asked for.
        verified: executed.new.map(|_| is_success),
    }
}
