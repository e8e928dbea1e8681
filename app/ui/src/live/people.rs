//! Who is at the page, for how long, and what is asked of the server in their name.

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use link::status::LinkState;
use protocol::json;
use protocol::time::Timestamp;
use protocol::user::Right;
use protocol::wire::native::FailReason;
use protocol::wire::session::SessionGrant;

use super::Live;
use super::call::{Answer, Call, Failed, Then, UNAUTHORIZED};
use crate::bootstrap::Person;
use crate::stay::{self, Stay, Step};

/// All that [`Live`] knows of whoever looks. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct People {
    person: RwSignal<Option<Person>>,
    /// The server does not know the person any more.
    is_out: RwSignal<bool>,
    is_locked: RwSignal<bool>,
    watch: StoredValue<Watch>,
    shell: StoredValue<Option<Shell>, LocalStorage>,
}

/// Whoever carries out what the page asks.
type Shell = Rc<dyn Fn(Call, Then)>;

/// What is followed from second to second, by the clock of the browser.
#[derive(Clone, Copy, Default)]
struct Watch {
    now: Timestamp,
    /// When there was a hand on a page of this browser.
    hand: Option<Timestamp>,
    /// When something was last done about the person's stay.
    stepped: Option<Timestamp>,
}

impl People {
    pub(super) fn new(person: Option<Person>) -> Self {
        Self {
            person: RwSignal::new(person),
            is_out: RwSignal::new(false),
            is_locked: RwSignal::new(false),
            watch: StoredValue::new(Watch::default()),
            shell: StoredValue::new_local(None),
        }
    }

    fn lock_after_ms(self) -> Option<u64> {
        self.person.with_untracked(|person| person.as_ref().and_then(|p| p.lock_after_ms))
    }
}

/// What the browser's shell tells and hears of people.
impl Live {
    /// Calls `carry_out` with what the page asks of the server, and who waits for the answer.
    pub fn on_call(self, carry_out: impl Fn(Call, Then) + 'static) {
        self.people.shell.set_value(Some(Rc::new(carry_out)));
    }

    /// The server has said for whom the page speaks.
    pub fn granted(self, grant: &SessionGrant) {
        let person = Some(Person::from(grant));
        if self.people.person.get_untracked() != person {
            self.people.person.set(person);
        }
        self.people.is_out.set(false);
    }

    /// There was a hand on the page; one that is locked does not wake by it.
    pub fn touch(self, now: Timestamp) {
        let lock_after = self.people.lock_after_ms();
        self.people.watch.update_value(|watch| {
            let idle = watch.hand.map(|hand| now.since(hand)).unwrap_or_default();
            if !stay::is_locked(lock_after, idle) {
                watch.hand = Some(now);
            }
        });
    }

    /// A second has passed. `kept` is when there was a hand on any page of this browser, as far as
    /// is known; the answer is what is to be kept.
    pub fn keep_watch(self, now: Timestamp, kept: Option<Timestamp>) -> Option<Timestamp> {
        let known = self.people.watch.get_value().hand;
        // A clock that was set back would keep the page awake until it has caught up.
        let hand = known.max(kept).map_or(now, |hand| hand.min(now));
        self.people.watch.update_value(|watch| (watch.now, watch.hand) = (now, Some(hand)));
        let lock_after = self.people.lock_after_ms();
        let is_locked = stay::is_locked(lock_after, now.since(hand));
        if self.people.is_locked.get_untracked() != is_locked {
            self.people.is_locked.set(is_locked);
        }
        untrack(|| self.see_to_stay(now, hand));
        // A page that is never locked, such as the way in, is no hand on one that is.
        lock_after.map(|_| hand).or(kept)
    }
}

/// What pages ask of people.
impl Live {
    pub(crate) fn person(self) -> Option<Person> {
        self.people.person.get()
    }

    /// Whether the person at this page may do something; the server has the last word.
    pub(crate) fn may(self, right: Right) -> bool {
        self.people.person.read().as_ref().is_some_and(|person| person.role.may(right))
    }

    pub(crate) fn stay(self) -> Stay {
        let expires = self.people.person.read().as_ref().and_then(|person| person.expires);
        Stay::of(expires, self.now())
    }

    /// Whether the person has to sign in again before anything more is told.
    pub(crate) fn is_out(self) -> bool {
        let is_refused = self.status.with(|status| {
            let state = status.as_ref().map(|status| &status.state);
            matches!(state, Some(LinkState::Refused { reason: FailReason::Unauthorized, .. }))
        });
        self.people.is_out.get() || is_refused
    }

    /// Whether nobody acts here before the password was given once more.
    pub(crate) fn is_locked(self) -> bool {
        self.people.is_locked.get()
    }

    /// The password was given once more.
    pub(crate) fn unlock(self) {
        self.people.watch.update_value(|watch| watch.hand = Some(watch.now));
        self.people.is_locked.set(false);
    }

    /// Somebody has signed in at this very page: it goes on where it was.
    pub(crate) fn back_again(self, grant: &SessionGrant) {
        self.unlock();
        self.granted(grant);
        self.retry();
    }

    /// The person is to be let in for longer.
    pub(crate) fn prolong(self) {
        self.renew(Call::post("/api/refresh"));
    }

    /// Asks something of the server.
    pub(crate) fn call(self, call: Call, then: impl FnOnce(Result<String, Failed>) + 'static) {
        let then = move |answer: Answer| {
            let outcome = answer.outcome();
            if outcome.as_ref().is_err_and(|failed| failed.code == UNAUTHORIZED) {
                self.people.is_out.set(true);
            }
            then(outcome);
        };
        if let Some(shell) = self.people.shell.get_value() {
            untrack(|| shell(call, Box::new(then)));
        }
    }

    /// Prolongs a stay that is used, and notices where one is over.
    fn see_to_stay(self, now: Timestamp, hand: Timestamp) {
        let step = self.stay().step(now.since(hand));
        let watch = self.people.watch;
        let is_soon = watch.get_value().stepped.is_some_and(|at| now.since(at) < REST);
        let Some(step) = step.filter(|_| !is_soon && !self.is_out()) else { return };
        watch.update_value(|watch| watch.stepped = Some(now));
        match step {
            Step::Prolong => self.prolong(),
            Step::Look => self.renew(Call::get("/api/session")),
        }
    }

    fn renew(self, call: Call) {
        self.call(call, move |answer| {
            if let Some(grant) = answer.ok().and_then(|text| json::read(&text).ok()) {
                self.granted(&grant);
            }
        });
    }
}

/// What was asked for in vain is asked for again after so long.
const REST: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::Bootstrap;
    use crate::sample::{self, NOW};

    fn grant(expires: Timestamp) -> SessionGrant {
        SessionGrant { expires: Some(expires), ..sample::grant() }
    }

    type Asked = Rc<RefCell<Vec<(Call, Then)>>>;

    /// A page of somebody who is let in for so many seconds, and what it asks of the server.
    fn page(seconds: u64) -> (Owner, Live, Asked) {
        let owner = Owner::new();
        owner.set();
        let person = Person::from(&grant(NOW + Duration::from_secs(seconds)));
        let live = Live::with(Bootstrap { person: Some(person), ..sample::page(None) });
        let asked = Asked::default();
        let all = asked.clone();
        live.on_call(move |call, then| all.borrow_mut().push((call, then)));
        (owner, live, asked)
    }

    fn answer(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, body: body.into(), retry_after: None }
    }

    #[test]
    fn a_stay_that_is_used_is_prolonged_once() {
        // S0-87
        let (_owner, live, asked) = page(240);
        let second = |n: u64| NOW + Duration::from_secs(n);
        live.touch(NOW);
        for n in 0..10 {
            live.keep_watch(second(n), None);
        }
        assert_eq!(asked.borrow().len(), 1, "and not every second");
        let (call, then) = asked.borrow_mut().remove(0);
        assert_eq!((call.method, &*call.path), (super::super::Method::Post, "/api/refresh"));
        let longer = grant(NOW + Duration::from_secs(3600));
        then(answer(200, serde_json::to_string(&longer).unwrap()));
        assert_eq!(live.stay(), Stay::Long(Duration::from_secs(3600)));
    }

    #[test]
    fn nobody_is_prolonged_who_is_away_and_the_end_is_noticed() {
        // S0-89
        let (_owner, live, asked) = page(240);
        live.keep_watch(NOW, Some(Timestamp::from_millis(NOW.as_millis() - 301_000)));
        assert!(asked.borrow().is_empty());
        let later = NOW + Duration::from_secs(240);
        live.tick(Default::default(), later);
        live.keep_watch(later, None);
        let (call, then) = asked.borrow_mut().remove(0);
        assert_eq!(call, Call::get("/api/session"));
        assert!(!live.is_out());
        then(answer(401, ""));
        assert!(live.is_out());
        live.back_again(&grant(later + Duration::from_secs(3600)));
        assert!(!live.is_out());
    }

    #[test]
    fn a_refused_link_is_a_sign_in_that_has_ended() {
        let (_owner, live, _) = page(3600);
        let refused = |reason| LinkState::Refused { reason, detail: String::new() };
        let status = |reason| link::status::Status { state: refused(reason), ..sample::status() };
        live.announce(status(FailReason::UnsupportedVersion));
        assert!(!live.is_out());
        live.announce(status(FailReason::Unauthorized));
        assert!(live.is_out());
    }

    #[test]
    fn a_locked_page_does_not_wake_by_a_touch() {
        let (_owner, live, _) = page(36_000);
        assert_eq!(live.keep_watch(NOW, None), Some(NOW));
        let later = NOW + Duration::from_secs(900);
        live.keep_watch(later, None);
        assert!(live.is_locked());
        live.touch(later);
        assert_eq!(live.keep_watch(later, None), Some(NOW));
        assert!(live.is_locked());
        live.unlock();
        assert_eq!(live.keep_watch(later, Some(NOW)), Some(later));
        assert!(!live.is_locked());
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nothing_awake() {
        let (_owner, live, _) = page(36_000);
        let ahead = NOW + Duration::from_secs(100_000);
        assert_eq!(live.keep_watch(NOW, Some(ahead)), Some(NOW));
        live.keep_watch(NOW + Duration::from_secs(900), None);
        assert!(live.is_locked());
    }

    #[test]
    fn a_hand_on_another_page_keeps_this_one_awake() {
        let (_owner, live, _) = page(36_000);
        live.keep_watch(NOW, None);
        let later = NOW + Duration::from_secs(1000);
        live.keep_watch(later, Some(later));
        assert!(!live.is_locked());
    }

    #[test]
    fn the_way_in_does_not_wake_a_locked_page_and_a_password_does() {
        let owner = Owner::new();
        owner.set();
        let nobody = Bootstrap { person: None, is_login_on: true, ..Bootstrap::default() };
        let live = Live::with(nobody);
        let later = NOW + Duration::from_secs(1000);
        live.touch(later);
        assert_eq!(live.keep_watch(later, Some(NOW)), Some(NOW), "of the page that is locked");
        live.back_again(&grant(later + Duration::from_secs(3600)));
        assert_eq!(live.keep_watch(later, Some(NOW)), Some(later));
        assert!(!live.is_locked());
    }

    #[test]
    fn where_nobody_signs_in_nothing_is_locked_or_kept() {
        let owner = Owner::new();
        let live = owner.with(|| Live::with(sample::page(None)));
        assert_eq!(live.keep_watch(NOW, None), None);
        assert_eq!(live.keep_watch(NOW + Duration::from_secs(1_000_000), None), None);
        assert!(!live.is_locked() && live.may(Right::Command));
        assert_eq!(live.stay(), Stay::Endless);
    }
}
