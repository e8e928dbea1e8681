//! Carries out what the link wants, and tells it what the browser does. It decides nothing.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::{document, set_interval, set_timeout, window};
use link::{Action, Config, Event, Policy, Session};
use protocol::digest::{Algorithm, Seal};
use protocol::id::{ConnectionId, DeviceId};
use protocol::time::{Clock, Instant, Timestamp};
use protocol::wire::CloseCode;
use ui::{Ask, Live, RecordWish, Wish};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{PageTransitionEvent, VisibilityState};

use crate::alarm::Alarm;
use crate::listen::listen;
use crate::socket::{self, Socket};
use crate::{api, clock, random, storage};

/// One page's session with its socket, timer and signals; lives as long as the page.
#[derive(Clone)]
pub(crate) struct Driver(Rc<Parts>);

struct Parts {
    live: Live,
    device: DeviceId,
    session: RefCell<Session>,
    socket: RefCell<Option<Socket>>,
    alarm: RefCell<Option<Alarm>>,
    /// Counts dials and hang-ups: what was begun before the last of them is none of our business.
    dials: Cell<u64>,
    /// What time it was on the server when the page was made, and here when it woke.
    made: (Timestamp, Instant),
}

impl Driver {
    /// Connects a page for as long as it lives; a page without any device has nothing to hear.
    pub(crate) fn start(live: Live) {
        let Some(device) = live.page(|page| page.home.clone()) else { return };
        let now = clock::now();
        let config = Config {
            device: device.clone(),
            // Each dial asks the server for the true one.
            seal: Seal::new(Algorithm::Md5, ""),
            policy: Policy::native(),
            seed: clock::seed(),
            clock: Clock::new(now, clock::wall()),
            resume: storage::load(),
        };
        let driver = Self(Rc::new(Parts {
            live,
            device,
            session: RefCell::new(Session::new(config, now)),
            socket: RefCell::default(),
            alarm: RefCell::default(),
            dials: Cell::default(),
            made: (live.page(|page| page.now), now),
        }));
        driver.follow_browser();
        driver.follow_page();
        driver.tell(Event::Tick);
    }

    fn tell(&self, event: Event) {
        let now = clock::now();
        let actions = self.0.session.borrow_mut().handle(event, now);
        actions.into_iter().for_each(|action| self.carry_out(action));
        let wake_at = self.0.session.borrow().wake_at();
        if let Some(alarm) = &*self.0.alarm.borrow() {
            alarm.set(wake_at.map(|at| at.since(now)));
        }
    }

    fn carry_out(&self, action: Action) {
        match action {
            Action::Dial { connection } => self.dial(connection),
            Action::Send(text) => {
                if let Some(socket) = &*self.0.socket.borrow() {
                    socket.send(&text);
                }
            }
            Action::HangUp(code) => {
                self.count_dial();
                if let Some(socket) = &*self.0.socket.borrow() {
                    socket.close(code);
                }
            }
            Action::Apply(news) => self.0.live.apply(news),
            Action::Announce(status) => self.0.live.announce(status),
            Action::Remember(resumption) => storage::save(&resumption),
        }
    }

    fn dial(&self, connection: Option<ConnectionId>) {
        let (driver, dial) = (self.clone(), self.count_dial());
        spawn_local(async move {
            let grant = api::grant().await;
            if driver.0.dials.get() != dial {
                return;
            }
            match grant {
                Ok(grant) => {
                    driver.0.live.granted(&grant);
                    driver.tell(Event::Granted(grant.integrity.seal()));
                    driver.open(dial, connection.as_ref());
                }
                Err(code) => driver.tell(Event::Closed(code)),
            }
        });
    }

    fn open(&self, dial: u64, connection: Option<&ConnectionId>) {
        let driver = self.clone();
        let report = move |event| {
            if driver.0.dials.get() == dial {
                driver.tell(event);
            }
        };
        let socket =
            socket::url(&self.0.device, connection).and_then(|url| Socket::open(&url, report));
        match socket {
            Ok(socket) => drop(self.0.socket.replace(Some(socket))),
            Err(_) => self.tell(Event::Closed(CloseCode::Other(1006))),
        }
    }

    fn count_dial(&self) -> u64 {
        let dial = self.0.dials.get().wrapping_add(1);
        self.0.dials.set(dial);
        dial
    }

    fn follow_browser(&self) {
        let driver = self.clone();
        // Without a worker the page still beats as often as its own timer lets it.
        let alarm = Alarm::new(move || driver.tell(Event::Tick)).ok();
        let slow = alarm.is_none();
        self.0.alarm.replace(alarm);

        let driver = self.clone();
        driver.show_time();
        set_interval(
            move || {
                driver.show_time();
                if slow {
                    driver.tell(Event::Tick);
                }
            },
            SECOND,
        );

        let driver = self.clone();
        listen(&window(), "online", move |_| driver.tell(Event::Online));
        let driver = self.clone();
        listen(&document(), "visibilitychange", move |_| {
            if document().visibility_state() == VisibilityState::Visible {
                driver.show_time();
                driver.tell(Event::Visible);
            }
        });
        let driver = self.clone();
        listen(&window(), "pagehide", move |event| {
            // A page that the browser sets aside may come back as it is.
            let event = event.dyn_into::<PageTransitionEvent>();
            if !event.is_ok_and(|event| event.persisted()) {
                driver.tell(Event::Leave);
            }
        });
    }

    fn follow_page(&self) {
        let live = self.0.live;
        let driver = self.clone();
        live.on_want(move |streams| driver.tell(Event::Want(streams)));
        let driver = self.clone();
        live.on_retry(move || driver.tell(Event::Retry));
        live.on_facts(move |device| learn(live, device));
        let driver = self.clone();
        live.on_ask(move |ask| match ask {
            Ask::Command(wish) => driver.order(wish),
            Ask::Record(wish) => look_up(live, wish),
        });
    }

    fn order(&self, wish: Wish) {
        let id = random::id();
        self.0.live.gave(id.clone(), wish.clone());
        let Wish { device, command: name, param } = wish;
        self.tell(Event::Command { device, id, name, param });
    }

    fn show_time(&self) {
        let now = clock::now();
        let (made, woke) = self.0.made;
        let told = self.0.session.borrow().server_time(now);
        self.0.live.tick(now, told.unwrap_or_else(|| made + now.since(woke)));
    }
}

/// Fetches a device's facts, again and again until they come.
fn learn(live: Live, device: DeviceId) {
    spawn_local(async move {
        match api::device(&device).await {
            Some(facts) => live.learn(facts),
            None => set_timeout(move || learn(live, device), PATIENCE),
        }
    });
}

/// Fetches a part of the record; one that does not come is asked for again by whoever looks.
fn look_up(live: Live, wish: RecordWish) {
    spawn_local(async move {
        let page = api::commands(&wish).await;
        live.recorded(&wish, page);
    });
}

/// Ages and countdowns on the page are shown in seconds.
const SECOND: Duration = Duration::from_secs(1);

/// As long as between two tries to connect.
const PATIENCE: Duration = Duration::from_secs(5);
