//! Why a question has no answer, as the library and the [`Tap`](crate::tap::Tap) tell it.

use std::io::ErrorKind;

use protocol::reading::Reason;
use tokio_modbus::{Error, ProtocolError};

use super::{ReadError, WriteError};

/// Why a question has no answer.
pub(super) enum Trouble {
    Exception(u8),
    Silent(Reason),
    /// The connection ended once the question had left.
    Ended,
    /// It had ended before: the question never left.
    Unsent,
}

impl From<Trouble> for ReadError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Exception(code) => Self::Exception(code),
            Trouble::Silent(reason) => Self::Silent(reason),
            Trouble::Ended | Trouble::Unsent => Self::Away(Reason::Disconnected),
        }
    }
}

impl From<Trouble> for WriteError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Exception(code) => Self::Exception(code),
            Trouble::Silent(reason) => Self::Unconfirmed(reason),
            Trouble::Ended => Self::Unconfirmed(Reason::Disconnected),
            Trouble::Unsent => Self::Away(Reason::Disconnected),
        }
    }
}

/// What an error of the library means; the end of the connection is the tap's word.
pub(super) fn failure(error: &Error) -> Trouble {
    tracing::debug!(%error, "no answer to trust: {error}");
    match error {
        Error::Protocol(ProtocolError::HeaderMismatch { .. }) => {
            Trouble::Silent(Reason::ForeignUnit)
        }
        Error::Protocol(ProtocolError::FunctionCodeMismatch { .. }) => {
            Trouble::Silent(Reason::Garbage)
        }
        Error::Transport(error) => match error.kind() {
            ErrorKind::UnexpectedEof => Trouble::Silent(Reason::ShortAnswer),
            // The decoder has this one word for bits that end before their count does.
            ErrorKind::InvalidData if error.to_string() == "too short" => {
                Trouble::Silent(Reason::ShortAnswer)
            }
            ErrorKind::InvalidData | ErrorKind::InvalidInput => Trouble::Silent(Reason::Garbage),
            ErrorKind::NotConnected => Trouble::Unsent,
            _ => Trouble::Ended,
        },
    }
}
