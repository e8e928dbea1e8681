//! Reads one table of the configuration: each key once, and a word about those nobody asked for.

use crate::document::{Node, Table, Value};
use crate::finding::{Findings, Place, nearest};

/// A value as it takes effect, and what set it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setting {
    pub key: String,
    pub value: String,
    pub place: Place,
}

/// What the reading of a configuration gathers beside its values.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub findings: Findings,
    pub settings: Vec<Setting>,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Placed<T> {
    pub value: T,
    pub place: Place,
}

/// A table that is being read.
pub(crate) struct Section<'a> {
    /// How its keys are called in what is printed: `channel[1].`, or nothing at the root.
    prefix: String,
    /// Where the table stands.
    pub place: Place,
    table: Table,
    known: Vec<&'static str>,
    pub notes: &'a mut Notes,
}

impl<'a> Section<'a> {
    pub(crate) fn new(
        prefix: impl Into<String>,
        place: Place,
        table: Table,
        notes: &'a mut Notes,
    ) -> Self {
        Self { prefix: prefix.into(), place, table, known: Vec::new(), notes }
    }

    /// The value of `key`, if it is there and right.
    pub(crate) fn read<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<Placed<T>> {
        let node = self.take(key)?;
        self.note(key, &node);
        let named = parse(&node.value).map_err(|text| format!("`{key}` {text}"));
        let value = self.notes.findings.keep(&node.place, named)?;
        Some(Placed { value, place: node.place })
    }

    /// As [`Section::read`]; a missing key is a mistake.
    pub(crate) fn require<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<Placed<T>> {
        if !self.table.contains_key(key) {
            self.known.push(key);
            let text = format!("`{key}` is missing");
            self.notes.findings.mistake(&self.place, text);
            return None;
        }
        self.read(key, parse)
    }

    /// As [`Section::read`]; where `key` is missing, `default` is read in its place.
    pub(crate) fn read_or<T>(
        &mut self,
        key: &'static str,
        default: &str,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.table.entry(key.into()).or_insert_with(|| Node {
            key: Place::Default,
            place: Place::Default,
            value: Value::Raw(default.into()),
        });
        Some(self.read(key, parse)?.value)
    }

    /// The table of that name, to be read on its own; an empty one where it is missing.
    pub(crate) fn section(&mut self, key: &'static str) -> Section<'_> {
        let node = self.take(key);
        let place = node.as_ref().map_or_else(|| self.place.clone(), |node| node.key.clone());
        let table = match node.map(|node| node.value) {
            Some(Value::Table(table)) => table,
            None => Table::new(),
            Some(other) => {
                let text = format!("`{key}` must be a table, not {}", other.kind());
                self.notes.findings.mistake(&place, text);
                Table::new()
            }
        };
        Section::new(format!("{}{key}.", self.prefix), place, table, self.notes)
    }

    /// Reads each of the tables under `[[key]]`.
    pub(crate) fn each(&mut self, key: &'static str, mut look: impl FnMut(&mut Section<'_>)) {
        for (index, (place, table)) in self.tables(key).into_iter().enumerate() {
            let id = table.get("id").map(|node| node.value.written());
            let id = id.unwrap_or_else(|| (index + 1).to_string());
            let prefix = format!("{}{key}[{id}].", self.prefix);
            let mut section = Section::new(prefix, place, table, self.notes);
            look(&mut section);
            section.finish();
        }
    }

    /// Reads each of the tables `[key.NAME]`, in the order of the file.
    pub(crate) fn named(
        &mut self,
        key: &'static str,
        mut look: impl FnMut(Placed<String>, &mut Section<'_>),
    ) {
        let mut members: Vec<_> = self.section(key).table.into_iter().collect();
        members.sort_by(|(_, one), (_, other)| one.key.cmp(&other.key));
        for (name, Node { key: place, value, .. }) in members {
            let Value::Table(table) = value else {
                let text = format!("write [{key}.NAME] with a name: there can be several");
                self.notes.findings.mistake(&place, text);
                continue;
            };
            let prefix = format!("{}{key}.{name}.", self.prefix);
            let mut section = Section::new(prefix, place.clone(), table, self.notes);
            look(Placed { value: name, place }, &mut section);
            section.finish();
        }
    }

    /// Where the value of `key` stands, or would stand.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.table.get(key).map_or_else(|| self.place.clone(), |node| node.place.clone())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Takes keys out unread; where there is a reason, each is a mistake.
    pub(crate) fn pass_over(&mut self, keys: &[&'static str], why: Option<&str>) {
        for key in keys {
            if let (Some(node), Some(why)) = (self.table.remove(*key), why) {
                self.notes.findings.mistake(&node.key, format!("`{key}` {why}"));
            }
        }
    }

    fn tables(&mut self, key: &'static str) -> Vec<(Place, Table)> {
        let Some(node) = self.take(key) else { return Vec::new() };
        let Value::List(items) = node.value else {
            let text = format!("write [[{key}]] with two brackets: there can be several");
            self.notes.findings.mistake(&node.key, text);
            return Vec::new();
        };
        let tables = items.into_iter().filter_map(|item| match item.value {
            Value::Table(table) => Some((item.place, table)),
            other => {
                let text = format!("`{key}` must hold tables, not {}", other.kind());
                self.notes.findings.mistake(&item.place, text);
                None
            }
        });
        tables.collect()
    }

    /// Ends the reading: what was not asked for is unknown.
    pub(crate) fn finish(self) {
        for (key, node) in &self.table {
            let text = format!("unknown key `{}{key}`{}", self.prefix, nearest(key, &self.known));
            self.notes.findings.mistake(&node.key, text);
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        self.table.remove(key)
    }

    fn note(&mut self, key: &str, node: &Node) {
        let secret = SECRETS.contains(&key);
        let value = if secret { "****".into() } else { node.value.written() };
        let place = node.place.clone();
        self.notes.settings.push(Setting { key: format!("{}{key}", self.prefix), value, place });
    }
}

/// Keys whose values are never printed.
const SECRETS: [&str; 3] = ["key", "previous_key", "token"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document, parse};

    fn read(text: &str, look: impl FnOnce(&mut Section<'_>)) -> Notes {
        let mut notes = Notes::default();
        let table = document::parse("g.toml", text, &mut notes.findings);
        let mut root = Section::new("", Place::File("g.toml".into()), table, &mut notes);
        look(&mut root);
        root.finish();
        notes
    }

    fn told(notes: &Notes) -> Vec<String> {
        notes.findings.mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_unknown_key_is_answered_with_its_place_and_the_nearest_name() {
        let notes = read("[server]\nlistn = \"x\"\n[sever]\n", |root| {
            let mut server = root.section("server");
            server.read_or("listen", "127.0.0.1:8080", parse::word);
            server.finish();
        });
        let expected = [
            "g.toml:2:1: unknown key `server.listn`; did you mean `listen`?",
            "g.toml:3:2: unknown key `sever`; did you mean `server`?",
        ];
        assert_eq!(told(&notes), expected);
    }

    #[test]
    fn a_missing_key_and_a_wrong_value_are_told_once_each() {
        let notes = read("b = 1\nlist = 3\ntable = 3\n", |root| {
            assert!(root.require("a", parse::word).is_none());
            assert!(root.require("b", parse::word).is_none());
            root.each("list", |_| panic!("not a list of tables"));
            root.section("table").finish();
        });
        let expected = [
            "g.toml: `a` is missing",
            "g.toml:1:5: `b` must be a text in quotes, not an integer",
            "g.toml:2:1: write [[list]] with two brackets: there can be several",
            "g.toml:3:1: `table` must be a table, not an integer",
        ];
        assert_eq!(told(&notes), expected);
    }

    #[test]
    fn settings_remember_what_set_them_and_hide_secrets() {
        let notes = read("key = \"very secret\"\n", |root| {
            root.read("key", parse::word);
            root.read_or("port", "502", parse::integer(1..=u16::MAX));
        });
        let shown: Vec<_> = notes
            .settings
            .iter()
            .map(|s| format!("{} = {} ({})", s.key, s.value, s.place))
            .collect();
        assert_eq!(shown, ["key = **** (g.toml:1:7)", "port = 502 (default)"]);
    }
}
