//! The last ten minutes of a value as a line that stops where nobody knew it.

use std::fmt::Write as _;

use leptos::prelude::*;
use protocol::id::DeviceId;
use protocol::point::Point;
use protocol::time::Timestamp;

use crate::live::Live;
use crate::live::history::{Column, WINDOW};

/// The sparkline of a point; it moves on by a column at a time, so that it does not flicker.
#[component]
pub(crate) fn Sparkline(device: DeviceId, point: Point) -> impl IntoView {
    let drawing = drawing(expect_context(), device, point);
    view! {
        <svg class="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <path class="unknown" d=move || drawing.read().unknown.clone()></path>
            <path class="line" d=move || drawing.read().line.clone()></path>
        </svg>
    }
    .into_any()
}

/// The drawing of a point, new whenever a column has passed.
fn drawing(live: Live, device: DeviceId, point: Point) -> Memo<Drawing> {
    let step = WINDOW.as_millis() as u64 / u64::from(COLUMNS);
    let column = Memo::new(move |_| live.now().as_millis() / step);
    let span = least_span(&point);
    Memo::new(move |_| {
        let end = Timestamp::from_millis(column.get().saturating_add(1).saturating_mul(step));
        Drawing::of(&live.history(&device, &point.key).columns(end, COLUMNS), span)
    })
}

/// Two paths over a field of [`COLUMNS`] by [`HEIGHT`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Drawing {
    pub line: String,
    /// Bands where the value was not known.
    pub unknown: String,
}

impl Drawing {
    /// Draws columns so that the line fills the height, but noise below `span` stays small.
    pub(crate) fn of(columns: &[Column], span: f64) -> Self {
        let (low, high) = extent(columns, span);
        let height = |value: f64| HEIGHT - 1.0 - (value - low) / (high - low) * (HEIGHT - 2.0);
        let mut drawing = Self::default();
        let mut pen = 'M';
        for (x, column) in columns.iter().enumerate() {
            if column.has_gap {
                drawing.band(x);
                pen = 'M';
            }
            let Some((min, max)) = column.extent else {
                pen = 'M';
                continue;
            };
            drawing.point(pen, x, height(min));
            if min != max {
                drawing.point('L', x, height(max));
            }
            pen = if column.has_gap { 'M' } else { 'L' };
        }
        drawing
    }

    fn point(&mut self, pen: char, x: usize, y: f64) {
        // Writing to a text cannot fail.
        let _ = write!(self.line, "{pen}{x}.5 {y:.1}");
        if pen == 'M' {
            self.line.push_str("h.5");
        }
    }

    fn band(&mut self, x: usize) {
        let _ = write!(self.unknown, "M{x} 0h1v{HEIGHT}h-1z");
    }
}

fn extent(columns: &[Column], span: f64) -> (f64, f64) {
    let known = columns.iter().filter_map(|column| column.extent);
    let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (min, max)| {
        (low.min(min), high.max(max))
    });
    if low > high {
        return (0.0, 1.0);
    }
    let lacking = (span - (high - low)).max(0.0) / 2.0;
    (low - lacking, high + lacking)
}

/// A twentieth of a point's range; a change below it need not catch the eye.
fn least_span(point: &Point) -> f64 {
    let range = point.max.zip(point.min).map(|(max, min)| (max - min) / 20.0);
    range.filter(|span| span.is_finite() && *span > 0.0).unwrap_or(1.0)
}

const COLUMNS: u32 = 100;
const HEIGHT: f64 = 24.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, NOW};
    use link::News;
    use protocol::time::Instant;

    const BLANK: Column = Column { extent: None, has_gap: false };
    const GAP: Column = Column { extent: None, has_gap: true };

    fn known(min: f64, max: f64) -> Column {
        Column { extent: Some((min, max)), has_gap: false }
    }

    #[test]
    fn the_line_stops_where_nobody_knew() {
        let broken = Column { has_gap: true, ..known(22.0, 22.0) };
        let columns = [BLANK, known(0.0, 0.0), known(0.0, 22.0), GAP, broken, known(22.0, 22.0)];
        let drawing = Drawing::of(&columns, 1.0);
        assert_eq!(drawing.line, "M1.5 23.0h.5L2.5 23.0L2.5 1.0M4.5 1.0h.5M5.5 1.0h.5");
        assert_eq!(drawing.unknown, "M3 0h1v24h-1zM4 0h1v24h-1z");
    }

    #[test]
    fn noise_stays_small() {
        let drawing = Drawing::of(&[known(5.0, 5.0)], 10.0);
        assert_eq!(drawing.line, "M0.5 12.0h.5");
        assert_eq!(Drawing::of(&[], 1.0), Drawing::default());
    }

    #[test]
    fn the_line_goes_on_while_the_page_lives() {
        Owner::new().with(|| {
            let device = sample::plant().devices.remove(2);
            let live = Live::with(sample::page(Some(&device.id)));
            let drawing = drawing(live, device.id.clone(), device.points[0].clone());
            assert_eq!(drawing.get_untracked(), Drawing::default());
            let told =
                live.page(|page| page.values.iter().next().map(|(s, t)| (s.clone(), t.clone())));
            let (stream, told) = told.unwrap();
            live.apply(News::Told { stream, update: told.update, snapshot: true, at: NOW });
            live.tick(Instant::from_millis(7000), NOW + std::time::Duration::from_secs(7));
            assert!(!drawing.get_untracked().line.is_empty());
        });
    }
}
