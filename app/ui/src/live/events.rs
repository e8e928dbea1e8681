//! The last things that happened, newest first.

use protocol::device::{Links, Peer};
use protocol::frame::{StateChanged, Summary};
use protocol::id::DeviceId;
use protocol::reading::Value;
use protocol::time::Timestamp;

use crate::bootstrap::{Happening, What};

/// Puts a happening in its place, unless it stands there already.
///
/// The streams of a device and of its site tell of the same change, each in its own words.
pub(super) fn add(events: &mut Vec<Happening>, happening: Happening) {
    let is_same = |known: &Happening| {
        known.device == happening.device && is_same(&known.what, &happening.what)
    };
    if events.iter().any(is_same) {
        return;
    }
    let place = events.partition_point(|known| known.what.at() > happening.what.at());
    events.insert(place, happening);
    events.truncate(MOST);
}

fn is_same(one: &What, other: &What) -> bool {
    match (one, other) {
        (What::Changed(one), What::Changed(other)) => {
            one.what == other.what
                && one.new == other.new
                && distance(one.at, other.at) < SAME_MILLIS
        }
        (one, other) => one == other,
    }
}

/// What changed between two summaries of a device, in the words of its key events.
pub(super) fn differences(
    device: &DeviceId,
    old: &Summary,
    new: &Summary,
    at: Timestamp,
) -> Vec<Happening> {
    let mut found = Vec::new();
    let mut tell = |what: String, old: String, new: String| {
        let change = StateChanged { at, new, old, what };
        found.push(Happening { device: device.clone(), what: change.into() });
    };
    if old.device_status != new.device_status {
        let words = (old.device_status.to_string(), new.device_status.to_string());
        tell("device_status".into(), words.0, words.1);
    }
    for code in old.fault_codes.symmetric_difference(&new.fault_codes) {
        let is_on = new.fault_codes.contains(code);
        let words = (Value::Switch(!is_on).to_string(), Value::Switch(is_on).to_string());
        tell(format!("fault_code/{code}"), words.0, words.1);
    }
    for peer in changed_peers(old.links, new.links) {
        let is_up = new.links.reaches(peer);
        tell(format!("link/{peer}"), (!is_up).to_string(), is_up.to_string());
    }
    found
}

fn changed_peers(old: Links, new: Links) -> impl Iterator<Item = Peer> {
    Peer::ALL.into_iter().filter(move |peer| old.reaches(*peer) != new.reaches(*peer))
}

fn distance(one: Timestamp, other: Timestamp) -> u64 {
    one.as_millis().abs_diff(other.as_millis())
}

/// The site's stream tells of a change at most this long after the device's own.
const SAME_MILLIS: u64 = 2000;

/// What stands in place of a fact's name where a time is missing: its values, or its events too.
pub(crate) const HOLE_IN_VALUES: &str = "hole/values";
pub(crate) const HOLE_IN_ALL: &str = "hole/all";

/// As many as anyone reads on an overview.
const MOST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn happening(at: u64, new: &str) -> Happening {
        let change = StateChanged {
            at: Timestamp::from_millis(at),
            new: new.into(),
            old: "working".into(),
            what: "device_status".into(),
        };
        Happening { device: "board-1".parse().unwrap(), what: change.into() }
    }

    #[test]
    fn events_stand_newest_first_and_once() {
        let mut events = Vec::new();
        for (at, new) in
            [(10_000, "fault"), (30_000, "alarm"), (20_000, "working"), (30_900, "alarm")]
        {
            add(&mut events, happening(at, new));
        }
        let order: Vec<_> = events.iter().map(|known| known.what.at().as_millis()).collect();
        assert_eq!(order, [30_000, 20_000, 10_000]);
        for at in 0..100 {
            add(&mut events, happening(at * 10_000, "testing"));
        }
        assert_eq!(events.len(), MOST);
    }

    #[test]
    fn summaries_tell_what_changed() {
        let old = sample::summary();
        let mut new = old.clone();
        new.device_status = protocol::device::DeviceStatus::Fault;
        new.fault_codes.insert("E009".parse().unwrap());
        new.links.board = !old.links.board;
        let device = "board-1".parse().unwrap();
        let found = differences(&device, &old, &new, Timestamp::from_millis(1));
        let what = |known: &Happening| match &known.what {
            What::Changed(change) => change.what.clone(),
            What::Executed(executed) => executed.command.clone(),
        };
        let what: Vec<_> = found.iter().map(what).collect();
        assert_eq!(what, ["device_status", "fault_code/E009", "link/board"]);
        assert_eq!(differences(&device, &old, &old, Timestamp::from_millis(1)), []);
    }
}
