//! The log files of a directory: which there are, and which are forgotten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::name::Name;

/// Where log files stand, and how many of them.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    pub directory: PathBuf,
    pub keep: Duration,
    pub keep_bytes: u64,
}

impl Shelf {
    pub(super) fn path(&self, name: Name) -> PathBuf {
        self.directory.join(name.to_string())
    }

    /// Our files, the oldest first.
    pub(super) fn names(&self) -> io::Result<Vec<Name>> {
        let entries = fs::read_dir(&self.directory)?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut names: Vec<Name> = names.collect();
        names.sort();
        Ok(names)
    }

    /// Removes what is too old, and the oldest of what is too much; never `current`, which is the
    /// file that is written to. The rest of a directory is none of our business.
    pub(super) fn prune(&self, current: Name, now: Timestamp) -> io::Result<()> {
        let mut names = self.names()?;
        names.retain(|name| *name != current);
        let old = self.old(&names, now);
        let (old, young) = names.split_at(old);
        let mut sizes: Vec<u64> = young.iter().map(|name| size(&self.path(*name))).collect();
        sizes.push(size(&self.path(current)));
        let mut total = sizes.iter().fold(0_u64, |total, size| total.saturating_add(*size));
        let too_much = young.iter().zip(&sizes).take_while(|(_, size)| {
            let is_too_much = total > self.keep_bytes;
            total = total.saturating_sub(**size);
            is_too_much
        });
        for name in old.iter().chain(too_much.map(|(name, _)| name)) {
            match fs::remove_file(self.path(*name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// How many of these files, from the first, are too old. Where all of them are, it is the clock
    /// that leapt, and none is.
    fn old(&self, names: &[Name], now: Timestamp) -> usize {
        let old = names.partition_point(|name| is_over(*name, self.keep, now));
        if old == names.len() { 0 } else { old }
    }
}

/// Whether the last line that could stand in a file is older than `keep`.
fn is_over(name: Name, keep: Duration, now: Timestamp) -> bool {
    let next_day = name.day.tomorrow().and_then(|day| day.to_zoned(TimeZone::UTC));
    let age = next_day.map(|midnight| now.duration_since(midnight.timestamp()));
    age.is_ok_and(|age| Duration::try_from(age).is_ok_and(|age| age >= keep))
}

/// What takes no room, or is gone meanwhile, is nothing.
fn size(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |file| file.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    /// What is left of these files, each of ten bytes, at noon of November 28; the last is written.
    fn left(files: &[&str], keep: Duration, keep_bytes: u64) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf { directory: folder.path().into(), keep, keep_bytes };
        for file in files {
            fs::write(folder.path().join(file), "0123456789").unwrap();
        }
        let current = files.last().unwrap().parse().unwrap();
        shelf.prune(current, "2026-11-28T12:00:00Z".parse().unwrap()).unwrap();
        let left = fs::read_dir(folder.path()).unwrap();
        let mut left: Vec<_> =
            left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        left
    }

    #[test]
    fn what_is_too_old_goes_and_what_others_put_there_stays() {
        // S0-79
        let files = [
            "gapless-2026-10-01.jsonl",
            "gapless-2026-10-27.2.jsonl",
            "gapless-2026-10-28.jsonl",
            "gapless-2026-11-27.jsonl",
            "gapless-2000-01-01.jsonl.gz",
            "notes.txt",
            "gapless-2026-11-28.jsonl",
        ];
        let mut expected = files[2..].to_vec();
        expected.sort_unstable();
        assert_eq!(left(&files, 31 * DAY, u64::MAX), expected);
    }

    #[test]
    fn the_oldest_of_what_is_too_much_goes_and_never_the_one_that_is_written() {
        let files = [
            "gapless-2026-11-26.jsonl",
            "gapless-2026-11-27.jsonl",
            "gapless-2026-11-27.2.jsonl",
            "gapless-2026-11-28.jsonl",
        ];
        for (keep_bytes, gone) in [(40, 0), (39, 1), (20, 2), (19, 3), (0, 3)] {
            assert_eq!(left(&files, 31 * DAY, keep_bytes).len(), 4 - gone, "{keep_bytes}");
        }
        assert_eq!(left(&files, 31 * DAY, 0), ["gapless-2026-11-28.jsonl"]);
    }

    #[test]
    fn a_clock_that_leaps_ahead_forgets_nothing() {
        let files =
            ["gapless-2001-01-01.jsonl", "gapless-2001-01-02.jsonl", "gapless-2026-11-28.jsonl"];
        assert_eq!(left(&files, 31 * DAY, u64::MAX).len(), 3);
        let files = [&files[..2], &["gapless-2026-11-27.jsonl", "gapless-2026-11-28.jsonl"]];
        assert_eq!(left(&files.concat(), 31 * DAY, u64::MAX).len(), 2);
    }
}
