//! One signal per name: a change of one value wakes what shows that value, and nothing else.

use std::collections::HashMap;
use std::hash::Hash;

use leptos::prelude::*;

/// Signals by name, each made when first asked for; `None` until something is told of it.
pub(super) struct Table<K: 'static, T: 'static>(StoredValue<HashMap<K, ArcRwSignal<Option<T>>>>);

impl<K, T> Table<K, T>
where
    K: Clone + Eq + Hash + Send + Sync,
    T: Clone + PartialEq + Send + Sync,
{
    pub(super) fn new() -> Self {
        Self(StoredValue::new(HashMap::new()))
    }

    pub(super) fn of(self, name: &K) -> ArcRwSignal<Option<T>> {
        let known = self.0.with_value(|signals| signals.get(name).cloned());
        known.unwrap_or_else(|| {
            let signal = ArcRwSignal::new(None);
            self.0.update_value(|signals| drop(signals.insert(name.clone(), signal.clone())));
            signal
        })
    }

    /// Says what is now known; nobody wakes if it was known before.
    pub(super) fn tell(self, name: &K, value: T) {
        let signal = self.of(name);
        if signal.with_untracked(|known| known.as_ref() != Some(&value)) {
            signal.set(Some(value));
        }
    }

    pub(super) fn now(self, name: &K) -> Option<T> {
        self.of(name).get_untracked()
    }
}

impl<K, T> Clone for Table<K, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, T> Copy for Table<K, T> {}
