//! Shapes that carry a meaning without colour.

use leptos::prelude::*;
use protocol::device::DeviceStatus;
use protocol::reading::Quality;

use crate::live::Standing;

/// A shape of sixteen by sixteen; hidden from screen readers, because a word stands beside it.
#[component]
pub(crate) fn Icon(#[prop(into)] shape: Signal<Shape>) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <path d=move || shape.get().path() class:outline=move || shape.get().is_outline()></path>
        </svg>
    }
    .into_any()
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    Dot,
    Ring,
    Half,
    Triangle,
    Octagon,
    Hourglass,
    Cross,
    Question,
    Broken,
    Diamond,
    Dash,
    Clock,
    Tiles,
    Board,
    Order,
    Person,
    People,
    Lock,
    Lines,
    Sun,
    Moon,
    Contrast,
}

impl Shape {
    /// A running device is a filled light shape; what needs a person has the shape of its urgency.
    pub(crate) fn of_status(status: Option<DeviceStatus>) -> Self {
        match status {
            Some(DeviceStatus::Working) => Self::Dot,
            Some(DeviceStatus::Testing) => Self::Half,
            Some(DeviceStatus::Alarm) => Self::Triangle,
            Some(DeviceStatus::Fault) => Self::Octagon,
            None => Self::Question,
        }
    }

    pub(crate) fn of_quality(quality: Quality) -> Self {
        match quality {
            Quality::Good => Self::Dot,
            Quality::Simulated => Self::Diamond,
            Quality::Uncertain => Self::Question,
            Quality::Stale => Self::Hourglass,
            Quality::Bad => Self::Cross,
            Quality::NoComm => Self::Broken,
        }
    }

    pub(crate) fn of_standing(standing: Standing) -> Self {
        match standing {
            Standing::Starting => Self::Half,
            Standing::Live => Self::Dot,
            Standing::Lost => Self::Broken,
        }
    }

    fn is_outline(self) -> bool {
        !matches!(
            self,
            Self::Dot
                | Self::Half
                | Self::Triangle
                | Self::Octagon
                | Self::Hourglass
                | Self::Moon
                | Self::Contrast
        )
    }

    fn path(self) -> &'static str {
        match self {
            Self::Dot => "M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10z",
            Self::Ring => "M8 3.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z",
            Self::Half => "M8 3a5 5 0 0 0 0 10zM8 3v1.4a3.6 3.6 0 0 1 0 7.2V13a5 5 0 0 0 0-10z",
            Self::Triangle => "M8 2l7 12H1z",
            Self::Octagon => "M5 1h6l4 4v6l-4 4H5l-4-4V5z",
            Self::Hourglass => "M3 1h10v2L9.2 8L13 13v2H3v-2l3.8-5L3 3z",
            Self::Cross => "M3 3l10 10M13 3L3 13",
            Self::Question => "M5 5.5a3 3 0 1 1 4.2 2.8q-1.2.6-1.2 2.2M8 13v.6",
            Self::Broken => "M1 8h4M11 8h4M6 4l4 8M10 4l-4 8",
            Self::Diamond => "M8 2l6 6l-6 6l-6-6z",
            Self::Dash => "M3 8h10",
            Self::Clock => "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12zM8 4.5V8l2.5 1.5",
            Self::Tiles => "M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z",
            Self::Board => {
                "M3 3h10v10H3zM6 6h4v4H6zM1 6h2M1 10h2M13 6h2M13 10h2M6 1v2M10 1v2M6 13v2M10 13v2"
            }
            Self::Order => "M2 3h12v10H2zM5 6l2 2l-2 2M9 10h3",
            Self::Person => "M8 2a3 3 0 1 0 0 6a3 3 0 1 0 0-6zM2 14a6 5 0 0 1 12 0",
            Self::People => {
                "M6 3a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5zM1 14a5 4.5 0 0 1 10 0M11 3.5a2.3 2.3 0 0 1 0 4.4M12 10a4 4 0 0 1 3 4"
            }
            Self::Lock => "M3 7h10v7H3zM5 7V5a3 3 0 0 1 6 0v2M8 10v1.5",
            Self::Lines => "M2 3h12M2 6.5h12M2 10h8M2 13.5h10",
            Self::Sun => {
                "M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6zM8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.4M11.6 11.6L13 13M13 3l-1.4 1.4M4.4 11.6L3 13"
            }
            Self::Moon => "M6 2a6.2 6.2 0 1 0 8 8A5.6 5.6 0 0 1 6 2z",
            Self::Contrast => "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12zM8 3.5a4.5 4.5 0 0 1 0 9z",
        }
    }
}
