//! Commands that wait for their answer: each is sent, once more if need be, and comes to an end.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::id::DeviceId;
use protocol::time::Instant;
use protocol::wire::native::Command;

/// The commands of one page, until nothing new can be said of them.
#[derive(Debug)]
pub(crate) struct Pending {
    /// How long the server may take, each time it is asked (S0-60, S0-61).
    limit: Duration,
    waiting: Vec<Waiting>,
    /// What ended lately, oldest first, and whether the server itself had answered.
    ended: VecDeque<(String, Ending)>,
}

#[derive(Debug)]
struct Waiting {
    device: DeviceId,
    command: Command,
    sent_at: Instant,
    due_at: Instant,
    is_repeated: bool,
}

/// How a command ended, as far as is known; the surer comes later.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Ending {
    /// Nothing was heard of it in time.
    Silent,
    /// An answer that names nobody was taken for its own.
    Guessed,
    /// A key event told what became of it.
    Overheard,
    Answered,
}

/// What a command asks for, now that its time is over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Due {
    /// Send it once more, under the same id.
    Repeat(DeviceId, Command),
    /// `COMMAND_NO_RESPONSE`.
    GiveUp(String),
}

impl Pending {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, waiting: Vec::new(), ended: VecDeque::new() }
    }

    /// Takes note of a command that is being sent; `false` if its id waits already.
    pub(crate) fn send(&mut self, device: DeviceId, command: Command, now: Instant) -> bool {
        let is_new = !self.is_waiting(&command.id);
        if is_new {
            self.ended.retain(|(id, _)| *id != command.id);
            let due_at = now + self.limit;
            let (sent_at, is_repeated) = (now, false);
            self.waiting.push(Waiting { device, command, sent_at, due_at, is_repeated });
        }
        is_new
    }

    /// How long after it was sent a command is given up.
    pub(crate) fn life(&self) -> Duration {
        2 * self.limit
    }

    pub(crate) fn due_at(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.due_at).min()
    }

    /// What is due; whoever has no connection repeats nothing.
    pub(crate) fn due(&mut self, is_live: bool, now: Instant) -> Vec<Due> {
        let (life, limit) = (self.life(), self.limit);
        let mut due = Vec::new();
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.due_at <= now) {
            if waiting.is_repeated || waiting.sent_at + life <= now {
                due.push(Due::GiveUp(waiting.command.id.clone()));
                continue;
            }
            waiting.is_repeated = true;
            waiting.due_at = now + limit;
            if is_live {
                due.push(Due::Repeat(waiting.device.clone(), waiting.command.clone()));
            }
        }
        for over in &due {
            if let Due::GiveUp(id) = over {
                self.end(id, Ending::Silent);
            }
        }
        due
    }

    /// Takes the server's answer; `false` if it says nothing new, or is to nobody here.
    pub(crate) fn answer(&mut self, id: &str) -> bool {
        self.settle(id, Ending::Answered)
    }

    /// Takes what a key event tells of a command; `false` if it says nothing new.
    pub(crate) fn overhear(&mut self, id: &str) -> bool {
        self.settle(id, Ending::Overheard)
    }

    /// Takes an answer that names nobody for this one's; whatever names it is surer.
    pub(crate) fn guess(&mut self, id: &str) -> bool {
        self.settle(id, Ending::Guessed)
    }

    /// The one command that waits, if it is the only one: an answer that names none is to it.
    pub(crate) fn only(&self) -> Option<String> {
        match self.waiting.as_slice() {
            [waiting] => Some(waiting.command.id.clone()),
            _ => None,
        }
    }

    /// The surer word replaces the other, even after a command was given up.
    fn settle(&mut self, id: &str, ending: Ending) -> bool {
        let known = self.ended.iter().find(|(ended, _)| ended == id).map(|(_, how)| *how);
        let is_news = match (known, ending) {
            (Some(known), _) => ending > known,
            (None, _) => self.is_waiting(id),
        };
        if is_news {
            self.end(id, ending);
        }
        is_news
    }

    fn end(&mut self, id: &str, ending: Ending) {
        self.waiting.retain(|waiting| waiting.command.id != id);
        self.ended.retain(|(ended, _)| ended != id);
        self.ended.push_back((id.into(), ending));
        if self.ended.len() > MOST_ENDED {
            self.ended.pop_front();
        }
    }

    fn is_waiting(&self, id: &str) -> bool {
        self.waiting.iter().any(|waiting| waiting.command.id == id)
    }
}

/// More than one page gives in the five minutes for which a server repeats key events.
const MOST_ENDED: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(500);

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn device() -> DeviceId {
        "board-1".parse().unwrap()
    }

    fn command(id: &str) -> Command {
        Command { id: id.into(), name: "START".into(), param: None, valid_until: None }
    }

    fn sent(ids: &[&str]) -> Pending {
        let mut pending = Pending::new(LIMIT);
        ids.iter().for_each(|id| assert!(pending.send(device(), command(id), at(0))));
        pending
    }

    #[test]
    fn a_silent_server_is_asked_once_more_and_then_given_up() {
        // S0-60, S0-61
        let mut pending = sent(&["a"]);
        let table = [
            (499, vec![]),
            (500, vec![Due::Repeat(device(), command("a"))]),
            (999, vec![]),
            (1_000, vec![Due::GiveUp("a".into())]),
            (1_500, vec![]),
        ];
        for (millis, expected) in table {
            assert_eq!(pending.due(true, at(millis)), expected, "after {millis} ms");
        }
        assert_eq!(pending.due_at(), None);
    }

    #[test]
    fn nothing_is_repeated_without_a_connection_or_after_a_sleep() {
        let mut pending = sent(&["a"]);
        assert_eq!(pending.due(false, at(500)), []);
        assert_eq!(pending.due_at(), Some(at(1_000)));
        assert_eq!(pending.due(true, at(1_000)), [Due::GiveUp("a".into())]);
        assert_eq!(sent(&["a"]).due(true, at(60_000)), [Due::GiveUp("a".into())]);
    }

    #[test]
    fn the_surer_word_stands() {
        let mut pending = sent(&["a"]);
        assert!(pending.overhear("a") && !pending.overhear("a"));
        assert!(pending.answer("a") && !pending.answer("a") && !pending.overhear("a"));

        let mut pending = sent(&["a"]);
        pending.due(true, at(1_000));
        assert!(pending.overhear("a"), "it was given up, and yet it was carried out");
        assert!(!pending.answer("b"), "nobody here sent that");

        let mut pending = sent(&["a"]);
        assert!(pending.guess("a") && !pending.guess("a"));
        assert!(pending.overhear("a") && pending.answer("a"), "that names it");
    }

    #[test]
    fn an_answer_without_a_name_is_to_the_only_one_who_waits() {
        assert_eq!(sent(&["a"]).only(), Some("a".into()));
        assert_eq!(sent(&["a", "b"]).only(), None);
        assert_eq!(sent(&[]).only(), None);
    }

    #[test]
    fn an_id_that_waits_is_not_sent_again_by_hand() {
        assert!(!sent(&["a"]).send(device(), command("a"), at(10)));
    }

    proptest! {
        #[test]
        fn each_command_ends_within_a_second_and_goes_out_twice_at_most(
            steps in prop::collection::vec((0..400u64, 0..4usize, 0..4u8, any::<bool>()), 1..60),
        ) {
            let names = ["a", "b", "c", "d"];
            let mut pending = Pending::new(LIMIT);
            let mut since = std::collections::BTreeMap::<String, (u64, u32)>::new();
            let mut clock = 0;
            for (pause, which, what, is_live) in steps {
                let end = clock + pause;
                while let Some(at) = pending.due_at().filter(|at| at.as_millis() <= end) {
                    for due in pending.due(is_live, at) {
                        match due {
                            Due::Repeat(_, command) => since.get_mut(&command.id).unwrap().1 += 1,
                            Due::GiveUp(id) => drop(since.remove(&id)),
                        }
                    }
                }
                clock = end;
                let name = names[which];
                match what {
                    0 | 1 if pending.send(device(), command(name), at(clock)) => {
                        since.insert(name.into(), (clock, 1));
                    }
                    2 if pending.answer(name) => drop(since.remove(name)),
                    3 if pending.overhear(name) => drop(since.remove(name)),
                    _ => {}
                }
                for (name, (sent_at, times)) in &since {
                    prop_assert!(clock < sent_at + 1_000 && *times <= 2, "{name} at {clock}");
                }
                prop_assert_eq!(pending.waiting.len(), since.len());
            }
        }

        #[test]
        fn memory_is_bounded(count in 0..2_000usize) {
            let mut pending = Pending::new(LIMIT);
            for number in 0..count {
                pending.send(device(), command(&number.to_string()), at(0));
                pending.answer(&number.to_string());
            }
            prop_assert_eq!((pending.waiting.len(), pending.ended.len()), (0, count.min(MOST_ENDED)));
        }
    }
}
