//! The changes of one fact: each begins where the one before ended, and the last is true.

use protocol::id::Epoch;

use crate::diary::Entry;

pub(super) struct Judge<'a> {
    /// Such an event may not have outlived the server.
    pub(super) is_doubtful: &'a dyn Fn(&Entry) -> bool,
    /// The server's present life.
    pub(super) epoch: Option<&'a Epoch>,
    /// The server remembers across its restarts; else each of its lives begins anew.
    pub(super) has_journal: bool,
}

impl Judge<'_> {
    /// What is wrong with the changes of one fact, given what is true in the end.
    pub(super) fn complaint(&self, chain: &[&Entry], truth: Option<&str>) -> Option<String> {
        let broken = chain.windows(2).find(|pair| !self.fit(pair[0], pair[1]));
        if let Some(pair) = broken {
            return Some(format!("nobody saw what lies between {:?} and {:?}", pair[0], pair[1]));
        }
        let (last, truth) = chain.last().zip(truth)?;
        let is_known = self.has_journal || self.epoch == Some(&last.id.epoch);
        let is_wrong = last.new != truth && is_known && self.has_outlived(last);
        is_wrong.then(|| format!("{} is {truth}, and the last anyone saw is {last:?}", last.what))
    }

    fn fit(&self, before: &Entry, after: &Entry) -> bool {
        let is_other_life = before.id.epoch != after.id.epoch;
        before.new == after.old || is_other_life && !self.has_journal || !self.has_outlived(before)
    }

    fn has_outlived(&self, event: &Entry) -> bool {
        !(self.is_doubtful)(event)
    }
}
