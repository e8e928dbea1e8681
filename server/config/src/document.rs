//! A configuration file as a tree that remembers where each value stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::finding::{Findings, Place};

/// The members of a table, by name.
pub(crate) type Table = BTreeMap<String, Node>;

/// One value, and where it and its name stand.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub key: Place,
    pub place: Place,
    pub value: Value,
}

/// What can stand in a file, or in a variable that replaces it.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Float(f64),
    Integer(i64),
    List(Vec<Node>),
    /// A date, or a number beyond 64 bits: nothing here is one.
    Other(String),
    /// From outside the file: its type is what the reader expects.
    Raw(String),
    Switch(bool),
    Table(Table),
    Text(String),
}

impl Value {
    /// What kind of value it is, as the documentation calls it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Float(_) => "a number",
            Self::Integer(_) => "an integer",
            Self::List(_) => "a list",
            Self::Other(_) => "a date or an overlong number",
            Self::Raw(_) | Self::Text(_) => "a text",
            Self::Switch(_) => "true or false",
            Self::Table(_) => "a table",
        }
    }

    /// The value as a person would write it.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Float(number) => number.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Other(text) | Self::Raw(text) | Self::Text(text) => text.clone(),
            Self::Switch(on) => on.to_string(),
            Self::List(items) => {
                items.iter().map(|item| item.value.written()).collect::<Vec<_>>().join(", ")
            }
            Self::Table(_) => "{…}".into(),
        }
    }
}

/// Reads the text of `file`; what cannot be read is left out and noted.
pub(crate) fn parse(file: &str, text: &str, findings: &mut Findings) -> Table {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = Lines::of(file, text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let place = lines.place(error.span().map_or(0, |span| span.start));
        findings.mistake(&place, error.message().replace('\n', ", "));
    }
    lines.table(root.into_inner())
}

/// Turns byte offsets into lines and columns.
struct Lines<'a> {
    file: Arc<str>,
    text: &'a str,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(file: &str, text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = [0].into_iter().chain(breaks.map(|(at, _)| at + 1)).collect();
        Self { file: file.into(), text, starts }
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        Place::Line { file: self.file.clone(), line, column: before.chars().count() + 1 }
    }

    fn table(&self, table: DeTable<'_>) -> Table {
        let members = table.into_iter().map(|(key, value)| {
            let place = self.place(key.span().start);
            (key.into_inner().into_owned(), self.node(place, value))
        });
        members.collect()
    }

    fn node(&self, key: Place, value: Spanned<DeValue<'_>>) -> Node {
        let place = self.place(value.span().start);
        Node { key, place, value: self.value(value.into_inner()) }
    }

    fn value(&self, value: DeValue<'_>) -> Value {
        match value {
            DeValue::Boolean(on) => Value::Switch(on),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| Value::Other(number.to_string()), Value::Integer),
            DeValue::Float(number) => number
                .as_str()
                .parse()
                .map_or_else(|_| Value::Other(number.to_string()), Value::Float),
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Datetime(moment) => Value::Other(moment.to_string()),
            DeValue::Table(table) => Value::Table(self.table(table)),
            DeValue::Array(items) => {
                let item =
                    |value: Spanned<DeValue<'_>>| self.node(self.place(value.span().start), value);
                Value::List(items.into_iter().map(item).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_value_knows_its_line_and_column() {
        let text = "a = 1\n\n[[channel]]\nid = 7 # 通\n  \"名\" = \"x\"\n";
        let mut findings = Findings::default();
        let mut root = parse("g.toml", text, &mut findings);
        let Some(Value::List(channels)) = root.remove("channel").map(|node| node.value) else {
            panic!("a list of tables")
        };
        let Value::Table(channel) = &channels[0].value else { panic!("a table") };
        assert_eq!(channel["id"].place.to_string(), "g.toml:4:6");
        assert_eq!(channel["名"].place.to_string(), "g.toml:5:9");
        assert_eq!(root["a"].key.to_string(), "g.toml:1:1");
        assert!(findings.mistakes.is_empty());
    }

    #[test]
    fn several_syntax_errors_are_told_at_once() {
        let mut findings = Findings::default();
        let root = parse("g.toml", "a = \nb = 2\nc = = 3\nb = 4\n", &mut findings);
        let places: Vec<_> = findings.mistakes.iter().map(|m| m.place.to_string()).collect();
        for line in ["g.toml:1:", "g.toml:3:", "g.toml:4:"] {
            assert!(places.iter().any(|place| place.starts_with(line)), "{places:?}");
        }
        assert!(root.contains_key("b"), "what can be read is read");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(\\PC|\n|[\\[\\]={}\"',.a-c0-9]){0,80}") {
            parse("g.toml", &text, &mut Findings::default());
        }
    }
}
