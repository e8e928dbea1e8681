//! A session of an edge: it never gives up, and carries words of its caller's own.

use link::status::LinkState;
use link::{Action, Config, Event, Policy, Session};
use protocol::time::{Clock, Instant};
use protocol::wire::CloseCode;

use crate::stage::{EPOCH, Frame, Page, ack, device, seal, success};

fn session() -> Session {
    let (seal, policy) = (seal(), Policy::uplink());
    let (now, clock) = (Instant::default(), Clock::default());
    let config = Config { device: device(), seal, policy, seed: 1, clock, resume: None };
    Session::new(config, now)
}

fn hear(session: &mut Session, frame: &Frame, now: Instant) -> Vec<Action> {
    session.handle(Event::Heard(frame.text(&seal())), now)
}

#[test]
fn an_edge_tries_every_five_seconds_for_days() {
    // S0-42, S0-46
    let (mut session, mut now, mut dials) = (session(), Instant::default(), 0_u64);
    let end = Instant::from_millis(72 * 3_600_000);
    while let Some(at) = session.wake_at().filter(|at| *at <= end) {
        now = now.max(at);
        for action in session.handle(Event::Tick, now) {
            if let Action::Dial { .. } = action {
                dials += 1;
                session.handle(Event::Closed(CloseCode::Other(1006)), now);
            }
        }
        assert!(!matches!(session.status().state, LinkState::Failed { .. }), "after {dials}");
    }
    let expected = 72 * 3_600 / 5;
    assert!((expected * 95 / 100..expected * 105 / 100).contains(&dials), "{dials}");
}

#[test]
fn a_frame_of_the_callers_own_goes_out_sealed_or_not_at_all() {
    let (mut session, now) = (session(), Instant::default());
    let says = || Event::Say(r#"{"type":"STANDING"}"#.into());
    session.handle(Event::Tick, now);
    session.handle(Event::Opened, now);
    assert_eq!(session.handle(says(), now), [], "nobody has greeted yet");
    hear(&mut session, &success("c-1", EPOCH, false), now);
    let text = protocol::wire::native::seal_text(&seal(), r#"{"type":"STANDING"}"#);
    assert_eq!(session.handle(says(), now), [Action::Send(text)]);
}

#[test]
fn a_center_without_streams_keeps_an_edge_quiet() {
    let (mut session, mut now) = (session(), Instant::default());
    session.handle(Event::Tick, now);
    session.handle(Event::Opened, now);
    hear(&mut session, &success("c-1", EPOCH, false), now);
    let end = Instant::from_millis(600_000);
    while let Some(at) = session.wake_at().filter(|at| *at <= end) {
        now = now.max(at);
        let said = session.handle(Event::Tick, now);
        let sent = said.iter().filter_map(|action| match action {
            Action::Send(text) => Some(text),
            _ => None,
        });
        for text in sent {
            assert!(text.contains(r#""type":"HEARTBEAT""#), "{text}");
            let echo = text
                .split(r#""timestamp":"#)
                .nth(1)
                .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
            let echo = protocol::time::Timestamp::from_millis(echo.unwrap());
            hear(&mut session, &ack(echo, &[]), now);
        }
        assert!(session.status().is_live());
    }
}

#[test]
fn what_was_recorded_tells_nobody_how_late_it_is() {
    let mut page = Page::new(7);
    page.greeted(success("c-1", EPOCH, false));
    assert_eq!(page.session.latest_server_time(page.now), None, "a greeting may be of any age");
    let recorded = ack(page.sent[0].timestamp, &[]);
    page.hear(recorded.clone());
    assert!(page.session.latest_server_time(page.now).is_some());
    page.closed(1006);
    page.pass(5_000);
    page.greeted(success("c-2", EPOCH, false));
    page.hear(recorded);
    assert_eq!(page.session.latest_server_time(page.now), None, "it answers no beat of this one");
    page.answer(&[]);
    assert!(page.session.latest_server_time(page.now).is_some());
}
