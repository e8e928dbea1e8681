//! A frame of a stream, and how it is written for all who receive it.

use std::sync::OnceLock;

use protocol::digest::Seal;
use protocol::frame::{Body, EventId, Frame};
use protocol::id::Epoch;
use protocol::wire::native::{Prepared, ServerMessage, Snapshot};

/// A frame and its encodings, made when first asked for and shared by all receivers.
#[derive(Debug)]
pub struct Shared {
    pub epoch: Epoch,
    pub frame: Frame,
    native: OnceLock<Prepared>,
}

impl Shared {
    pub(super) fn new(epoch: Epoch, frame: Frame) -> Self {
        Self { epoch, frame, native: OnceLock::new() }
    }

    /// The frame in S0's wire form, but for what each connection stamps in. With `timed`, it tells
    /// when it was made.
    pub fn native(&self, seal: &Seal, timed: bool) -> &Prepared {
        self.native.get_or_init(|| {
            let event = self
                .is_event()
                .then(|| EventId { epoch: self.epoch.clone(), offset: self.frame.offset });
            let message = message(&self.frame.body);
            let prepared = Prepared::new(seal, message.kind(), self.frame.at, event, &message);
            match self.frame.stamps.filter(|_| timed) {
                Some(stamps) => prepared.timed(stamps),
                None => prepared,
            }
        })
    }

    pub fn is_event(&self) -> bool {
        matches!(self.frame.body, Body::Event(_))
    }
}

fn message(body: &Body) -> ServerMessage {
    match body {
        Body::Delta(update) => ServerMessage::DataUpdate(update.clone()),
        Body::Event(event) => event.clone().into(),
        Body::Snapshot(update) => {
            ServerMessage::FullSnapshot(Snapshot { update: update.clone(), settles: None })
        }
    }
}
