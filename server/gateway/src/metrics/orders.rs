//! Orders to devices, by who gave them and how they ended.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use protocol::command::{Failure, Origin};

use super::children::{Children, Labels};
use super::histogram::Histogram;
use super::{add, count};

#[derive(Debug)]
pub(super) struct Orders {
    /// From the acceptance of an order to its outcome, in the order of [`ENDS`].
    latency: Children<Histogram>,
    /// In the order of [`results`].
    ended: Children<Counter>,
}

impl Orders {
    pub(super) fn new() -> Self {
        Self {
            latency: Children::new(each(&ENDS), Histogram::of_time),
            ended: Children::new(each(&results()), Counter::default),
        }
    }

    pub(super) fn ended(&self, origin: Origin, failure: Option<Failure>, ms: u32) {
        let (origin, took) = (origin as usize, Duration::from_millis(ms.into()));
        let end = usize::from(failure.is_some());
        if let Some(histogram) = self.latency.at(origin * ENDS.len() + end) {
            histogram.observe_time(took);
        }
        let result = failure.map_or(0, |failure| 1 + failure as usize);
        count(&self.ended, origin * (1 + Failure::ALL.len()) + result);
    }

    pub(super) fn add_to(&self, registry: &mut Registry) {
        let help = "From the acceptance of an order to its outcome";
        add(registry, "command_latency_seconds", help, &self.latency);
        add(registry, "commands", "Orders, by how they ended", &self.ended);
    }
}

/// For each origin, each of these.
fn each(results: &[impl AsRef<str>]) -> Vec<Labels> {
    let labels = |origin: Origin| {
        results.iter().map(move |result| {
            vec![("origin", origin.to_string()), ("result", result.as_ref().to_owned())]
        })
    };
    Origin::ALL.into_iter().flat_map(labels).collect()
}

/// `success`, and then why not.
fn results() -> Vec<String> {
    let failures = Failure::ALL.map(|failure| failure.word().to_lowercase());
    ["success".to_owned()].into_iter().chain(failures).collect()
}

const ENDS: [&str; 2] = ["success", "fail"];

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::prometheus_text::encode;

    use super::*;

    #[test]
    fn each_end_is_counted_under_its_origin_and_its_word() {
        let orders = Orders::new();
        let mut registry = Registry::default();
        orders.add_to(&mut registry);
        for (count, origin) in Origin::ALL.into_iter().enumerate() {
            for failure in Failure::ALL {
                (0..=count).for_each(|_| orders.ended(origin, Some(failure), 7));
            }
            orders.ended(origin, None, 3);
        }
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let has = |line: String| assert!(text.contains(&line), "{line}\n{text}");
        for (count, origin) in Origin::ALL.into_iter().enumerate() {
            for failure in Failure::ALL {
                let word = failure.to_string().to_lowercase();
                let labels = format!("origin=\"{origin}\",result=\"{word}\"");
                has(format!("commands_total{{{labels}}} {}\n", count + 1));
            }
            has(format!("commands_total{{origin=\"{origin}\",result=\"success\"}} 1\n"));
            let labels = format!("origin=\"{origin}\",result=\"success\"");
            has(format!("command_latency_seconds_sum{{{labels}}} 0.003\n"));
            let all = (count + 1) * Failure::ALL.len();
            let labels = format!("origin=\"{origin}\",result=\"fail\"");
            has(format!("command_latency_seconds_count{{{labels}}} {all}\n"));
        }
    }
}
