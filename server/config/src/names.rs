//! The identifiers given so far, and where: none twice, and a near one for each that is unknown.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::finding::{Findings, Place, nearest};
use crate::section::Placed;

/// The identifiers of one kind of thing.
#[derive(Debug)]
pub(crate) struct Names<T> {
    /// What they name, such as `site`.
    what: &'static str,
    known: BTreeMap<T, Place>,
}

impl<T: Clone + Display + Ord> Names<T> {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, known: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Takes in one more; the second of a kind is a mistake.
    pub(crate) fn enter(&mut self, id: &Placed<T>, findings: &mut Findings) {
        if let Some(first) = self.known.get(&id.value) {
            let text = format!("{} `{}` is already defined at {first}", self.what, id.value);
            findings.mistake(&id.place, text);
        } else {
            self.known.insert(id.value.clone(), id.place.clone());
        }
    }

    /// Whether there is such a one; if not, that is a mistake at `place`.
    pub(crate) fn check(&self, id: &T, place: &Place, findings: &mut Findings) {
        if !self.known.contains_key(id) {
            let near = nearest(&id.to_string(), self.known.keys().map(ToString::to_string));
            findings.mistake(place, format!("there is no {} `{id}`{near}", self.what));
        }
    }
}
