//! What every wire form shares: sizes, close codes, and how a text is cut before it is read.

pub mod commands;
pub mod cut;
pub mod native;
pub mod people;
pub mod records;
pub mod session;
pub mod uplink;

/// The largest frame a client may send, in bytes.
pub const LARGEST_FRAME: usize = 64 * 1024;

/// How deep a client's JSON may nest.
pub const DEEPEST_NESTING: usize = 32;

/// Why a socket was closed (`native-wire` 9).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CloseCode {
    /// Logged out, or replaced by the same client.
    Normal,
    Policy,
    TooBig,
    Internal,
    /// The server stops for a moment: come back.
    Restart,
    /// S1, S2 and S4: not signed in.
    Unauthenticated,
    /// An unknown version, or not permitted.
    Refused,
    /// The house is full.
    Limit,
    /// Too slow to follow: come back.
    Slow,
    /// Another socket goes on with this connection.
    TakenOver,
    /// Not signed in, or the sign-in has expired.
    Unauthorized,
    UnknownDevice,
    /// No sign of life for three heartbeats.
    Silent,
    /// Frames came too fast.
    TooFast,
    /// Any code that is not ours.
    Other(u16),
}

impl CloseCode {
    pub const fn number(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::Policy => 1008,
            Self::TooBig => 1009,
            Self::Internal => 1011,
            Self::Restart => 1012,
            Self::Unauthenticated => 4001,
            Self::Refused => 4002,
            Self::Limit => 4003,
            Self::Slow => 4008,
            Self::TakenOver => 4009,
            Self::Unauthorized => 4401,
            Self::UnknownDevice => 4404,
            Self::Silent => 4408,
            Self::TooFast => 4429,
            Self::Other(number) => number,
        }
    }

    /// Whether trying again as before can help.
    pub const fn invites_return(self) -> bool {
        !matches!(
            self,
            Self::Unauthenticated | Self::Refused | Self::Unauthorized | Self::UnknownDevice
        )
    }
}

impl From<u16> for CloseCode {
    fn from(number: u16) -> Self {
        let known = ALL.iter().find(|code| code.number() == number);
        known.copied().unwrap_or(Self::Other(number))
    }
}

/// Whether brackets nest deeper than [`DEEPEST_NESTING`]; does not care whether `text` is JSON.
pub fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST_NESTING {
            return true;
        }
    }
    false
}

const ALL: [CloseCode; 14] = [
    CloseCode::Normal,
    CloseCode::Policy,
    CloseCode::TooBig,
    CloseCode::Internal,
    CloseCode::Restart,
    CloseCode::Unauthenticated,
    CloseCode::Refused,
    CloseCode::Limit,
    CloseCode::Slow,
    CloseCode::TakenOver,
    CloseCode::Unauthorized,
    CloseCode::UnknownDevice,
    CloseCode::Silent,
    CloseCode::TooFast,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_are_those_of_the_native_wire() {
        for code in ALL {
            assert_eq!(CloseCode::from(code.number()), code);
        }
        assert_eq!(CloseCode::from(1006), CloseCode::Other(1006));
        assert!(CloseCode::Restart.invites_return());
        assert!(!CloseCode::UnknownDevice.invites_return());
    }

    #[test]
    fn nesting_is_counted_outside_of_strings() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let table = [
            (nested(32), false),
            (nested(33), true),
            (nested(100_000), true),
            (format!("\"{}\"", nested(40)), false),
            ("\"\\\"".to_owned() + &nested(40) + "\"", false),
        ];
        for (text, expected) in table {
            assert_eq!(is_too_deep(&text), expected, "{}", &text[..text.len().min(60)]);
        }
    }
}
