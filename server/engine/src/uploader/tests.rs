use std::collections::VecDeque;

use proptest::prelude::*;
use protocol::status::{NumberedRow, StatusRow};
use protocol::time::Timestamp;
use protocol::wire::uplink::{MOST_IN_FLIGHT, MOST_ROWS, UploadFailed, Uploaded};

use super::*;

const START: Instant = Instant::from_millis(0);

fn incarnation() -> Incarnation {
    "i-1".parse().unwrap()
}

/// Rows with these numbers, in batches.
fn batches(ids: impl IntoIterator<Item = u64>) -> Result<Vec<StatusBatch>, String> {
    let row = |id: &u64| {
        let row = StatusRow {
            bit_position: None,
            device_id: "board-1".parse().unwrap(),
            new_value: "ON".into(),
            old_value: "OFF".into(),
            record_time: Timestamp::default(),
            status_name: "door".into(),
            status_type: "InputStatus".into(),
            timestamp: Timestamp::default(),
        };
        NumberedRow { id: *id, row }
    };
    let ids: Vec<_> = ids.into_iter().collect();
    let batch = |ids: &[u64]| StatusBatch {
        incarnation: incarnation(),
        rows: ids.iter().map(row).collect(),
    };
    Ok(ids.chunks(MOST_ROWS).map(batch).collect())
}

fn uploaded(batch: u64) -> Downward {
    Downward::Uploaded(Uploaded { batch })
}

fn failed(batch: u64) -> Downward {
    Downward::UploadFailed(UploadFailed { batch, reason: "no room".into() })
}

fn mark(ids: std::ops::RangeInclusive<u64>) -> Step {
    Step::Mark(Mark { incarnation: incarnation(), ids: ids.collect(), failure: None })
}

/// What went up: the number and the ids of each batch.
fn sent(steps: &[Step]) -> Vec<(u64, Vec<u64>)> {
    let sent = |step: &Step| match step {
        Step::Upload { batch, rows } => {
            Some((*batch, rows.rows.iter().map(|row| row.id).collect()))
        }
        _ => None,
    };
    steps.iter().filter_map(sent).collect()
}

fn ids(range: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    range.collect()
}

/// The number of the read that is asked for, and whether it begins with the oldest row.
fn asked(steps: &[Step]) -> Option<(u64, bool, usize)> {
    steps.iter().find_map(|step| match step {
        Step::Read { number, from_oldest, most } => Some((*number, *from_oldest, *most)),
        _ => None,
    })
}

/// An uploader that has just sent these rows and knows of no others.
fn sending(last: u64) -> Uploader {
    let mut uploader = Uploader::default();
    uploader.holds(last, true);
    let (read, ..) = asked(&uploader.connected()).unwrap();
    let steps = uploader.read(read, batches(1..=last), START);
    if let Some((read, ..)) = asked(&steps) {
        assert_eq!(uploader.read(read, batches([]), START), []);
    }
    uploader
}

#[test]
fn the_backlog_goes_up_by_the_hundred_and_in_order() {
    // S0-47, S0-48
    let mut uploader = Uploader::default();
    assert_eq!(asked(&uploader.connected()), Some((1, true, MOST_IN_FLIGHT)));
    let steps = uploader.read(1, batches(1..=250), START);
    assert_eq!(sent(&steps), [(1, ids(1..=100)), (2, ids(101..=200)), (3, ids(201..=250))]);
    assert_eq!(asked(&steps), Some((2, false, MOST_IN_FLIGHT - 3)), "there may be more");
}

#[test]
fn acknowledged_batches_are_marked_one_write_at_a_time() {
    // S0-49
    let mut uploader = sending(350);
    assert_eq!(uploader.hear(&uploaded(1), START), [mark(1..=100)]);
    assert_eq!(uploader.hear(&uploaded(2), START), []);
    assert_eq!(uploader.hear(&uploaded(3), START), []);
    assert_eq!(uploader.marked(), [mark(101..=300)]);
    assert_eq!(uploader.hear(&uploaded(3), START), [], "an answer to nothing");
    assert_eq!(uploader.hear(&uploaded(9), START), [], "an answer to nothing");
}

#[test]
fn new_rows_go_up_as_they_come() {
    // S0-51
    let mut uploader = sending(3);
    let steps = uploader.holds(4, true);
    let Some((read, false, _)) = asked(&steps) else { panic!("{steps:?}") };
    assert_eq!(uploader.holds(5, true), [], "it is being read already");
    let steps = uploader.read(read, batches(4..=5), START);
    assert_eq!(sent(&steps), [(2, ids(4..=5))]);
}

#[test]
fn rows_with_an_earlier_time_are_found_once_nothing_else_is_on_its_way() {
    let mut uploader = sending(3);
    let (read, ..) = asked(&uploader.holds(4, true)).unwrap();
    assert_eq!(uploader.read(read, batches([]), START), [], "it sorts before the others");
    assert_eq!(uploader.hear(&uploaded(1), START), [mark(1..=3)]);
    uploader.holds(1, false);
    let steps = uploader.marked();
    let Some((read, true, _)) = asked(&steps) else { panic!("{steps:?}") };
    let steps = uploader.read(read, batches([4]), START);
    assert_eq!(sent(&steps), [(2, vec![4])]);
    let (read, ..) = asked(&steps).unwrap();
    assert_eq!(uploader.read(read, batches([]), START), []);
    uploader.hear(&uploaded(2), START);
    assert_eq!(uploader.marked(), [], "what is left cannot be read: nobody looks for it again");
}

#[test]
fn a_refused_batch_stops_the_upload_until_the_next_connection() {
    // S0-50
    let mut uploader = sending(300);
    uploader.hear(&uploaded(1), START);
    let steps = uploader.hear(&failed(2), START);
    let reason = String::from("no room");
    assert_eq!(steps, [Step::HangUp(Why::Refused { batch: 2, reason: reason.clone() })]);
    assert_eq!(uploader.hear(&failed(3), START), []);
    assert_eq!(uploader.holds(301, true), []);
    assert_eq!(uploader.due_at(), None);
    let refused = Mark { incarnation: incarnation(), ids: ids(101..=200), failure: Some(reason) };
    uploader.disconnected();
    assert_eq!(uploader.connected(), [], "what became of the others is not on the disk yet");
    assert_eq!(uploader.marked(), [Step::Mark(refused)]);
    let (read, from_oldest, _) = asked(&uploader.marked()).unwrap();
    assert!(from_oldest);
    let steps = uploader.read(read, batches(101..=301), START);
    assert_eq!(sent(&steps)[..2], [(1, ids(101..=200)), (2, ids(201..=300))]);
}

#[test]
fn no_more_than_sixteen_batches_are_on_their_way() {
    let mut uploader = Uploader::default();
    uploader.connected();
    let steps = uploader.read(1, batches(1..=1_600), START);
    assert_eq!((sent(&steps).len(), asked(&steps)), (16, None));
    for batch in 1..=7 {
        assert_eq!(asked(&uploader.hear(&uploaded(batch), START)), None, "batch {batch}");
    }
    assert_eq!(asked(&uploader.hear(&uploaded(8), START)), Some((2, false, 8)));
}

#[test]
fn a_center_that_answers_no_batch_is_left() {
    let mut uploader = sending(1);
    assert_eq!(uploader.due_at(), None, "the line has not taken it");
    uploader.taken(1, START);
    let due = START + PATIENCE;
    assert_eq!(uploader.due_at(), Some(due));
    assert_eq!(uploader.tick(Instant::from_millis(29_999)), []);
    assert_eq!(uploader.tick(due), [Step::HangUp(Why::Silent(PATIENCE))]);
}

#[test]
fn a_center_that_answers_slowly_is_not_left() {
    let mut uploader = Uploader::default();
    uploader.connected();
    uploader.read(1, batches(1..=1_600), START);
    let mut now = START;
    (1..=16).for_each(|batch| uploader.taken(batch, START));
    for batch in 1..=16 {
        now = now + (PATIENCE - Duration::from_millis(1));
        assert_eq!(uploader.tick(now), [], "batch {batch}");
        uploader.hear(&uploaded(batch), now);
    }
    assert_eq!(uploader.due_at(), None);
}

#[test]
fn a_backlog_that_cannot_be_read_is_read_again_on_the_same_connection() {
    let mut uploader = Uploader::default();
    uploader.holds(300, true);
    uploader.connected();
    let busy = || Err(String::from("it is busy"));
    let trouble = Step::Trouble(Some("it is busy".into()));
    assert_eq!(uploader.read(1, busy(), START), [trouble], "nothing is hung up");
    assert_eq!(uploader.holds(301, true), [], "not before its time");
    let mut now = START;
    for number in 2..9 {
        assert_eq!(uploader.due_at(), Some(now + READ_AGAIN));
        assert_eq!(uploader.tick(now + READ_AGAIN / 2), []);
        now = now + READ_AGAIN;
        let steps = uploader.tick(now);
        assert_eq!(asked(&steps), Some((number, true, MOST_IN_FLIGHT)), "from the oldest on");
        assert_eq!(uploader.read(number, busy(), now), [], "that is known");
    }
    now = now + READ_AGAIN;
    uploader.tick(now);
    let steps = uploader.read(9, batches(1..=200), now);
    assert_eq!(sent(&steps), [(1, ids(1..=100)), (2, ids(101..=200))]);
    assert!(steps.contains(&Step::Trouble(None)));
    let (read, from_oldest, most) = asked(&steps).unwrap();
    assert_eq!((from_oldest, most), (false, MOST_IN_FLIGHT - 2));
    uploader.read(read, busy(), now);
    uploader.hear(&uploaded(1), START);
    now = now + READ_AGAIN;
    assert_eq!(asked(&uploader.tick(now)), Some((read + 1, false, MOST_IN_FLIGHT - 1)));
}

#[test]
fn what_was_read_for_an_earlier_connection_is_not_heeded() {
    let mut uploader = Uploader::default();
    uploader.connected();
    uploader.disconnected();
    assert_eq!(asked(&uploader.connected()), Some((2, true, MOST_IN_FLIGHT)));
    assert_eq!(uploader.read(1, batches([7]), START), []);
    assert_eq!(sent(&uploader.read(2, batches(1..=4), START)), [(1, ids(1..=4))]);
}

#[test]
fn what_comes_without_a_connection_is_not_heeded() {
    let mut uploader = Uploader::default();
    assert_eq!(uploader.holds(1, true), []);
    assert_eq!(uploader.read(0, batches([1]), START), []);
    assert_eq!(uploader.hear(&uploaded(1), START), []);
    assert_eq!(uploader.marked(), []);
}

/// A backlog with rows 1, 2, 3, …, of which those up to `done` are marked as uploaded.
#[derive(Default)]
struct World {
    uploader: Uploader,
    top: u64,
    done: u64,
    cursor: u64,
    reads: VecDeque<(u64, bool, usize)>,
    marks: VecDeque<Mark>,
    batches: VecDeque<u64>,
    /// The last row that went up on this connection; `None` before the first.
    seen: Option<u64>,
}

impl World {
    fn act(&mut self, doing: u8, many: u64) -> Vec<Step> {
        match doing {
            0 => {
                self.batches.clear();
                self.seen = None;
                self.uploader.connected()
            }
            1 => {
                self.batches.clear();
                self.uploader.disconnected();
                Vec::new()
            }
            2 => {
                self.top += many;
                self.uploader.holds(self.top - self.done, true)
            }
            3 => {
                let Some(mark) = self.marks.pop_front() else { return Vec::new() };
                self.done = self.done.max(mark.ids.last().copied().unwrap_or_default());
                let mut steps = self.uploader.holds(self.top - self.done, false);
                steps.extend(self.uploader.marked());
                steps
            }
            4 | 5 => {
                let Some((number, from_oldest, most)) = self.reads.pop_front() else {
                    return Vec::new();
                };
                let from = if from_oldest { self.done } else { self.cursor };
                let found = from + 1..=self.top.min(from + (most * MOST_ROWS) as u64);
                self.cursor = from.max(*found.end());
                self.uploader.read(number, batches(found), START)
            }
            _ => match self.batches.pop_front() {
                Some(batch) => self.uploader.hear(&uploaded(batch), START),
                None => Vec::new(),
            },
        }
    }

    fn follow(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Read { number, from_oldest, most } => {
                    // The shell drops a read that nobody waits for any more.
                    self.reads.clear();
                    self.reads.push_back((number, from_oldest, most));
                }
                Step::Upload { batch, rows } => {
                    assert!(rows.rows.len() <= MOST_ROWS);
                    for row in rows.rows {
                        let last = self.seen.unwrap_or(self.done);
                        assert_eq!(row.id, last + 1, "without a hole, and none twice");
                        self.seen = Some(row.id);
                    }
                    self.batches.push_back(batch);
                    assert!(self.batches.len() <= MOST_IN_FLIGHT);
                }
                Step::Mark(mark) => {
                    assert!(self.marks.is_empty());
                    self.marks.push_back(mark);
                }
                other @ (Step::HangUp(_) | Step::Trouble(_)) => panic!("{other:?}"),
            }
        }
    }
}

proptest! {
    /// However reads, answers, growth and losses mix: each connection sends what is not uploaded,
    /// once, in order and without holes; and in the end nothing is left.
    #[test]
    fn each_connection_sends_all_that_is_left_in_order(
        doings in prop::collection::vec((0..9u8, 1..400u64), 1..300),
    ) {
        let mut world = World::default();
        for (doing, many) in doings {
            let steps = world.act(doing, many);
            world.follow(steps);
        }
        let steps = world.act(0, 0);
        world.follow(steps);
        for _ in 0..1_000 {
            for doing in 3..9 {
                let steps = world.act(doing, 0);
                world.follow(steps);
            }
        }
        prop_assert_eq!(world.done, world.top);
    }
}
