//! How long somebody is let in, when a page does something about it, and where it leads back to.

use std::time::Duration;

use protocol::time::Timestamp;

/// How much longer the person at a page is let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stay {
    /// Nobody has to sign in, or nobody knows until when it holds.
    Endless,
    Long(Duration),
    /// So little that it is counted down.
    Ending(Duration),
    Over,
}

/// What a page asks of the server about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// To let the person in for longer.
    Prolong,
    /// Whether another page has prolonged it.
    Look,
}

impl Stay {
    pub(crate) fn of(expires: Option<Timestamp>, now: Timestamp) -> Self {
        match expires.map(|expires| expires.since(now)) {
            None => Self::Endless,
            Some(Duration::ZERO) => Self::Over,
            Some(left) if left <= ENDING => Self::Ending(left),
            Some(left) => Self::Long(left),
        }
    }

    /// What is to be done, where there was no hand on the page for so long.
    pub(crate) fn step(self, idle: Duration) -> Option<Step> {
        match self {
            Self::Ending(_) if idle <= IN_USE => Some(Step::Prolong),
            Self::Over => Some(Step::Look),
            _ => None,
        }
    }

    /// `4:59`, or `59 min` where nobody counts the seconds.
    pub(crate) fn left(self) -> Option<String> {
        match self {
            Self::Endless | Self::Over => None,
            Self::Long(left) => Some(crate::format::age(left)),
            Self::Ending(left) => {
                let seconds = left.as_millis().div_ceil(1000);
                Some(format!("{}:{:02}", seconds / 60, seconds % 60))
            }
        }
    }
}

/// Whether a page that nobody touched for so long is read-only.
pub(crate) fn is_locked(lock_after_ms: Option<u64>, idle: Duration) -> bool {
    lock_after_ms.is_some_and(|after| idle >= Duration::from_millis(after))
}

/// Where the sign-in leads to: a path of this very server, whatever the address says.
pub(crate) fn way_back(to: Option<&str>) -> &str {
    let is_ours = |path: &&str| {
        let is_plain = !path.contains(|c: char| c == '\\' || c.is_control());
        // Browsers take `//` for the beginning of another host.
        path.starts_with('/') && !path.starts_with("//") && is_plain
    };
    to.filter(is_ours).filter(|path| !path.starts_with("/login")).unwrap_or("/")
}

/// What is left is counted down from here on (S0-87).
const ENDING: Duration = Duration::from_secs(5 * 60);

/// A page is in use where there was a hand on it within this time.
const IN_USE: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_763_705_002_000);

    #[test]
    fn the_last_five_minutes_are_counted_down() {
        let seconds = Duration::from_secs;
        let table = [
            (3600, Stay::Long(seconds(3600)), Some("1 h")),
            (301, Stay::Long(seconds(301)), Some("5 min")),
            (300, Stay::Ending(seconds(300)), Some("5:00")),
            (9, Stay::Ending(seconds(9)), Some("0:09")),
            (0, Stay::Over, None),
        ];
        for (left, expected, shown) in table {
            let stay = Stay::of(Some(NOW + seconds(left)), NOW);
            assert_eq!(stay, expected, "{left} s");
            assert_eq!(stay.left().map(|left| left.replace('\u{a0}', " ")).as_deref(), shown);
        }
        assert_eq!(Stay::of(Some(NOW), NOW + seconds(1)), Stay::Over);
        assert_eq!(Stay::of(None, NOW), Stay::Endless);
    }

    #[test]
    fn who_works_is_not_interrupted_and_who_is_away_is() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let table = [
            (Stay::Endless, 0, None),
            (Stay::Long(minutes(59)), 0, None),
            (Stay::Ending(minutes(4)), 0, Some(Step::Prolong)),
            (Stay::Ending(minutes(4)), 5, Some(Step::Prolong)),
            (Stay::Ending(minutes(4)), 6, None),
            (Stay::Over, 0, Some(Step::Look)),
            (Stay::Over, 60, Some(Step::Look)),
        ];
        for (stay, idle, expected) in table {
            assert_eq!(stay.step(minutes(idle)), expected, "{stay:?} after {idle} min");
        }
    }

    #[test]
    fn a_page_that_nobody_touches_is_locked_unless_it_never_is() {
        let table = [
            (None, 1_000_000, false),
            (Some(900_000), 899_999, false),
            (Some(900_000), 900_000, true),
        ];
        for (after, idle, expected) in table {
            assert_eq!(is_locked(after, Duration::from_millis(idle)), expected, "{after:?} {idle}");
        }
    }

    #[test]
    fn a_sign_in_leads_nowhere_else() {
        // OWASP: unvalidated redirects
        let table = [
            (None, "/"),
            (Some(""), "/"),
            (Some("/devices/board-1?x=1#y"), "/devices/board-1?x=1#y"),
            (Some("/commands?to=//x"), "/commands?to=//x"),
            (Some("//evil.example"), "/"),
            (Some("/\\evil.example"), "/"),
            (Some("\\/evil.example"), "/"),
            (Some("/\t/evil.example"), "/"),
            (Some("/\n/evil.example"), "/"),
            (Some("https://evil.example"), "/"),
            (Some("javascript:alert(1)"), "/"),
            (Some("devices"), "/"),
            (Some("/login?to=/x"), "/"),
        ];
        for (to, expected) in table {
            assert_eq!(way_back(to), expected, "{to:?}");
        }
    }
}
