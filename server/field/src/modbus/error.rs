//! What a board's connection says when there is no answer to trust.

use protocol::reading::Reason;
use protocol::report::Reach;

/// Why a block could not be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReadError {
    #[error("the board answered with exception {0}")]
    Exception(u8),
    #[error("the board gave no answer to trust: {0}")]
    Silent(Reason),
    #[error("there is no connection to the board: {0}")]
    Away(Reason),
}

/// Why a board did not confirm a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WriteError {
    #[error("the board answered with exception {0}: {words}", words = meaning(*.0))]
    Exception(u8),
    /// It may have been written, or not.
    #[error("the board did not confirm the write: {0}")]
    Unconfirmed(Reason),
    /// Nothing was written.
    #[error("there is no connection to the board: {0}")]
    Away(Reason),
}

impl ReadError {
    pub fn reason(self) -> Reason {
        match self {
            Self::Exception(code) => Reason::Exception(code),
            Self::Silent(reason) | Self::Away(reason) => reason,
        }
    }

    pub fn reach(self) -> Reach {
        match self {
            // It was the gateway that answered, because the board did not.
            Self::Exception(NO_PATH | NO_ANSWER) => Reach::Silent,
            Self::Exception(_) => Reach::Answered,
            Self::Silent(_) => Reach::Silent,
            Self::Away(_) => Reach::Away,
        }
    }
}

/// What the standard says about an exception.
fn meaning(exception: u8) -> &'static str {
    match exception {
        1 => "it has no such function",
        2 => "it has no such address",
        3 => "it takes no such value",
        4 => "it failed",
        5 => "it has begun and needs longer",
        6 => "it is busy",
        NO_PATH => "the gateway has no way to it",
        NO_ANSWER => "it did not answer the gateway",
        _ => "the standard does not know it",
    }
}

/// The exceptions that a gateway answers with in place of the board.
pub(crate) const NO_PATH: u8 = 10;
pub(crate) const NO_ANSWER: u8 = 11;
