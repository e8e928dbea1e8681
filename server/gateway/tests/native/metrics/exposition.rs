//! Reads the text format of Prometheus 0.0.4, and takes no exception to its rules.

use std::collections::{BTreeMap, BTreeSet};

type Labels = BTreeMap<String, String>;

/// Everything that one look has shown.
pub(crate) struct Exposition {
    samples: BTreeMap<(String, Labels), f64>,
}

/// What a sample belongs to.
#[derive(Default)]
struct Family<'a> {
    name: &'a str,
    kind: &'a str,
}

impl Exposition {
    pub(crate) fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line ends, too");
        let (mut samples, mut seen, mut family) = (BTreeMap::new(), BTreeSet::new(), None);
        let mut helped = "";
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(is_name(name) && !help.is_empty(), "{line}");
                helped = name;
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(name == helped && seen.insert(name), "{name} is told of once");
                family = Some(Family { name, kind });
            } else {
                let (name, labels, value) = sample(line);
                family.as_ref().unwrap().check(name, &labels, value);
                let before = samples.insert((name.to_owned(), labels), value);
                assert_eq!(before, None, "twice: {line}");
            }
        }
        let read = Self { samples };
        read.check_histograms();
        read
    }

    /// The value with exactly these labels: `a=b,c=d`.
    pub(crate) fn value(&self, name: &str, labels: &str) -> Option<f64> {
        let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
        let labels = pairs.map(|(name, value)| (name.into(), value.into())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }

    pub(crate) fn labels(&self) -> Vec<(String, String)> {
        self.samples.keys().flat_map(|(_, labels)| labels.clone()).collect()
    }

    /// Buckets rise up to the last, which holds them all.
    fn check_histograms(&self) {
        let mut buckets: BTreeMap<(String, Labels), Vec<(f64, f64)>> = BTreeMap::new();
        for ((name, labels), value) in &self.samples {
            let Some(name) = name.strip_suffix("_bucket") else { continue };
            let mut labels = labels.clone();
            let bound = match labels.remove("le").unwrap().as_str() {
                "+Inf" => f64::INFINITY,
                bound => bound.parse().unwrap(),
            };
            buckets.entry((name.to_owned(), labels)).or_default().push((bound, *value));
        }
        for ((name, labels), mut list) in buckets {
            list.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(list.is_sorted_by(|a, b| a.1 <= b.1), "{name} {labels:?}: {list:?}");
            let (bound, all) = *list.last().unwrap();
            let of = |end| self.samples.get(&(format!("{name}{end}"), labels.clone())).copied();
            assert_eq!((bound, Some(all)), (f64::INFINITY, of("_count")), "{name}");
            assert!(of("_sum").is_some(), "{name}");
        }
    }
}

impl Family<'_> {
    fn check(&self, name: &str, labels: &Labels, value: f64) {
        let end = name.strip_prefix(self.name);
        let is_own = match self.kind {
            "histogram" => matches!(end, Some("_bucket" | "_sum" | "_count")),
            "counter" => end == Some("") && name.ends_with("_total") && value >= 0.0,
            _ => end == Some(""),
        };
        assert!(is_own, "{name} in the {} {}", self.kind, self.name);
        let has_bound = labels.contains_key("le");
        assert_eq!(has_bound, name.ends_with("_bucket"), "{name} {labels:?}");
    }
}

fn sample(line: &str) -> (&str, Labels, f64) {
    let (front, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
    let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
    let (name, labels) = match front.split_once('{') {
        None => (front, Labels::new()),
        Some((name, rest)) => (name, labels(rest.strip_suffix('}').unwrap())),
    };
    assert!(is_name(name), "no name: {line}");
    (name, labels, value)
}

fn labels(text: &str) -> Labels {
    let mut labels = Labels::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, behind) = rest.split_once("=\"").unwrap();
        let (value, behind) = behind.split_once('"').unwrap();
        assert!(is_name(name) && !value.contains(['\\', '\n']), "{text}");
        assert_eq!(labels.insert(name.into(), value.into()), None, "{text}");
        rest = behind.strip_prefix(',').unwrap_or(behind);
        assert!(behind.is_empty() || behind.starts_with(',') && !rest.is_empty(), "{text}");
    }
    labels
}

fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(is_letter) && text.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}
