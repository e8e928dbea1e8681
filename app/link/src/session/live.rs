//! While the connection stands: what frames mean, and what to ask for.

use std::collections::BTreeSet;

use protocol::stream::StreamName;
use protocol::time::Instant;
use protocol::wire::CloseCode;
use protocol::wire::native::{
    ClientMessage, ConnectionLost, HeartbeatAck, ServerFrame, ServerMessage, ServiceRestarted,
    Subscribed,
};

use super::{Letter, Session, State};
use crate::event::{Action, News, Notice};
use crate::heartbeat::Pulse;
use crate::status::Ending;
use crate::vitals::Recovery;

impl Session {
    pub(super) fn want(&mut self, names: BTreeSet<StreamName>, now: Instant) -> Vec<Action> {
        let said = self.streams.want(names, now);
        match self.state {
            State::Live { .. } => said.into_iter().map(|message| self.say(message, now)).collect(),
            // All that is wanted is said once the connection stands.
            _ => Vec::new(),
        }
    }

    pub(super) fn pulse(&mut self, now: Instant) -> Vec<Action> {
        let wall = self.clock.at(now);
        let State::Live { heart, .. } = &mut self.state else { return Vec::new() };
        match heart.pulse(now, wall) {
            Pulse::Rest => Vec::new(),
            Pulse::Beat => vec![self.say(ClientMessage::Heartbeat, now)],
            Pulse::Dead => self.hang_up(Ending::Silent, CloseCode::Silent, now),
        }
    }

    /// Asks for what is missing, once it is time to.
    pub(super) fn ask(&mut self, now: Instant) -> Vec<Action> {
        if !matches!(self.state, State::Live { .. }) {
            return Vec::new();
        }
        let lost = self.streams.lost(now);
        lost.into_iter().map(|message| self.say(message, now)).collect()
    }

    pub(super) fn hear(&mut self, text: &str, now: Instant) -> Vec<Action> {
        match self.read(text) {
            Letter::Sound(frame) => self.on_frame(*frame, now),
            Letter::Damaged(claim) => {
                if let Some(frame) = claim {
                    self.streams.claim(&frame, now, &mut self.vitals);
                }
                vec![self.spoil()]
            }
            Letter::Foreign => Vec::new(),
        }
    }

    fn on_frame(&mut self, frame: ServerFrame, now: Instant) -> Vec<Action> {
        self.server_time.note(frame.timestamp, now);
        match &frame.message {
            ServerMessage::HeartbeatAck(ack) => self.on_ack(ack, now),
            ServerMessage::DataRecovered(recovered) => {
                self.streams.give_up(&frame, recovered, now, &mut self.vitals);
                Vec::new()
            }
            ServerMessage::ServiceRestarted(restarted) => self.on_restarted(restarted),
            ServerMessage::Subscribed(subscribed) => self.on_subscribed(subscribed),
            ServerMessage::ConnectionLost(lost) => self.on_other_lost(lost),
            ServerMessage::DataTampered(tampered) => self.on_tampered(tampered),
            ServerMessage::InvalidCommandFormat(invalid) => self.on_invalid(invalid),
            ServerMessage::CommandResult(result) => self.on_result(result),
            ServerMessage::ConflictHighPriority(conflict) => self.on_conflict(conflict),
            ServerMessage::ConnectFail(_) | ServerMessage::ConnectSuccess(_) => Vec::new(),
            ServerMessage::CommandExecuted(_)
            | ServerMessage::DataUpdate(_)
            | ServerMessage::FullSnapshot(_)
            | ServerMessage::StateChanged(_)
            | ServerMessage::Unknown => {
                let news = self.streams.hear(frame, now, &mut self.vitals);
                self.tell(news, now)
            }
        }
    }

    fn on_ack(&mut self, ack: &HeartbeatAck, now: Instant) -> Vec<Action> {
        let State::Live { heart, .. } = &mut self.state else { return Vec::new() };
        let rtt = heart.answer(ack.echo, now);
        self.vitals.rtt = rtt.or(self.vitals.rtt);
        self.server_time.correct(ack.server_time, rtt, now);
        let news = self.streams.reach(&ack.streams, ack.server_time, now, &mut self.vitals);
        let mut actions = self.tell(news, now);
        let again = self.streams.unanswered(now);
        actions.extend(again.map(|message| self.say(message, now)));
        actions
    }

    /// S0-71: the streams begin anew, and what is left of the old ones comes first.
    fn on_restarted(&mut self, restarted: &ServiceRestarted) -> Vec<Action> {
        self.streams.restart(restarted, &mut self.vitals);
        self.epoch = Some(restarted.epoch.clone());
        if self.restarted.as_ref() == Some(&restarted.epoch) {
            return Vec::new();
        }
        self.restarted = Some(restarted.epoch.clone());
        vec![notice(Notice::Restarted(restarted.clone()))]
    }

    fn on_subscribed(&mut self, subscribed: &Subscribed) -> Vec<Action> {
        self.streams.grant(subscribed, &mut self.vitals);
        let refused = subscribed.refused.clone();
        (!refused.is_empty()).then(|| notice(Notice::RefusedStreams(refused))).into_iter().collect()
    }

    fn on_other_lost(&self, lost: &ConnectionLost) -> Vec<Action> {
        let is_other = self.connection.as_ref() != Some(&lost.connection_id);
        is_other.then(|| notice(Notice::OtherLost(lost.clone()))).into_iter().collect()
    }

    /// Passes news on; the first sure word on the own stream ends an outage.
    fn tell(&mut self, news: Vec<News>, now: Instant) -> Vec<Action> {
        let is_sure = |news: &News| matches!(news, News::Confirmed { stream, .. } if self.streams.is_own(stream));
        let is_whole = news.iter().any(is_sure);
        let restored = is_whole.then(|| self.vitals.recover(now)).flatten();
        let restored = restored.map(|Recovery { repaired, lost, after }| {
            notice(Notice::Restored { repaired, lost, after })
        });
        let overheard = self.overhear(&news);
        news.into_iter().map(Action::Apply).chain(restored).chain(overheard).collect()
    }
}

pub(super) fn notice(notice: Notice) -> Action {
    Action::Apply(News::Notice(notice))
}
