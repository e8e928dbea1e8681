//! A reading as an operator sees it: never blank, never a made-up zero, and why it cannot be trusted.

use std::time::Duration;

use leptos::prelude::*;
use protocol::point::{Name, Point};
use protocol::reading::{Quality, Reading, Value};
use protocol::stream::StreamName;

use crate::bootstrap::Zone;
use crate::choice::Language;
use crate::format;
use crate::live::Live;
use crate::preference::Preference;
use crate::text;
use crate::view::icon::Shape;

/// How a reading looks at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Face {
    /// As `data-quality` has it: the quality's word, `link` or `none`.
    pub word: &'static str,
    pub shape: Shape,
    /// The number or word, or a dash where there has never been one.
    pub value: String,
    pub unit: String,
    /// Quality, the reason where it is not good, and the age: `有效 · 1 s`, `无效 · 超时 · 12 s`.
    pub quality: String,
    /// The most telling fact alone, and only where the value is not good: `12 s`, `超时`.
    pub remark: Option<String>,
    /// All of it in one sentence, for those who listen.
    pub spoken: String,
}

/// What a face is made of.
pub(crate) struct Sight<'a> {
    pub point: &'a Point,
    pub reading: Option<Reading>,
    /// Whether the page's own connection lets the value be the present.
    pub is_current: bool,
    pub age: Option<Duration>,
    pub zone: &'a Zone,
}

/// The face of a point's reading, now and whenever something about it changes.
pub(crate) fn face(
    point: Point,
    reading: Signal<Option<Reading>>,
    stream: StreamName,
    zone: Zone,
) -> Memo<Face> {
    let live = expect_context::<Live>();
    let preference = Preference::here();
    Memo::new(move |_| {
        let reading = reading.get();
        let age = reading.and_then(|reading| live.age(&stream, &reading));
        let is_current = live.is_current(&stream);
        let sight = Sight { point: &point, reading, is_current, age, zone: &zone };
        sight.face(preference.language())
    })
}

impl Sight<'_> {
    pub(crate) fn face(&self, language: Language) -> Face {
        let Some(reading) = self.reading else { return self.untold(language) };
        let age = self.age.map(format::age);
        let why = reading.why.map(|why| text::reason(language, why));
        let is_good = reading.quality.is_good() && self.is_current;
        let (word, shape, quality) = if self.is_current {
            let name = text::quality(reading.quality).of(language);
            (word(reading.quality), Shape::of_quality(reading.quality), name)
        } else {
            ("link", Shape::Clock, text::NOT_LIVE.of(language))
        };
        let whole = join(&join(quality, why.as_deref()), age.as_deref());
        let fact = match reading.quality {
            _ if !self.is_current => age.or(why),
            Quality::Good | Quality::Stale => age.or(why),
            _ => why.or(age),
        };
        Face {
            word,
            shape,
            value: self.value(reading.value),
            unit: self.point.unit.clone(),
            quality: whole,
            remark: (!is_good).then(|| fact.unwrap_or_else(|| quality.into())),
            spoken: self.spoken(reading, quality, language),
        }
    }

    /// The stream has not told of the point yet.
    fn untold(&self, language: Language) -> Face {
        let name = name(&self.point.name, language);
        let loading = text::LOADING.of(language);
        Face {
            word: "none",
            shape: Shape::Dash,
            value: NOTHING.into(),
            unit: String::new(),
            quality: loading.into(),
            remark: Some(loading.into()),
            spoken: format!("{name}, {loading}"),
        }
    }

    fn value(&self, value: Option<Value>) -> String {
        value.map_or_else(|| NOTHING.into(), |value| format::value(value, self.point.decimals))
    }

    /// `voltage A, 30.5 V, stale, last good 14:03:22`.
    fn spoken(&self, reading: Reading, quality: &str, language: Language) -> String {
        let mut parts = vec![name(&self.point.name, language).to_owned()];
        let value = reading.value.map(|value| format::value(value, self.point.decimals));
        parts.extend(value.map(|value| format!("{value} {}", self.point.unit).trim().to_owned()));
        parts.push(quality.into());
        parts.extend(reading.why.map(|why| text::reason(language, why)));
        let last = reading.at.filter(|_| !reading.quality.is_good() || !self.is_current);
        parts.extend(
            last.map(|at| {
                format!("{} {}", text::LAST_GOOD.of(language), format::time(at, self.zone))
            }),
        );
        parts.join(", ")
    }
}

/// A name in the language chosen; the other one is better than none.
pub(crate) fn name(name: &Name, language: Language) -> &str {
    let (first, second) = match language {
        Language::Zh => (&name.zh, &name.en),
        Language::En => (&name.en, &name.zh),
    };
    if first.is_empty() { second } else { first }
}

fn word(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Simulated => "simulated",
        Quality::Uncertain => "uncertain",
        Quality::Stale => "stale",
        Quality::Bad => "bad",
        Quality::NoComm => "no_comm",
    }
}

fn join(quality: &str, fact: Option<&str>) -> String {
    fact.map_or_else(|| quality.into(), |fact| format!("{quality} · {fact}"))
}

/// Stands where no value has ever been.
const NOTHING: &str = "—";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use protocol::reading::Reason;
    use protocol::time::Timestamp;

    fn look(reading: Option<Reading>, is_current: bool, language: Language) -> Face {
        let plant = sample::plant();
        let zone = sample::zone();
        let age = Some(Duration::from_secs(12));
        let point = &plant.devices[0].points[0];
        Sight { point, reading, is_current, age, zone: &zone }.face(language)
    }

    fn reading(quality: Quality, why: Option<Reason>) -> Reading {
        let at = Some(Timestamp::from_millis(1_763_705_002_123));
        Reading { quality, at, value: Some(Value::Number(30.5)), why }
    }

    #[test]
    fn each_quality_has_its_look() {
        use Quality::{Bad, Good, NoComm, Stale, Uncertain};
        let table = [
            (Some(reading(Good, None)), true, "good", "30.5", None),
            (Some(reading(Stale, Some(Reason::Overdue))), true, "stale", "30.5", Some("12\u{a0}s")),
            (Some(reading(Bad, Some(Reason::Timeout))), true, "bad", "30.5", Some("超时")),
            (
                Some(reading(NoComm, Some(Reason::Refused))),
                true,
                "no_comm",
                "30.5",
                Some("拒绝连接"),
            ),
            (
                Some(reading(Uncertain, Some(Reason::OutOfRange))),
                true,
                "uncertain",
                "30.5",
                Some("超出量程"),
            ),
            (Some(reading(Good, None)), false, "link", "30.5", Some("12\u{a0}s")),
            (Some(Reading::NOT_READ), true, "uncertain", "—", Some("尚未读取")),
            (None, true, "none", "—", Some("正在读取点表…")),
        ];
        for (reading, is_current, word, value, remark) in table {
            let face = look(reading, is_current, Language::Zh);
            let has_age = reading.is_some();
            assert_eq!(face.quality.contains("12\u{a0}s"), has_age, "{}", face.quality);
            assert_eq!((face.word, face.value.as_str()), (word, value), "{reading:?}");
            assert_eq!(face.remark.as_deref(), remark, "{reading:?}");
        }
    }

    #[test]
    fn a_reading_can_be_heard() {
        let stale = reading(Quality::Stale, Some(Reason::Overdue));
        let spoken = look(Some(stale), true, Language::En).spoken;
        assert_eq!(spoken, "Rail potential, 30.5 V, stale, poll overdue, last good 14:03:22");
        let good = look(Some(reading(Quality::Good, None)), true, Language::Zh).spoken;
        assert_eq!(good, "轨电位, 30.5 V, 有效");
    }

    #[test]
    fn a_missing_name_is_lent_by_the_other_language() {
        let only = Name { zh: "轨电位".into(), en: String::new() };
        assert_eq!(name(&only, Language::En), "轨电位");
    }
}
