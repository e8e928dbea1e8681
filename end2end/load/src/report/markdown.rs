//! A benchmark as one table.

use std::fmt::Write as _;

use super::{NO_STAMPS, Row, percentiles, source};
use crate::measure::Results;
use crate::measure::crowd::Crowd;
use crate::measure::run::Report;

/// The whole table.
pub fn of(results: &Results) -> String {
    let mut text = format!("{}\n\n", source(&results.machine));
    text.push_str("| measured | figure | goal |\n|---|---|---|\n");
    for Row { what, figure, goal } in rows(results) {
        let _ = writeln!(text, "| {what} | {figure} | {goal} |");
    }
    text
}

/// Every figure that was measured, in the order of the measurements.
pub fn rows(results: &Results) -> Vec<Row> {
    let parts = [
        fan_out(results),
        frame_cost(results),
        idle_memory(results),
        storm(results),
        many_devices(results),
        slow_clients(results),
        orders(results),
        idle_edges(results),
    ];
    parts.into_iter().flatten().flatten().collect()
}

/// A visit's figures.
pub fn rows_of_visit(report: &Report) -> Vec<Row> {
    let Crowd { clients, live, reconnects, tampered, .. } = &report.crowd;
    let connected = format!("{live} of {clients}, {reconnects} reconnects");
    let mut rows = vec![
        Row::new("connected", connected, ""),
        Row::new("wrong check codes", tampered.to_string(), "0"),
        Row::new("frames", frames(&report.crowd), ""),
    ];
    rows.extend(heard(&report.crowd));
    rows
}

fn fan_out(results: &Results) -> Option<Vec<Row>> {
    let part = results.fan_out.as_ref()?;
    let what = format!("{} clients × {} points, 1 Hz", part.crowd.clients, part.points);
    let frames = format!("{}, server {:.1} % of a core", frames(&part.crowd), part.server_cpu);
    Some([Row::new(what, frames, "")].into_iter().chain(heard(&part.crowd)).collect())
}

fn frames(crowd: &Crowd) -> String {
    format!("{:.0} frames/s of {:.0} bytes", crowd.frames_per_second, crowd.bytes_per_frame)
}

fn heard(crowd: &Crowd) -> [Row; 3] {
    [
        Row::new("… board to client", percentiles(crowd.whole_ms.as_ref()), "p99 ≤ 100 ms"),
        Row::new("… server's share", percentiles(crowd.share_ms.as_ref()), "p99 ≤ 30 ms"),
        Row::new("… lost / repaired", format!("{} / {}", crowd.lost, crowd.repaired), "equal"),
    ]
}

fn frame_cost(results: &Results) -> Option<Vec<Row>> {
    let part = results.frame_cost.as_ref()?;
    let bytes = part.rounds.last().map_or(0.0, |round| round.gapless.bytes_per_frame);
    let what = format!(
        "server time a pushed frame, {bytes:.0} bytes, {} clients, {} Hz",
        part.clients, part.per_second
    );
    let figure = format!("{:.2} µs; plain axum {:.2} µs", part.gapless_us, part.bare_us);
    let ratio = format!("{:.2} (median of {} rounds)", part.ratio, part.rounds.len());
    Some(vec![Row::new(what, figure, ""), Row::new("… ratio to plain axum", ratio, "≤ 1.5")])
}

fn idle_memory(results: &Results) -> Option<Vec<Row>> {
    let part = results.idle_memory.as_ref()?;
    let what = format!("memory an idle connection, {} of them", part.connections);
    Some(vec![Row::new(what, format!("{:.1} KB", part.bytes_per_connection / 1024.0), "≤ 8 KB")])
}

fn storm(results: &Results) -> Option<Vec<Row>> {
    let part = results.storm.as_ref()?;
    let what = format!("storm: {} clients cut at once, the last whole again", part.clients);
    let figure = format!("{:.2} s (median {:.2} s)", part.last_ms / 1e3, part.median_ms / 1e3);
    let books = format!("{} resumed, {} / {}", part.resumed, part.lost, part.repaired);
    Some(vec![Row::new(what, figure, "≤ 3 s"), Row::new("… lost / repaired", books, "equal")])
}

fn many_devices(results: &Results) -> Option<Vec<Row>> {
    let part = results.many_devices.as_ref()?;
    let what = format!("{} devices × {} points, 1 Hz, one core", part.devices, part.points);
    let figure = format!(
        "{:.0} polls/s, {:.1} % of the core, {:.1} MB",
        part.polls_per_second,
        part.core,
        part.memory_bytes as f64 / 1e6
    );
    let late = format!("{:.1} ms", part.worst_lateness_ms);
    let by = if part.is_stamped { "by the server's stamps" } else { "by arrival" };
    Some(vec![Row::new(what, figure, ""), Row::new(format!("… worst lateness, {by}"), late, "")])
}

fn orders(results: &Results) -> Option<Vec<Row>> {
    let part = results.orders.as_ref()?;
    let what = "an order: client, disk, board, read back, client";
    let figure = percentiles(part.answered_ms.as_ref());
    let mut done = format!("{} of {}", part.done, part.given);
    for why in &part.failures {
        let _ = write!(done, ", {why}");
    }
    Some(vec![Row::new(what, figure, "p99 ≤ 10 ms"), Row::new("… carried out", done, "all")])
}

fn idle_edges(results: &Results) -> Option<Vec<Row>> {
    let part = results.idle_edges.as_ref()?;
    let what = format!("a center of {} edges, idle for {} s", part.edges, part.seconds);
    Some(vec![Row::new(what, format!("{:.1} MB", part.memory_bytes as f64 / 1e6), "≤ 100 MB")])
}

fn slow_clients(results: &Results) -> Option<Vec<Row>> {
    let part = results.slow_clients.as_ref()?;
    let what = format!(
        "p99 of the fast, {} of {} clients read {} bytes/s",
        part.slow, part.clients, part.slow_bytes_per_second
    );
    let millis =
        |p99: Option<f64>| p99.map_or_else(|| NO_STAMPS.into(), |p99| format!("{p99:.2} ms"));
    let (fast, slow) = (millis(part.p99_all_fast_ms), millis(part.p99_some_slow_ms));
    let ratio = part.ratio.map_or_else(|| NO_STAMPS.into(), |ratio| format!("{ratio:.2}"));
    let memory = format!("{:.1} KB", part.memory_per_slow_client / 1024.0);
    Some(vec![
        Row::new(what, format!("{slow}; all fast {fast}"), ""),
        Row::new("… ratio", ratio, "≤ 1.1"),
        Row::new("… server's memory a slow client", memory, "≤ 64 KB"),
    ])
}
