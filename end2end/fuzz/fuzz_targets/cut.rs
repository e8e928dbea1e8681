//! Cuts check codes out of any text, and compares with a reader of JSON that knows nothing of it.

#![no_main]

use std::borrow::Cow;
use std::fmt;

use libfuzzer_sys::fuzz_target;
use protocol::wire::cut::{Cut, CutError, cut};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

fuzz_target!(|text: &str| {
    let found = cut(text);
    if let Ok(cut) = &found {
        only_the_member_is_gone(text, cut);
    }
    if let Ok(Members(members)) = serde_json::from_str(text) {
        as_the_reader_says(&members, &found);
    }
});

/// Between the pieces lie the member and one comma, and nothing else is lost.
fn only_the_member_is_gone(text: &str, cut: &Cut<'_>) {
    let start = |piece: &str| piece.as_ptr() as usize - text.as_ptr() as usize;
    let [first, second, third] = cut.pieces;
    assert!(text.starts_with(first));
    let (from, to) = (start(second), start(second) + second.len());
    let gone =
        [&text[first.len()..from], if third.is_empty() { "" } else { &text[to..start(third)] }];
    let member = gone.iter().find(|part| part.contains("checksum")).expect("the member is gone");
    assert!(
        member.starts_with("\"checksum\"") && member.ends_with(&format!("\"{}\"", cut.checksum))
    );
    let other = gone.iter().find(|part| *part != member).expect("there are two parts");
    assert!(["", ","].contains(other), "lost `{other}`");
    let lost = member.len() + other.len();
    assert_eq!(cut.pieces.concat().len() + lost, text.len());
}

/// The one member `checksum` that holds a plain text goes, and all others stay as they were.
fn as_the_reader_says(members: &[Member<'_>], found: &Result<Cut<'_>, CutError>) {
    let (codes, others): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.is_code());
    let expected = match codes.as_slice() {
        [] => Err(CutError::Missing),
        [code] => code.plain().ok_or(CutError::NotText),
        _ => Err(CutError::Twice),
    };
    assert_eq!(found.as_ref().map(|cut| cut.checksum).map_err(|error| *error), expected);
    if let Ok(cut) = found {
        let rest = cut.pieces.concat();
        let Members(left) = serde_json::from_str(&rest).expect("what is left is an object");
        assert_eq!(left.iter().collect::<Vec<_>>(), others);
    }
}

/// The members of an object in their order, values as they were written.
struct Members<'a>(Vec<Member<'a>>);

#[derive(Debug, PartialEq)]
struct Member<'a> {
    key: Key<'a>,
    value: &'a str,
}

/// Borrowed where it was written without escapes.
#[derive(Debug, PartialEq)]
struct Key<'a>(Cow<'a, str>);

impl<'a> Member<'a> {
    fn is_code(&self) -> bool {
        matches!(self.key, Key(Cow::Borrowed("checksum")))
    }

    fn plain(&self) -> Option<&'a str> {
        let text = self.value.strip_prefix('"')?.strip_suffix('"')?;
        (!text.contains('\\')).then_some(text)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersReader)
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyReader)
    }
}

struct MembersReader;

impl<'de> Visitor<'de> for MembersReader {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            members.push(Member { key, value: value.get() });
        }
        Ok(Members(members))
    }
}

struct KeyReader;

impl<'de> Visitor<'de> for KeyReader {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Owned(text.to_owned())))
    }
}
