//! A page with all figures and their plots, whole in itself.

use std::fmt::Write as _;

use super::chart::{Axis, Line, bars, escaped, linear, lines};
use super::{Row, markdown, source};
use crate::latency::Distribution;
use crate::machine::Machine;
use crate::measure::Results;
use crate::measure::run::Report;

/// The page of a benchmark.
pub fn of(results: &Results) -> String {
    let mut page = page("Gapless, measured", &results.machine);
    table(&mut page, &markdown::rows(results));
    let plots = [
        ("Latency to a crowd", fan_out(results)),
        ("Server time per pushed frame", frame_cost(results)),
        ("Recovery from a storm", storm(results)),
        ("Memory per connection", memory(results)),
        ("The fast among the slow", slow_clients(results)),
        ("Orders", orders(results)),
    ];
    for (title, plot) in plots {
        plot.into_iter().for_each(|plot| section(&mut page, title, &plot));
    }
    page.push_str("</main>\n");
    page
}

/// The page of a visit.
pub fn of_visit(report: &Report, machine: &Machine) -> String {
    let mut page = page("Gapless under load", machine);
    table(&mut page, &markdown::rows_of_visit(report));
    let plot = latencies(&[
        ("board to client", report.crowd.whole_ms.as_ref()),
        ("server's share", report.crowd.share_ms.as_ref()),
    ]);
    plot.into_iter().for_each(|plot| section(&mut page, "Latency", &plot));
    page.push_str("</main>\n");
    page
}

fn page(title: &str, machine: &Machine) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style><main><h1>{title}</h1><p>{}</p>\n",
        escaped(&source(machine))
    )
}

fn table(page: &mut String, rows: &[Row]) {
    page.push_str("<table><tr><th>measured<th>figure<th>goal\n");
    for Row { what, figure, goal } in rows {
        let cells = [what.as_str(), figure.as_str(), goal].map(escaped).join("<td>");
        let _ = writeln!(page, "<tr><td>{cells}");
    }
    page.push_str("</table>\n");
}

fn section(page: &mut String, title: &str, plot: &str) {
    let _ = writeln!(page, "<h2>{title}</h2>{plot}");
}

fn fan_out(results: &Results) -> Option<String> {
    let part = results.fan_out.as_ref()?;
    latencies(&[
        ("board to client", part.crowd.whole_ms.as_ref()),
        ("server's share", part.crowd.share_ms.as_ref()),
    ])
}

fn orders(results: &Results) -> Option<String> {
    latencies(&[("answered", results.orders.as_ref()?.answered_ms.as_ref())])
}

fn slow_clients(results: &Results) -> Option<String> {
    let round = results.slow_clients.as_ref()?.rounds.last()?;
    latencies(&[
        ("all fast", round.all_fast_ms.as_ref()),
        ("one in ten slow", round.some_slow_ms.as_ref()),
    ])
}

fn frame_cost(results: &Results) -> Option<String> {
    let part = results.frame_cost.as_ref()?;
    let bar = |name: &str, us: f64| (name.to_owned(), us, format!("{us:.2} µs"));
    Some(bars(&[bar("gapless", part.gapless_us), bar("plain axum", part.bare_us)]))
}

fn memory(results: &Results) -> Option<String> {
    let bar = |name: &str, bytes: f64| {
        let kilobytes = bytes / 1024.0;
        (name.to_owned(), kilobytes, format!("{kilobytes:.1} KB"))
    };
    let idle = results.idle_memory.as_ref().map(|part| bar("idle", part.bytes_per_connection));
    let slow = results.slow_clients.as_ref().map(|part| bar("slow", part.memory_per_slow_client));
    let all: Vec<_> = idle.into_iter().chain(slow).collect();
    (!all.is_empty()).then(|| bars(&all))
}

fn storm(results: &Results) -> Option<String> {
    let part = results.storm.as_ref()?;
    let points = part.curve.iter().map(|(millis, count)| (millis / 1e3, *count as f64));
    let points = [(0.0, 0.0)].into_iter().chain(points).collect();
    let line = Line { name: "clients whole again".into(), points };
    let x = linear("seconds after the cut", part.last_ms / 1e3);
    Some(lines(&[line], &x, &linear("clients", part.clients as f64)))
}

/// Percentiles, each nine of them as wide as the one before.
fn latencies(all: &[(&str, Option<&Distribution>)]) -> Option<String> {
    let known: Vec<_> = all.iter().filter_map(|(name, d)| Some((*name, (*d)?))).collect();
    let most = known.iter().map(|(_, distribution)| distribution.max).fold(0.0, f64::max);
    let line = |(name, distribution): &(&str, &Distribution)| {
        let points = distribution.curve.iter().map(|(percent, ms)| (nines(*percent), *ms));
        Line { name: (*name).into(), points: points.collect() }
    };
    let marks = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99];
    let marks = marks.iter().map(|percent| (nines(*percent), format!("{percent}")));
    let x = Axis { title: "per cent of the frames", marks: marks.collect() };
    let plotted: Vec<_> = known.iter().map(line).collect();
    (!known.is_empty()).then(|| lines(&plotted, &x, &linear("milliseconds", most)))
}

/// 90 % is one, 99 % is two; the last of all counts as a little more than 99.99 %.
fn nines(percent: f64) -> f64 {
    -(1.0 - percent / 100.0).max(1e-4).log10()
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--grid:#d8dee6;--paper:#fff;\
--c0:#0b67c2;--c1:#c2570b}\
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf2;--soft:#9aa7b8;--grid:#2e3947;\
--paper:#12171e;--c0:#6cb2ff;--c1:#ffa466}}\
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
main{max-width:60rem;margin:auto;padding:1rem}h2{margin-top:2rem;font-size:1.1rem}\
p{color:var(--soft)}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--grid);\
vertical-align:top}td+td{font-variant-numeric:tabular-nums}\
svg{width:100%;max-width:44rem;height:auto}svg text{fill:var(--soft);font-size:12px}\
svg text.c0,.bar.c0{fill:var(--c0)}svg text.c1,.bar.c1{fill:var(--c1)}\
.grid{stroke:var(--grid)}.line{fill:none;stroke-width:2}\
.line.c0{stroke:var(--c0)}.line.c1{stroke:var(--c1)}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Latencies;
    use crate::measure::crowd::Crowd;

    #[test]
    fn a_page_is_whole_in_itself() {
        let mut latencies = Latencies::default();
        latencies.extend((1..=1_000).map(|millis| millis * 10));
        let whole_ms = latencies.distribution();
        let report = Report {
            server_version: None,
            devices: 1,
            crowd: Crowd { whole_ms, ..Crowd::default() },
        };
        let page = of_visit(&report, &Machine::here("<b>1</b>".into()));
        assert!(page.contains("<polyline") && page.contains("&lt;b&gt;1"), "{page}");
        assert!(!["http", "src=", "url("].iter().any(|outside| page.contains(outside)), "{page}");
    }

    #[test]
    fn each_nine_is_as_wide_as_the_one_before() {
        let step = |from, to| nines(to) - nines(from);
        assert!((step(0.0, 90.0) - step(90.0, 99.0)).abs() < 1e-9);
        assert!(nines(100.0).is_finite());
    }
}
