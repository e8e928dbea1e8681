//! Plots as inline SVG: lines over two axes, and bars.

use std::fmt::Write as _;

/// A line with its name.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// What stands at an axis, from low to high, and how its values are written.
#[derive(Clone, Debug)]
pub struct Axis {
    pub title: &'static str,
    pub marks: Vec<(f64, String)>,
}

/// Lines over two axes; all points lie within the marks.
pub fn lines(lines: &[Line], x: &Axis, y: &Axis) -> String {
    let mut svg = frame(&format!("{} over {}", y.title, x.title));
    for (value, label) in &x.marks {
        let at = across(*value, x);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} {TOP}V{BOTTOM}\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            BOTTOM + 16.0
        );
    }
    for (value, label) in &y.marks {
        let at = up(*value, y);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{RIGHT}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    for (number, line) in lines.iter().enumerate() {
        let points = line.points.iter();
        let points = points.map(|(a, b)| format!("{:.1},{:.1}", across(*a, x), up(*b, y)));
        let points: Vec<_> = points.collect();
        let _ = write!(
            svg,
            "<polyline class=\"line c{number}\" points=\"{}\"/>\
             <text class=\"c{number}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            points.join(" "),
            LEFT + 10.0,
            TOP + 16.0 + 16.0 * number as f64,
            escaped(&line.name)
        );
    }
    titles(&mut svg, x.title, y.title);
    svg
}

/// One bar below the other, each with its value.
pub fn bars(bars: &[(String, f64, String)]) -> String {
    let most = bars.iter().map(|bar| bar.1).fold(0.0, f64::max).max(f64::EPSILON);
    let height = 34.0 * bars.len() as f64 + 8.0;
    let mut svg =
        format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"bars\">");
    for (number, (name, value, label)) in bars.iter().enumerate() {
        let (y, width) = (34.0 * number as f64 + 6.0, 300.0 * value.max(0.0) / most);
        let _ = write!(
            svg,
            "<text x=\"180\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"bar c{number}\" x=\"190\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"22\" rx=\"3\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            y + 16.0,
            escaped(name),
            196.0 + width,
            y + 16.0,
            escaped(label)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Marks at 1, 2 or 5 times a power of ten, from 0 to beyond `most`.
pub fn linear(title: &'static str, most: f64) -> Axis {
    let rough = (most / 5.0).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = steps.into_iter().find(|step| *step >= rough).unwrap_or(rough);
    let marks = (0..=6).map(|n| step * f64::from(n)).take_while(|mark| *mark < most + step);
    Axis { title, marks: marks.map(|mark| (mark, number(mark))).collect() }
}

/// Text that may stand in a page.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn frame(label: &str) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", escaped(label))
}

fn titles(svg: &mut String, x: &str, y: &str) {
    let _ = write!(
        svg,
        "<text class=\"title\" x=\"{RIGHT}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
         <text class=\"title\" x=\"{LEFT}\" y=\"{:.1}\">{}</text></svg>",
        BOTTOM + 34.0,
        escaped(x),
        TOP - 10.0,
        escaped(y)
    );
}

fn across(value: f64, axis: &Axis) -> f64 {
    LEFT + (RIGHT - LEFT) * share(value, axis)
}

fn up(value: f64, axis: &Axis) -> f64 {
    BOTTOM - (BOTTOM - TOP) * share(value, axis)
}

fn share(value: f64, axis: &Axis) -> f64 {
    let low = axis.marks.first().map_or(0.0, |mark| mark.0);
    let high = axis.marks.last().map_or(1.0, |mark| mark.0);
    if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 }
}

fn number(value: f64) -> String {
    if value >= 10.0 || value == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 620.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 250.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_reaches_beyond_what_it_shows() {
        for most in [0.3, 1.0, 7.3, 99.0, 4_821.0] {
            let axis = linear("ms", most);
            let end = axis.marks.last().unwrap().0;
            assert!(end >= most && axis.marks.len() <= 7, "{most}: {axis:?}");
        }
    }

    #[test]
    fn names_cannot_become_markup() {
        let svg = bars(&[("<b>".into(), 1.0, "a & b".into())]);
        assert!(svg.contains("&lt;b&gt;") && svg.contains("a &amp; b"));
    }
}
