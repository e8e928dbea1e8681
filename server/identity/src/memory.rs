//! A map of bounded size, which forgets what nobody touched for longest.

use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct Memory<K, V> {
    rows: BTreeMap<K, (u64, V)>,
    /// The keys by when they were last touched.
    order: BTreeMap<u64, K>,
    touches: u64,
    most: usize,
}

impl<K: Clone + Ord, V: Default> Memory<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self { rows: BTreeMap::new(), order: BTreeMap::new(), touches: 0, most }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.rows.get_mut(key).map(|(_, value)| value)
    }

    /// The value of a key, new where there is none; it is now the youngest.
    pub(crate) fn touch(&mut self, key: &K) -> &mut V {
        self.touches += 1;
        let before = self.rows.get(key).map(|(touch, _)| *touch);
        match before {
            Some(before) => drop(self.order.remove(&before)),
            None if self.rows.len() >= self.most => self.forget_oldest(),
            None => {}
        }
        self.order.insert(self.touches, key.clone());
        let row = self.rows.entry(key.clone()).or_insert_with(|| (0, V::default()));
        row.0 = self.touches;
        &mut row.1
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if let Some((touch, _)) = self.rows.remove(key) {
            self.order.remove(&touch);
        }
    }

    pub(crate) fn remove_all(&mut self, is_meant: impl Fn(&K) -> bool) {
        self.rows.retain(|key, _| !is_meant(key));
        self.order.retain(|_, key| !is_meant(key));
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_first() {
            self.rows.remove(&key);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        assert_eq!(self.rows.len(), self.order.len());
        self.rows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_its_bound_it_forgets_what_nobody_touched_for_longest() {
        let mut memory: Memory<u8, u8> = Memory::new(2);
        *memory.touch(&1) = 10;
        *memory.touch(&2) = 20;
        memory.touch(&1);
        *memory.touch(&3) = 30;
        assert_eq!([1, 2, 3].map(|key| memory.get(&key).copied()), [Some(10), None, Some(30)]);
        memory.remove(&1);
        memory.remove_all(|key| *key == 3);
        assert_eq!(memory.len(), 0);
    }
}
