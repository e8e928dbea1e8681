//! The last ten minutes of a point, as far as this page saw them.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::time::Timestamp;

/// What a point was worth from when on; `None` where nobody knew.
///
/// Each sample holds until the next: news come only when something changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    samples: VecDeque<(Timestamp, Option<f64>)>,
    /// The value before the connection was lost, as long as nothing has followed.
    held: Option<f64>,
}

/// What is known of one column of a picture; nothing at all before the first news.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Column {
    /// The smallest and the largest value.
    pub extent: Option<(f64, f64)>,
    /// For a part of it there was no value to trust.
    pub has_gap: bool,
}

impl History {
    /// Takes a value that holds from `at` on; news may come late and out of order.
    pub fn note(&mut self, at: Timestamp, value: Option<f64>) {
        self.held = None;
        self.insert(at, value);
    }

    /// From `at` on nothing is known any more.
    pub fn cut(&mut self, at: Timestamp) {
        if let Some(&(_, Some(last))) = self.samples.back() {
            self.insert(at, None);
            self.held = Some(last);
        }
    }

    /// From `at` on the value before the cut is known to hold, if none has followed it.
    pub fn join(&mut self, at: Timestamp) {
        if let Some(held) = self.held.take() {
            self.insert(at, Some(held));
        }
    }

    /// The window that ends at `now`, cut into so many columns of equal width.
    pub fn columns(&self, now: Timestamp, count: u32) -> Vec<Column> {
        let width = WINDOW.as_millis() as u64 / u64::from(count.max(1));
        let start = now.as_millis().saturating_sub(width * u64::from(count));
        let edge = |column: u32| start + width * u64::from(column);
        (0..count).map(|column| self.column(edge(column), edge(column + 1))).collect()
    }

    fn column(&self, from: u64, to: u64) -> Column {
        let first = self.samples.partition_point(|(at, _)| at.as_millis() <= from);
        let values = self.samples.range(first.saturating_sub(1)..);
        let within = values.take_while(|(at, _)| at.as_millis() < to);
        within.fold(Column::default(), |column, (_, value)| column.with(*value))
    }

    fn insert(&mut self, at: Timestamp, value: Option<f64>) {
        let place = self.samples.partition_point(|(before, _)| *before <= at);
        let before = place.checked_sub(1).and_then(|before| self.samples.get(before));
        if before.is_some_and(|(_, known)| *known == value) {
            return;
        }
        self.samples.insert(place, (at, value));
        self.forget();
    }

    /// Drops what has left the window; one sample before it stays, because it holds into it.
    fn forget(&mut self) {
        let Some(&(last, _)) = self.samples.back() else { return };
        let is_old = |at: Timestamp| last.since(at) > WINDOW;
        while self.samples.len() > MOST || self.samples.get(1).is_some_and(|(at, _)| is_old(*at)) {
            self.samples.pop_front();
        }
    }
}

impl Column {
    fn with(self, value: Option<f64>) -> Self {
        let Some(value) = value else { return Self { has_gap: true, ..self } };
        let (min, max) = self.extent.unwrap_or((value, value));
        Self { extent: Some((min.min(value), max.max(value))), ..self }
    }
}

/// What operators are shown of the past beside each value.
pub(crate) const WINDOW: Duration = Duration::from_secs(600);

/// Enough for two changes a second; beyond it the oldest part of the window is lost.
const MOST: usize = 1200;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1000)
    }

    const BLANK: Column = Column { extent: None, has_gap: false };
    const GAP: Column = Column { extent: None, has_gap: true };

    fn known(min: f64, max: f64) -> Column {
        Column { extent: Some((min, max)), has_gap: false }
    }

    fn broken(value: f64) -> Column {
        Column { has_gap: true, ..known(value, value) }
    }

    #[test]
    fn a_value_holds_until_the_next() {
        let mut history = History::default();
        history.note(at(100), Some(1.0));
        history.note(at(350), Some(3.0));
        history.note(at(400), None);
        history.note(at(550), Some(4.0));
        let expected = [BLANK, known(1.0, 1.0), known(1.0, 1.0), known(1.0, 3.0)];
        assert_eq!(history.columns(at(600), 6)[..4], expected);
        assert_eq!(history.columns(at(600), 6)[4..], [GAP, broken(4.0)]);
    }

    #[test]
    fn a_lost_connection_leaves_a_gap_that_late_news_fill() {
        let mut history = History::default();
        history.note(at(0), Some(1.0));
        history.cut(at(100));
        assert_eq!(history.columns(at(600), 6)[2], GAP);
        history.join(at(300));
        let expected = [known(1.0, 1.0), GAP, GAP, known(1.0, 1.0)];
        assert_eq!(history.columns(at(600), 6)[..4], expected);
        history.note(at(200), Some(2.0));
        assert_eq!(history.columns(at(600), 6)[2], known(2.0, 2.0));
    }

    #[test]
    fn a_cut_twice_or_after_bad_quality_restores_nothing_untrue() {
        let mut history = History::default();
        history.note(at(0), None);
        history.cut(at(10));
        history.join(at(20));
        assert_eq!(history.columns(at(600), 6)[3], GAP);
        history.note(at(30), Some(1.0));
        history.cut(at(40));
        history.cut(at(50));
        history.join(at(60));
        assert_eq!(history.columns(at(600), 6)[3], known(1.0, 1.0));
    }

    #[test]
    fn memory_is_bounded() {
        let mut history = History::default();
        for second in 0..10_000 {
            history.note(at(second), Some(second as f64));
        }
        assert!(history.samples.len() <= 602, "{}", history.samples.len());
        for step in 0..10_000u64 {
            history.note(at(10_000) + Duration::from_millis(step), Some(step as f64));
        }
        assert_eq!(history.samples.len(), MOST);
    }
}
