//! Who is here, how many may be, and where those who left can take up again.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::id::{ConnectionId, DeviceId, UserId};
use protocol::journal::{self, Base};
use protocol::small::SmallMap;
use protocol::stream::StreamName;
use protocol::time::{Clock, Instant};

/// How many connections are let in.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: usize,
    /// For each user who has a name of their own.
    pub per_user: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 10_000, per_user: 10 }
    }
}

/// Someone at the door.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The id to use if the known one cannot be.
    pub fresh: ConnectionId,
    /// The id of a former stay, as the client gave it.
    pub known: Option<ConnectionId>,
    pub device: DeviceId,
    /// `None` where sign-in is off.
    pub user: Option<UserId>,
}

/// What becomes of an arrival.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    Admitted {
        connection: ConnectionId,
        /// Where each stream of the former stay began; `None` for a newcomer.
        resumed: Option<SmallMap<StreamName, Base>>,
        /// A living socket of the same stay was here: close it as taken over.
        replaced: bool,
    },
    Full,
}

/// All stays, of those who are here and those who may return.
#[derive(Debug)]
pub struct Presence {
    limits: Limits,
    stays: BTreeMap<ConnectionId, Stay>,
    here: usize,
    forgotten_at: Instant,
}

#[derive(Debug)]
struct Stay {
    device: DeviceId,
    user: Option<UserId>,
    bases: SmallMap<StreamName, Base>,
    left: Option<Instant>,
}

impl Presence {
    /// The stays that an earlier run knew; those whose socket is still open are here.
    pub fn new(limits: Limits, stays: Vec<journal::Stay>, clock: &Clock, now: Instant) -> Self {
        let here = stays.iter().filter(|stay| stay.left.is_none()).count();
        let wall = clock.at(now);
        let stay = |stay: journal::Stay| {
            let left = stay.left.map(|left| now - wall.since(left));
            let journal::Stay { bases, connection, device, user, .. } = stay;
            (connection, Stay { device, user, bases, left })
        };
        let stays = stays.into_iter().map(stay).collect();
        Self { limits, stays, here, forgotten_at: now }
    }

    /// What is to be kept of a stay.
    pub fn stay(&self, connection: &ConnectionId, clock: &Clock) -> Option<journal::Stay> {
        let stay = self.stays.get(connection)?;
        Some(journal::Stay {
            bases: stay.bases.clone(),
            connection: connection.clone(),
            device: stay.device.clone(),
            left: stay.left.map(|left| clock.at(left)),
            user: stay.user.clone(),
        })
    }

    /// Lets someone in, back in, or not in.
    pub fn arrive(&mut self, arrival: Arrival, now: Instant) -> Admission {
        self.forget(now);
        let known = arrival.known.as_ref().and_then(|id| self.stays.get_mut(id).map(|s| (id, s)));
        if let Some((id, stay)) = known
            && (&stay.device, &stay.user) == (&arrival.device, &arrival.user)
            && stay.is_kept(now)
        {
            let replaced = stay.left.is_none();
            let bases = stay.bases.clone();
            let connection = id.clone();
            stay.left = None;
            self.here += usize::from(!replaced);
            return Admission::Admitted { connection, resumed: Some(bases), replaced };
        }
        if self.is_full(arrival.user.as_ref()) {
            return Admission::Full;
        }
        let Arrival { fresh, device, user, .. } = arrival;
        self.here += 1;
        self.stays
            .insert(fresh.clone(), Stay { device, user, bases: SmallMap::default(), left: None });
        Admission::Admitted { connection: fresh, resumed: None, replaced: false }
    }

    /// Remembers where a connection's numbers of a stream begin.
    pub fn joined(&mut self, connection: &ConnectionId, stream: StreamName, base: Base) {
        if let Some(stay) = self.stays.get_mut(connection) {
            stay.bases.insert(stream, base);
        }
    }

    /// A stream is no longer followed.
    pub fn parted(&mut self, connection: &ConnectionId, stream: &StreamName) {
        if let Some(stay) = self.stays.get_mut(connection) {
            stay.bases.remove(stream);
        }
    }

    /// The socket is closed; its position is kept for those who come back.
    pub fn depart(&mut self, connection: &ConnectionId, now: Instant) {
        if let Some(stay) = self.stays.get_mut(connection)
            && stay.left.is_none()
        {
            stay.left = Some(now);
            self.here = self.here.saturating_sub(1);
        }
    }

    fn is_full(&self, user: Option<&UserId>) -> bool {
        let of_user = |stay: &&Stay| stay.left.is_none() && stay.user.as_ref() == user;
        self.here >= self.limits.connections
            || user.is_some() && self.stays.values().filter(of_user).count() >= self.limits.per_user
    }

    fn forget(&mut self, now: Instant) {
        if now.since(self.forgotten_at) < FORGET_EVERY {
            return;
        }
        self.forgotten_at = now;
        self.stays.retain(|_, stay| stay.is_kept(now));
    }
}

impl Stay {
    fn is_kept(&self, now: Instant) -> bool {
        self.left.is_none_or(|left| now.since(left) <= KEPT_FOR)
    }
}

/// A closed socket keeps its position for five minutes.
const KEPT_FOR: Duration = Duration::from_secs(300);

/// Thousands who come back at once shall not each look through all stays.
const FORGET_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use protocol::frame::Offset;
    use protocol::time::Timestamp;

    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn arrival(fresh: &str, known: Option<&str>, device: &str, user: Option<&str>) -> Arrival {
        Arrival {
            fresh: fresh.parse().unwrap(),
            known: known.map(|id| id.parse().unwrap()),
            device: device.parse().unwrap(),
            user: user.map(|id| id.parse().unwrap()),
        }
    }

    fn presence() -> Presence {
        Presence::new(Limits { connections: 3, per_user: 2 }, Vec::new(), &Clock::default(), at(0))
    }

    fn base() -> Base {
        Base { epoch: "e1".parse().unwrap(), offset: Offset(7) }
    }

    #[test]
    fn a_stay_outlives_a_restart_with_the_time_it_has_left() {
        // S0-70
        let clock = Clock::new(at(1_000), Timestamp::from_millis(1_000_000));
        let mut earlier = presence();
        earlier.arrive(arrival("a", None, "board-1", None), at(1_000));
        earlier.joined(&"a".parse().unwrap(), "device/board-1".parse().unwrap(), base());
        earlier.depart(&"a".parse().unwrap(), at(1_000));
        let stay = earlier.stay(&"a".parse().unwrap(), &clock).unwrap();
        for (pause, expected) in [(300, true), (301, false)] {
            let limits = Limits { connections: 3, per_user: 2 };
            let start = at(1_000 + pause);
            let mut later = Presence::new(limits, vec![stay.clone()], &clock, start);
            let back = later.arrive(arrival("b", Some("a"), "board-1", None), start);
            assert_eq!(is_resumed(&back), expected, "after {pause} s");
        }
    }

    fn is_resumed(admission: &Admission) -> bool {
        matches!(admission, Admission::Admitted { resumed: Some(_), .. })
    }

    #[test]
    fn a_stay_is_taken_up_again_for_five_minutes() {
        for (pause, expected) in [(0, true), (300, true), (301, false)] {
            let mut presence = presence();
            presence.arrive(arrival("a", None, "board-1", None), at(0));
            presence.joined(&"a".parse().unwrap(), "device/board-1".parse().unwrap(), base());
            presence.depart(&"a".parse().unwrap(), at(10));
            let back = presence.arrive(arrival("b", Some("a"), "board-1", None), at(10 + pause));
            assert_eq!(is_resumed(&back), expected, "after {pause} s");
            if let Admission::Admitted { resumed: Some(bases), .. } = back {
                assert_eq!(bases, [("device/board-1".parse().unwrap(), base())].into());
            }
        }
    }

    #[test]
    fn nobody_takes_up_the_stay_of_another() {
        let mut presence = presence();
        presence.arrive(arrival("a", None, "board-1", Some("li")), at(0));
        presence.depart(&"a".parse().unwrap(), at(1));
        for (device, user) in [("board-1", Some("wu")), ("board-1", None), ("board-2", Some("li"))]
        {
            let back = presence.arrive(arrival("b", Some("a"), device, user), at(2));
            assert!(!is_resumed(&back), "{device} {user:?}");
            presence.depart(&"b".parse().unwrap(), at(2));
        }
        let foreign = presence.arrive(arrival("c", Some("zzz"), "board-1", None), at(3));
        assert!(!is_resumed(&foreign));
    }

    #[test]
    fn a_second_socket_with_a_living_id_takes_over() {
        let mut presence = presence();
        presence.arrive(arrival("a", None, "board-1", None), at(0));
        let second = presence.arrive(arrival("b", Some("a"), "board-1", None), at(1));
        assert!(matches!(second, Admission::Admitted { replaced: true, .. }));
        assert_eq!(presence.here, 1);
    }

    #[test]
    fn a_full_house_lets_nobody_in_and_a_leaver_makes_room() {
        let mut presence = presence();
        for (id, user) in [("a", Some("li")), ("b", Some("li"))] {
            presence.arrive(arrival(id, None, "board-1", user), at(0));
        }
        let third = arrival("c", None, "board-1", Some("li"));
        assert_eq!(presence.arrive(third.clone(), at(0)), Admission::Full);
        presence.arrive(arrival("d", None, "board-1", None), at(0));
        assert_eq!(presence.arrive(arrival("e", None, "board-1", None), at(0)), Admission::Full);
        presence.depart(&"a".parse().unwrap(), at(1));
        assert_ne!(presence.arrive(third, at(1)), Admission::Full);
    }
}
