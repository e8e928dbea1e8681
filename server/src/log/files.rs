//! Writes the log to files: one a day, and another where one grows too large.
//!
//! A disk that fails costs lines, and nothing else: it is told once, and tried again.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

use super::name::Name;
use super::shelf::Shelf;

/// A thread that writes lines to files. Whoever logs never waits for it: where it is too far behind,
/// lines are lost. It writes what it has when the guard is dropped.
pub(super) fn open(shelf: Shelf) -> (NonBlocking, WorkerGuard) {
    let counter = Arc::new(OnceLock::new());
    let files = Files::new(shelf, Timestamp::now, Arc::clone(&counter));
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE);
    let (queue, guard) = builder.thread_name("log").finish(files);
    // It has one writer, and this is its first.
    let _ = counter.set(queue.error_counter());
    (queue, guard)
}

/// The files, of which one is written to. Each write is one line.
struct Files<C> {
    shelf: Shelf,
    clock: C,
    current: Option<Current>,
    fault: Option<Fault>,
    /// Lines that did not even get here.
    refused: Arc<OnceLock<ErrorCounter>>,
    refused_told: usize,
}

#[derive(Debug)]
struct Current {
    name: Name,
    file: File,
    size: u64,
}

/// A disk that fails.
#[derive(Debug)]
struct Fault {
    /// When it was last tried.
    tried_at: Timestamp,
    lost: u64,
}

impl<C: Fn() -> Timestamp> Files<C> {
    fn new(shelf: Shelf, clock: C, refused: Arc<OnceLock<ErrorCounter>>) -> Self {
        Self { shelf, clock, current: None, fault: None, refused, refused_told: 0 }
    }

    fn put(&mut self, line: &[u8], now: Timestamp) -> io::Result<()> {
        let (day, length) = (now.to_zoned(TimeZone::UTC).date(), line.len());
        let current = self.current.take().filter(|current| current.name.day == day);
        let mut current = match current.filter(|current| current.has_room(length)) {
            Some(current) => current,
            None => self.begin(day, length, now)?,
        };
        // A line that was cut off is looked for when the file is opened again.
        current.append(line)?;
        self.current = Some(current);
        Ok(())
    }

    /// Opens the last file of a day, or one behind it where that is full.
    fn begin(&self, day: Date, length: usize, now: Timestamp) -> io::Result<Current> {
        DirBuilder::new().recursive(true).mode(0o750).create(&self.shelf.directory)?;
        let names = self.shelf.names()?;
        let last = names.into_iter().rfind(|name| name.day == day);
        let name = last.unwrap_or(Name { day, number: 1 });
        let mut current = self.open(name)?;
        if !current.has_room(length) {
            current = self.open(name.next())?;
        }
        if let Err(error) = self.shelf.prune(current.name, now) {
            let directory = self.shelf.directory.display();
            tracing::warn!(%error, "old log files stay in {directory}: {error}");
        }
        Ok(current)
    }

    fn open(&self, name: Name) -> io::Result<Current> {
        let path = self.shelf.path(name);
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let mut file = match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = options.create(true).open(&path)?;
                // Whatever the umask says: its group may read it.
                file.set_permissions(Permissions::from_mode(0o640))?;
                file
            }
            opened => opened?,
        };
        let mut size = file.metadata()?.len();
        if size > 0 && !ends_with_a_line(&mut file)? {
            file.write_all(b"\n")?;
            size += 1;
        }
        Ok(Current { name, file, size })
    }

    fn fails(&mut self, error: &io::Error, now: Timestamp) {
        match &mut self.fault {
            Some(fault) => {
                fault.lost += 1;
                fault.tried_at = now;
            }
            None => {
                self.fault = Some(Fault { tried_at: now, lost: 1 });
                let directory = self.shelf.directory.display();
                tracing::error!(%error, "cannot keep the log in {directory}: {error}");
            }
        }
    }

    fn works(&mut self) {
        if let Some(Fault { lost, .. }) = self.fault.take() {
            let directory = self.shelf.directory.display();
            tracing::warn!(lost, "the log is kept in {directory} again; {lost} lines are missing");
        }
        let refused = self.refused.get().map_or(0, ErrorCounter::dropped_lines);
        let lost = refused.saturating_sub(self.refused_told);
        if lost > 0 {
            self.refused_told = refused;
            tracing::warn!(lost, "{lost} lines found no room in the log's files");
        }
    }
}

impl<C: Fn() -> Timestamp> Write for Files<C> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let now = (self.clock)();
        match &mut self.fault {
            Some(fault) if fault.rests(now) => fault.lost += 1,
            _ => match self.put(line, now) {
                Ok(()) => self.works(),
                Err(error) => self.fails(&error, now),
            },
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Current {
    fn has_room(&self, length: usize) -> bool {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.size == 0 || self.size.saturating_add(length) <= LARGEST
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line)?;
        self.size = self.size.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

impl Fault {
    /// A clock that was put back must not make it rest for ever.
    fn rests(&self, now: Timestamp) -> bool {
        let since = Duration::try_from(now.duration_since(self.tried_at));
        since.is_ok_and(|since| since < REST)
    }
}

/// Whoever was killed, or found the disk full, may have left half a line.
fn ends_with_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// In bytes: so much can still be looked through with an editor.
const LARGEST: u64 = 64 << 20;

/// A disk that failed is left alone for so long.
const REST: Duration = Duration::from_secs(10);

/// Lines that wait for the disk: seconds of a busy server, and a few megabytes.
const QUEUE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use jiff::ToSpan as _;

    use super::*;

    fn shelf(folder: &Path) -> Shelf {
        let keep = Duration::from_secs(31 * 86_400);
        Shelf { directory: folder.join("log"), keep, keep_bytes: u64::MAX }
    }

    fn at(text: &str) -> Cell<Timestamp> {
        Cell::new(text.parse().unwrap())
    }

    fn files(folder: &Path, now: &Cell<Timestamp>) -> Files<impl Fn() -> Timestamp> {
        Files::new(shelf(folder), || now.get(), Arc::default())
    }

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join("log").join(name)).unwrap()
    }

    #[test]
    fn a_day_has_a_file_of_its_own_and_another_where_it_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let now = at("2026-11-28T23:59:59.999Z");
        let mut files = files(folder.path(), &now);
        files.write_all(b"one\n").unwrap();
        // A file with holes takes no room.
        let current = files.current.take().unwrap();
        current.file.set_len(LARGEST - 4).unwrap();
        files.write_all(b"two\n").unwrap();
        assert_eq!(files.current.as_ref().unwrap().size, 4, "a line more than it holds");
        now.set(now.get() + 1.millisecond());
        files.write_all(b"three\n").unwrap();
        assert_eq!(read(folder.path(), "gapless-2026-11-28.2.jsonl"), "two\n");
        assert_eq!(read(folder.path(), "gapless-2026-11-29.jsonl"), "three\n");
        let path = folder.path().join("log/gapless-2026-11-29.jsonl");
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_restart_goes_on_with_the_last_file_of_the_day() {
        let folder = tempfile::tempdir().unwrap();
        let now = at("2026-11-28T12:00:00Z");
        files(folder.path(), &now).write_all(b"one\n").unwrap();
        fs::write(folder.path().join("log/gapless-2026-11-28.10.jsonl"), "half a li").unwrap();
        let mut again = files(folder.path(), &now);
        again.write_all(b"two\n").unwrap();
        again.write_all(b"three\n").unwrap();
        let last = read(folder.path(), "gapless-2026-11-28.10.jsonl");
        assert_eq!(last, "half a li\ntwo\nthree\n", "what was cut off spoils no other line");
    }

    #[test]
    fn what_is_old_is_forgotten_at_the_start_and_at_each_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let old = |day: &u32| folder.path().join(format!("log/gapless-2026-10-{day}.jsonl"));
        fs::create_dir(folder.path().join("log")).unwrap();
        [26, 27, 28].iter().for_each(|day| fs::write(old(day), "x\n").unwrap());
        let now = at("2026-11-28T00:00:00Z");
        let mut files = files(folder.path(), &now);
        files.write_all(b"one\n").unwrap();
        assert_eq!([26, 27, 28].map(|day| old(&day).exists()), [false, false, true]);
        now.set("2026-11-29T00:00:00Z".parse().unwrap());
        files.write_all(b"two\n").unwrap();
        assert!(!old(&28).exists());
    }

    #[test]
    fn a_full_disk_costs_lines_and_is_tried_again_after_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let today = folder.path().join("log/gapless-2026-11-28.jsonl");
        fs::create_dir(folder.path().join("log")).unwrap();
        symlink("/dev/full", &today).unwrap();
        let now = at("2026-11-28T12:00:00Z");
        let mut files = files(folder.path(), &now);
        files.write_all(b"one\n").unwrap();
        files.write_all(b"two\n").unwrap();
        assert_eq!(files.fault.as_ref().map(|fault| fault.lost), Some(2));
        fs::remove_file(&today).unwrap();
        files.write_all(b"three\n").unwrap();
        assert!(!today.exists(), "the disk is left alone");
        now.set(now.get() + 10.seconds());
        files.write_all(b"four\n").unwrap();
        assert!(files.fault.is_none());
        assert_eq!(read(folder.path(), "gapless-2026-11-28.jsonl"), "four\n");
    }

    #[test]
    fn a_directory_that_cannot_be_is_no_error_to_those_who_log() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("log"), "a file").unwrap();
        let now = at("2026-11-28T12:00:00Z");
        let mut files = files(folder.path(), &now);
        files.write_all(b"one\n").unwrap();
        assert!(files.fault.is_some());
        now.set(now.get() - 24.hours());
        fs::remove_file(folder.path().join("log")).unwrap();
        files.write_all(b"two\n").unwrap();
        assert!(files.fault.is_none(), "a clock that was put back makes nobody wait");
    }
}
