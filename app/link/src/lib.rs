//! The client's half of a session: when to dial, when to beat, what is missing, what to show.

pub mod status;
