//! The two ends of the line, each with its disk.

use std::collections::BTreeSet;
use std::time::Duration;

use dialect::Heard;
use dialect::uplink::{Action, Guest, Uplink};
use engine::uploader::{Mark, Step, Uploader};
use link::{Config, Event, Policy, Session};
use protocol::status::{NumberedRow, StatusBatch, StatusRow};
use protocol::time::{Clock, Instant, Timestamp};
use protocol::wire::CloseCode;
use protocol::wire::uplink::{Downward, EdgeMessage, MOST_ROWS, Said, Standing, Upload, seal};

use crate::line::Dice;

const TOKEN: &str = "a token for tests";
const CLOCK: Clock = Clock::new(Instant::from_millis(0), Timestamp::from_millis(1_000_000));

/// The edge: its disk outlives it.
pub(crate) struct Edge {
    rows: Vec<(NumberedRow, bool)>,
    pending: u64,
    /// How many rows its uploader knows of.
    told: usize,
    /// What its clock shows beside the true time.
    clock_lag: u64,
    session: Session,
    uploader: Uploader,
    is_live: bool,
    wants_line: bool,
    has_hung_up: bool,
    said: Vec<String>,
    cursor: Option<(Timestamp, u64)>,
    reading: Option<(u64, bool, usize)>,
    marking: Option<Mark>,
}

impl Edge {
    pub(crate) fn new(seed: u64, now: Instant) -> Self {
        let device = "north".parse().unwrap();
        let (seal, policy) = (seal(TOKEN), Policy::uplink());
        let config = Config { device, seal, policy, seed, clock: CLOCK, resume: None };
        Self {
            rows: Vec::new(),
            pending: 0,
            told: 0,
            clock_lag: 0,
            session: Session::new(config, now),
            uploader: Uploader::default(),
            is_live: false,
            wants_line: false,
            has_hung_up: false,
            said: Vec::new(),
            cursor: None,
            reading: None,
            marking: None,
        }
    }

    /// The process is killed and started again; the disk stays.
    pub(crate) fn kill(&mut self, seed: u64, now: Instant) {
        let fresh = Self::new(seed, now);
        let rows = std::mem::take(&mut self.rows);
        *self = Self { rows, pending: self.pending, clock_lag: self.clock_lag, ..fresh };
        let steps = self.uploader.holds(self.pending, true);
        self.follow(steps, now);
    }

    pub(crate) fn set_clock_back(&mut self, millis: u64) {
        self.clock_lag += millis;
    }

    /// New rows are on the disk.
    pub(crate) fn happen(&mut self, many: u64) {
        for _ in 0..many {
            let id = self.rows.len() as u64 + 1;
            let at = Timestamp::from_millis((1_000_000 + 10 * id).saturating_sub(self.clock_lag));
            let row = StatusRow {
                bit_position: None,
                device_id: "board-1".parse().unwrap(),
                new_value: "ON".into(),
                old_value: "OFF".into(),
                record_time: at,
                status_name: "door".into(),
                status_type: "InputStatus".into(),
                timestamp: at,
            };
            self.rows.push((NumberedRow { id, row }, false));
            self.pending += 1;
        }
    }

    pub(crate) fn has_more(&self) -> bool {
        self.pending > 0
    }

    pub(crate) fn uploaded(&self) -> Vec<u64> {
        self.rows.iter().filter(|(_, is_uploaded)| *is_uploaded).map(|(row, _)| row.id).collect()
    }

    pub(crate) fn rows(&self) -> Vec<u64> {
        self.rows.iter().map(|(row, _)| row.id).collect()
    }

    pub(crate) fn wants_line(&mut self) -> bool {
        std::mem::take(&mut self.wants_line)
    }

    pub(crate) fn has_hung_up(&mut self) -> bool {
        std::mem::take(&mut self.has_hung_up)
    }

    pub(crate) fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    pub(crate) fn opened(&mut self, now: Instant) {
        self.link(Event::Opened, now);
    }

    pub(crate) fn closed(&mut self, code: CloseCode, now: Instant) {
        self.link(Event::Closed(code), now);
    }

    pub(crate) fn hear(&mut self, text: String, now: Instant) {
        self.link(Event::Heard(text), now);
    }

    /// The disk does some of what it was asked to, and the clock goes on.
    pub(crate) fn work(&mut self, dice: &mut Dice, now: Instant) {
        self.link(Event::Tick, now);
        let steps = self.uploader.tick(now);
        self.follow(steps, now);
        let has_grown = std::mem::replace(&mut self.told, self.rows.len()) != self.rows.len();
        let steps = self.uploader.holds(self.pending, has_grown);
        self.follow(steps, now);
        if dice.hits(300)
            && let Some((number, from_oldest, most)) = self.reading.take()
        {
            let batches = self.read(from_oldest, most);
            let steps = self.uploader.read(number, Ok(batches), now);
            self.follow(steps, now);
        }
        if dice.hits(300)
            && let Some(mark) = self.marking.take()
        {
            if mark.failure.is_none() {
                let ids: BTreeSet<_> = mark.ids.into_iter().collect();
                let marked = self.rows.iter_mut().filter(|(row, _)| ids.contains(&row.id));
                for (_, is_uploaded) in marked {
                    self.pending -= u64::from(!std::mem::replace(is_uploaded, true));
                }
            }
            let steps = self.uploader.holds(self.pending, false);
            self.follow(steps, now);
            let steps = self.uploader.marked();
            self.follow(steps, now);
        }
    }

    fn read(&mut self, from_oldest: bool, most: usize) -> Vec<StatusBatch> {
        let after = self.cursor.filter(|_| !from_oldest);
        let place = |row: &NumberedRow| (row.row.timestamp, row.id);
        let waiting = self.rows.iter().filter(|(_, is_uploaded)| !is_uploaded).map(|(row, _)| row);
        let mut waiting: Vec<_> =
            waiting.filter(|row| after.is_none_or(|after| place(row) > after)).cloned().collect();
        waiting.sort_by_key(place);
        waiting.truncate(most * MOST_ROWS);
        self.cursor = waiting.last().map(place).or(after);
        let batch = |rows: &[NumberedRow]| StatusBatch {
            incarnation: "i-1".parse().unwrap(),
            rows: rows.to_vec(),
        };
        waiting.chunks(MOST_ROWS).map(batch).collect()
    }

    /// As the shell does.
    fn link(&mut self, event: Event, now: Instant) {
        let said = match &event {
            Event::Heard(text) if self.is_live => Downward::read(text, &seal(TOKEN)),
            _ => Said::Other,
        };
        let actions = self.session.handle(event, now);
        self.carry_out(actions);
        let is_live = self.session.status().is_live();
        if std::mem::replace(&mut self.is_live, is_live) != is_live {
            self.reading = None;
            let steps = match is_live {
                true => self.uploader.connected(),
                false => {
                    self.uploader.disconnected();
                    Vec::new()
                }
            };
            self.follow(steps, now);
        }
        if let Said::Word(word, _) = said {
            let steps = self.uploader.hear(&word, now);
            self.follow(steps, now);
        }
    }

    fn carry_out(&mut self, actions: Vec<link::Action>) {
        for action in actions {
            match action {
                link::Action::Dial { .. } => self.wants_line = true,
                link::Action::Send(text) => self.said.push(text),
                link::Action::HangUp(_) => self.has_hung_up = true,
                _ => {}
            }
        }
    }

    fn follow(&mut self, steps: Vec<Step>, now: Instant) {
        for step in steps {
            match step {
                Step::Read { number, from_oldest, most } => {
                    self.reading = Some((number, from_oldest, most));
                }
                Step::Upload { batch, rows } => {
                    let upload = Upload::new(batch, rows, Standing::default());
                    let text = EdgeMessage::Upload(upload).write("north", CLOCK.at(now));
                    let actions = self.session.handle(Event::Say(text), now);
                    self.carry_out(actions);
                    self.uploader.taken(batch, now);
                }
                Step::Mark(mark) => {
                    assert!(self.marking.is_none(), "one write at a time");
                    self.marking = Some(mark);
                }
                Step::Trouble(why) => panic!("{why:?}"),
                Step::HangUp(_) => {
                    self.said.clear();
                    self.has_hung_up = true;
                    self.link(Event::Closed(CloseCode::Normal), now);
                }
            }
        }
    }
}

/// The center: what it keeps outlives it.
#[derive(Default)]
pub(crate) struct Center {
    pub(crate) kept: Vec<NumberedRow>,
    known: BTreeSet<u64>,
    uplink: Option<Uplink>,
    storing: Option<StatusBatch>,
    said: Vec<String>,
    closed: Option<CloseCode>,
}

impl Center {
    pub(crate) fn accept(&mut self, now: Instant) {
        let guest = Guest {
            edge: "north".parse().unwrap(),
            connection: "c-1".parse().unwrap(),
            seal: seal(TOKEN),
            epoch: "e-1".parse().unwrap(),
            heartbeat_interval: Duration::from_secs(10),
            server_version: "0.0.0".into(),
        };
        let mut uplink = Uplink::new(guest, now);
        let actions = uplink.open(&CLOCK, now);
        self.uplink = Some(uplink);
        self.carry_out(actions);
    }

    /// The connection is gone; what is being written may still come to be on the disk.
    pub(crate) fn hang_up(&mut self) {
        self.uplink = None;
        self.said.clear();
        if let Some(batch) = self.storing.take() {
            self.keep(batch);
        }
    }

    /// The process is killed: what was being written is on the disk, or not.
    pub(crate) fn kill(&mut self) {
        let half = self.storing.take().filter(|batch| batch.rows.len() % 2 == 0);
        self.hang_up();
        if let Some(batch) = half {
            self.keep(batch);
        }
    }

    fn keep(&mut self, batch: StatusBatch) {
        for row in batch.rows {
            if self.known.insert(row.id) {
                self.kept.push(row);
            }
        }
    }

    pub(crate) fn hear(&mut self, text: &str, now: Instant) {
        let Some(uplink) = &mut self.uplink else { return };
        let actions = uplink.hear(Heard::Text(text), &CLOCK, now);
        self.carry_out(actions);
    }

    /// The disk does some of what it was asked to, and the clock goes on.
    pub(crate) fn work(&mut self, dice: &mut Dice, writes_fail: u64, now: Instant) {
        let Some(uplink) = &mut self.uplink else { return };
        let actions = uplink.tick(&CLOCK, now);
        self.carry_out(actions);
        if dice.hits(200)
            && let Some(batch) = self.storing.take()
        {
            let outcome = match dice.hits(writes_fail) {
                true => Err("the disk is full".to_owned()),
                false => {
                    self.keep(batch);
                    Ok(())
                }
            };
            if let Some(uplink) = &mut self.uplink {
                let actions = uplink.stored(outcome, &CLOCK, now);
                self.carry_out(actions);
            }
        }
    }

    pub(crate) fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    pub(crate) fn closed(&mut self) -> Option<CloseCode> {
        let code = self.closed.take()?;
        self.hang_up();
        Some(code)
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Say(text) => self.said.push(text),
                Action::Store(batch) => {
                    assert!(self.storing.is_none(), "one write at a time");
                    self.storing = Some(batch);
                }
                Action::Close(code) => self.closed = Some(code),
                Action::Tell(_) | Action::Executed { .. } | Action::Lost(_) | Action::Record(_) => {
                }
            }
        }
    }
}
