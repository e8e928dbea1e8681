//! A value in its range: where it is normal, where its limits are, where it stands.

use leptos::prelude::*;
use protocol::point::Point;

/// The places of a bar, in percent of its length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    min: f64,
    max: f64,
    normal: (f64, f64),
    limits: [Option<f64>; 4],
}

impl Scale {
    /// The scale of a point, if its range or its limits are known.
    pub(crate) fn of(point: &Point) -> Option<Self> {
        let limits = [point.limits.ll, point.limits.l, point.limits.h, point.limits.hh];
        let min = point.min.or(limits[0]).or(limits[1])?;
        let max = point.max.or(limits[3]).or(limits[2])?;
        let is_sound = min.is_finite() && max.is_finite() && min < max;
        is_sound.then(|| {
            let low = limits[1].or(limits[0]).unwrap_or(min);
            let high = limits[2].or(limits[3]).unwrap_or(max);
            let bare = Self { min, max, normal: (0.0, 0.0), limits };
            Self { normal: (bare.place(low), bare.place(high)), ..bare }
        })
    }

    /// Where a value stands; one outside of the range stands at its end.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let share = (value - self.min) / (self.max - self.min);
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) * 100.0 }
    }
}

/// The bar of a value; without a value there is no marker.
#[component]
pub(crate) fn Bar(scale: Scale, #[prop(into)] value: Signal<Option<f64>>) -> impl IntoView {
    let (low, high) = scale.normal;
    let ticks = scale.limits.into_iter().flatten().map(|limit| {
        view! { <rect class="limit" x=number(scale.place(limit) - 0.5) y="1" width="1" height="10"></rect> }.into_any()
    });
    let ticks = ticks.collect_view();
    let marker = move |value| {
        let x = number((scale.place(value) - 1.5).clamp(0.0, 97.0));
        view! { <rect class="marker" x=x y="0" width="3" height="12"></rect> }
    };
    view! {
        <svg class="bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect class="track" x="0" y="4" width="100" height="4"></rect>
            <rect class="normal" x=number(low) y="4" width=number((high - low).max(0.0)) height="4"></rect>
            {ticks}
            {move || value.get().map(marker).into_any()}
        </svg>
    }
    .into_any()
}

fn number(place: f64) -> String {
    format!("{place:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use protocol::point::Limits;

    #[test]
    fn values_stand_in_their_range() {
        let mut point = sample::plant().devices[0].points[0].clone();
        (point.min, point.max) = (Some(-100.0), Some(100.0));
        point.limits = Limits { h: Some(60.0), hh: Some(90.0), ..Limits::default() };
        let scale = Scale::of(&point).unwrap();
        let table = [(-100.0, 0.0), (0.0, 50.0), (100.0, 100.0), (900.0, 100.0), (f64::NAN, 0.0)];
        for (value, place) in table {
            assert_eq!(scale.place(value), place, "{value}");
        }
        assert_eq!(scale.normal, (0.0, 80.0));
    }

    #[test]
    fn a_point_without_a_range_has_no_bar() {
        let mut point = sample::plant().devices[0].points[0].clone();
        point.limits = Limits::default();
        for (min, max) in [(None, Some(1.0)), (Some(1.0), Some(1.0)), (Some(2.0), Some(1.0))] {
            (point.min, point.max) = (min, max);
            assert_eq!(Scale::of(&point), None, "{min:?}..{max:?}");
        }
    }
}
