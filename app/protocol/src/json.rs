//! Reads JSON into our types with little code, because a browser loads all of it.
//!
//! `serde_json` spells out for each type how to read it from an object, from a list and from bytes.
//! Here a text becomes a tree first, and each type is read from the one form that we write.

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, Deserializer, Error as _, Expected, IntoDeserializer, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Result, Value};

/// Reads a text.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    take(serde_json::from_str(text)?)
}

/// Reads what was a part of a text.
pub fn take<T: DeserializeOwned>(tree: Value) -> Result<T> {
    T::deserialize(Tree(tree))
}

/// Takes a member out of an object; null where there is none.
pub fn part(tree: &mut Value, name: &str) -> Value {
    tree.get_mut(name).map(Value::take).unwrap_or_default()
}

struct Tree(Value);

impl Tree {
    /// Not generic, because it would be there once for each type.
    fn refusal(&self, expected: &dyn Expected) -> Error {
        let found = match &self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(bool) => Unexpected::Bool(*bool),
            Value::Number(_) => Unexpected::Other("number"),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        Error::invalid_type(found, expected)
    }
}

impl<'de> IntoDeserializer<'de, Error> for Tree {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Tree {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Number(number) => number.deserialize_any(visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(_) | Value::Object(_) => Err(self.refusal(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Array(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Tree)))
            }
            _ => Err(self.refusal(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(entries(members)),
            _ => Err(self.refusal(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(variant.into_deserializer()),
            Value::Object(members) => MapAccessDeserializer::new(entries(members))
                .deserialize_enum(name, variants, visitor),
            _ => Err(self.refusal(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple_struct identifier
    }
}

fn entries<'de>(
    members: Map<String, Value>,
) -> MapDeserializer<'de, impl Iterator<Item = (String, Tree)>, Error> {
    MapDeserializer::new(members.into_iter().map(|(name, value)| (name, Tree(value))))
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::device::Links;
    use crate::frame::Update;
    use crate::point::{Limits, Point, PointKind, Role};
    use crate::wire::native::Range;

    fn agrees<T: Debug + DeserializeOwned + PartialEq>(text: &str) {
        let (ours, theirs) = (read::<T>(text), serde_json::from_str::<T>(text));
        assert_eq!(ours.ok(), theirs.ok(), "{text}");
    }

    #[test]
    fn reads_as_the_whole_reader_does() {
        for text in [
            r#"{"points":{"a":{"q":"good","t":5,"v":30},"b":{"q":"bad","t":null,"v":"ON"}}}"#,
            r#"{"device_status":"alarm","fault_codes":["E1"],"stranger":[{}]}"#,
            r#"{"points":{"a b":{"q":"good","t":5,"v":1.5}}}"#,
            r#"{"device_status":"tired"}"#,
            r#"{"links":{"board":1,"pscada":true,"system_server":true}}"#,
            r#"{"links":{"board":true}}"#,
            "{} {}",
            "7",
        ] {
            agrees::<Update>(text);
        }
        for text in ["[1,2]", "[1]", "[1,-2]", "{}", "null"] {
            agrees::<Option<Range>>(text);
        }
    }

    #[test]
    fn every_role_of_a_point_reads_back_as_written() {
        let code: crate::id::FaultCode = "E1".parse().unwrap();
        for role in [Role::None, Role::Testing, Role::Alarm(None), Role::Fault(Some(code))] {
            let limits = Limits { h: Some(60.0), ..Limits::default() };
            let plain = Point::new("a".parse().unwrap(), PointKind::Signal);
            let point = Point { role, limits, min: Some(-0.5), ..plain };
            let text = serde_json::to_string(&point).unwrap();
            assert_eq!(read::<Point>(&text).unwrap(), point);
        }
    }

    #[test]
    fn an_object_is_never_written_as_a_list() {
        assert!(read::<Links>("[true,true,true]").is_err());
    }

    #[test]
    fn a_part_is_taken_out_once() {
        let mut tree = serde_json::json!({"a": [1]});
        assert_eq!(part(&mut tree, "a"), serde_json::json!([1]));
        assert_eq!((part(&mut tree, "a"), part(&mut tree, "b")), (Value::Null, Value::Null));
    }
}
