//! What the environment and the command line put in the place of what a file says.

use crate::document::{Node, Table, Value};
use crate::finding::{Findings, Place, nearest};

/// The environment, handed in by whoever may look at it.
pub type Variables = [(String, String)];

/// A value from outside the file, for the key at `path`.
#[derive(Clone, Debug)]
pub struct Override {
    pub path: Vec<String>,
    pub value: String,
    pub place: Place,
}

impl Override {
    /// A switch of the command line: `server.listen` by `--listen`.
    pub fn flag(path: &str, name: &'static str, value: String) -> Self {
        let path = path.split('.').map(Into::into).collect();
        Self { path, value, place: Place::Flag(name) }
    }
}

/// The overrides of the environment, in the order in which they count.
///
/// `GAPLESS__SECTION__KEY` is the value, `GAPLESS__SECTION__KEY_FILE` the file that holds it. One
/// of several is named by its id or its name: `GAPLESS__DEVICE__BOARD_1__UNIT`.
pub(crate) fn from_environment(variables: &Variables, findings: &mut Findings) -> Vec<Override> {
    let ours = variables.iter().filter_map(|(name, value)| {
        let path = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
        Some((name, path, value))
    });
    let (files, values): (Vec<_>, Vec<_>) = ours.partition(|(_, path, _)| path.ends_with(FILE));
    let direct = values.into_iter().map(|(name, path, value)| Override {
        path: split(&path),
        value: value.clone(),
        place: Place::Variable(name.clone()),
    });
    let mut all: Vec<_> = direct.collect();
    for (name, path, file) in files {
        let place = Place::Variable(name.clone());
        let read = std::fs::read_to_string(file)
            .map_err(|error| format!("cannot read the file it names, {file}: {error}"));
        if let Some(text) = findings.keep(&place, read) {
            let value = text.trim_end_matches(['\r', '\n']).to_owned();
            all.push(Override { path: split(path.trim_end_matches(FILE)), value, place });
        }
    }
    all
}

/// A variable that is there and not empty.
pub fn variable<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    let found = variables.iter().find(|(known, value)| known == name && !value.is_empty());
    found.map(|(_, value)| value.as_str())
}

/// Puts `over` in its place; a path that leads nowhere is a mistake.
pub(crate) fn apply(root: &mut Table, over: Override, findings: &mut Findings) {
    let Override { path, value, place } = over;
    let put = match path.len() {
        1..=DEEPEST => insert(root, &path, &value, &place),
        _ => Err("names no key".into()),
    };
    findings.keep(&place, put);
}

fn insert(table: &mut Table, path: &[String], value: &str, place: &Place) -> Result<(), String> {
    let at = |value| Node { key: place.clone(), place: place.clone(), value };
    match path {
        [] => Err("names no key".into()),
        [key] if key.is_empty() => Err("names no key".into()),
        [key] => {
            table.insert(key.clone(), at(Value::Raw(value.into())));
            Ok(())
        }
        [key, rest @ ..] => {
            let inner = table.entry(key.clone()).or_insert_with(|| at(Value::Table(Table::new())));
            match &mut inner.value {
                Value::Table(table) if NAMED.contains(&key.as_str()) => {
                    insert(member(key, table, &rest[0])?, &rest[1..], value, place)
                }
                Value::Table(table) => insert(table, rest, value, place),
                Value::List(items) => {
                    insert(entry(key, items, &rest[0])?, &rest[1..], value, place)
                }
                other => Err(format!("`{key}` is no section, but {}", other.kind())),
            }
        }
    }
}

/// The one of `[[key]]` with that id, spelled as a variable's name can spell it.
fn entry<'a>(key: &str, items: &'a mut [Node], id: &str) -> Result<&'a mut Table, String> {
    let spelled: Vec<_> = items.iter().filter_map(|item| id_of(&item.value)).collect();
    let found = items.iter_mut().find_map(|item| match id_of(&item.value) {
        Some(own) if own == id => match &mut item.value {
            Value::Table(table) => Some(table),
            _ => None,
        },
        _ => None,
    });
    found.ok_or_else(|| format!("there is no [[{key}]] `{id}`{}", nearest(id, spelled)))
}

/// The `[key.NAME]` of that name, spelled as a variable's name can spell it.
fn member<'a>(key: &str, table: &'a mut Table, name: &str) -> Result<&'a mut Table, String> {
    let names: Vec<_> = table.keys().map(|name| plain(name)).collect();
    let found = table.iter_mut().find_map(|(own, node)| match &mut node.value {
        Value::Table(table) if plain(own) == name => Some(table),
        _ => None,
    });
    found.ok_or_else(|| format!("there is no [{key}.NAME] `{name}`{}", nearest(name, names)))
}

fn id_of(value: &Value) -> Option<String> {
    let Value::Table(table) = value else { return None };
    Some(plain(&table.get("id")?.value.written()))
}

fn plain(id: &str) -> String {
    id.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

fn split(path: &str) -> Vec<String> {
    path.split("__").map(Into::into).collect()
}

const PREFIX: &str = "GAPLESS__";
const FILE: &str = "_file";

/// Sections of tables that have names of their own.
const NAMED: [&str; 1] = ["command"];

/// `channel`, its id, the key.
const DEEPEST: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    const TEXT: &str = "[server]\nlisten = \"a\"\n[[device]]\nid = \"board-1\"\nunit = 1\n";

    fn read(variables: &[(&str, &str)]) -> (Table, Vec<String>) {
        let mut findings = Findings::default();
        let mut root = document::parse("g.toml", TEXT, &mut findings);
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        for over in from_environment(&variables, &mut findings) {
            apply(&mut root, over, &mut findings);
        }
        (root, findings.mistakes.iter().map(ToString::to_string).collect())
    }

    fn written(root: &Table, section: &str, key: &str) -> String {
        match &root[section].value {
            Value::Table(table) => table[key].value.written(),
            Value::List(items) => match &items[0].value {
                Value::Table(table) => table[key].value.written(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn variables_replace_what_the_file_says() {
        let (root, mistakes) = read(&[
            ("GAPLESS__SERVER__LISTEN", "b"),
            ("GAPLESS__INTEGRITY__KEY", "k"),
            ("GAPLESS__DEVICE__BOARD_1__UNIT", "7"),
            ("GAPLESS_CONFIG", "elsewhere"),
            ("PATH", "/bin"),
        ]);
        assert_eq!(mistakes, Vec::<String>::new());
        assert_eq!(written(&root, "server", "listen"), "b");
        assert_eq!(written(&root, "integrity", "key"), "k");
        assert_eq!(written(&root, "device", "unit"), "7");
    }

    #[test]
    fn a_file_holds_what_must_not_stand_in_the_environment() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from a file\n").unwrap();
        let path = file.path().to_str().unwrap();
        let (root, mistakes) =
            read(&[("GAPLESS__INTEGRITY__KEY_FILE", path), ("GAPLESS__INTEGRITY__KEY", "x")]);
        assert_eq!(mistakes, Vec::<String>::new());
        assert_eq!(written(&root, "integrity", "key"), "from a file");
    }

    #[test]
    fn a_variable_that_leads_nowhere_is_a_mistake() {
        let table = [
            ("GAPLESS__DEVICE__BORD_1__UNIT", "no [[device]] `bord_1`; did you mean `board_1`?"),
            ("GAPLESS__SERVER__LISTEN__PORT", "`listen` is no section"),
            ("GAPLESS__DEVICE__BOARD_1", "names no key"),
            ("GAPLESS__", "names no key"),
            ("GAPLESS__INTEGRITY__KEY_FILE", "cannot read the file it names"),
        ];
        for (name, expected) in table {
            let (_, mistakes) = read(&[(name, "/nowhere/at/all")]);
            assert_eq!(mistakes.len(), 1, "{name}: {mistakes:?}");
            assert!(mistakes[0].starts_with(name), "{mistakes:?}");
            assert!(mistakes[0].contains(expected), "{mistakes:?}");
        }
    }
}
