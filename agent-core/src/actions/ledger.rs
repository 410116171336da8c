//! Keeps the original value of everything that we changed, in a file that outlives us: it is written, and on its way to the
//! disk, before the first change.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::files;

/// The largest size of the file: there are few tunables, so a larger one is not ours.
const LONGEST: u64 = 1 << 20;
/// The mode of the file: a recording of the machine reads it, too.
const MODE: u32 = 0o644;

/// The file, and its content.
#[derive(Debug)]
pub struct Ledger {
    /// The path; `None` where nothing is changed that could outlive us.
    path: Option<PathBuf>,
    /// The boot that the values belong to: after another one the kernel has its own values again.
    boot_id: String,
    entries: BTreeMap<String, Entry>,
    /// True if the file is there and could not be read, for a reason that may pass: nothing is noted before it is read.
    is_unread: bool,
}

/// A tunable that we changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The value before our first change.
    pub original: String,
    /// The value that we wrote last; and the one before, in case we died between noting a value and writing it.
    ours: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    boot_id: String,
    tunables: BTreeMap<String, Entry>,
}

/// The reason why the ledger cannot be used.
#[derive(Debug)]
pub struct LedgerError {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, path, source } = self;
        write!(f, "{what} ({}: {source})", path.display())
    }
}

impl std::error::Error for LedgerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl Entry {
    /// The value that we wrote last.
    #[must_use]
    pub fn written(&self) -> &str {
        self.ours.last().map_or(&self.original, String::as_str)
    }

    /// True if a value is one that we wrote.
    #[must_use]
    pub fn is_ours(&self, value: &str) -> bool {
        self.ours.iter().any(|ours| ours == value)
    }
}

impl Ledger {
    /// Makes a ledger that ends with us: for a simulation, and for machines that are made of files.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            path: None,
            boot_id: String::new(),
            entries: BTreeMap::new(),
            is_unread: false,
        }
    }

    /// Opens the ledger in this directory, for this boot. The ledger of another daemon of this boot is taken over:
    /// that daemon died before it could restore what it had changed.
    ///
    /// A malformed ledger is set aside, and the error says so. One that cannot be read just now, for want of memory or
    /// because of the disk, stays where it is, and nothing is changed before it can be read: see [`Ledger::settle`].
    #[must_use]
    pub fn open(runtime_dir: &Path, boot_id: &str) -> (Self, Option<LedgerError>) {
        let mut ledger = Self {
            path: Some(runtime_dir.join("ledger.json")),
            boot_id: boot_id.to_owned(),
            entries: BTreeMap::new(),
            is_unread: true,
        };
        let error = ledger.settle().err();
        (ledger, error)
    }

    /// True as long as nobody knows what the last daemon changed, as its ledger cannot be read for now.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.is_unread
    }

    /// Reads the ledger of the last daemon, if that could not be done before.
    ///
    /// # Errors
    ///
    /// If it cannot be read; or if it is malformed, and is set aside.
    pub fn settle(&mut self) -> Result<(), LedgerError> {
        let Some(path) = self.path.clone().filter(|_| self.is_unread) else {
            return Ok(());
        };
        match read(&path) {
            Ok(content) => {
                self.is_unread = false;
                let of_this_boot = content.filter(|content| content.boot_id == self.boot_id);
                self.entries = of_this_boot.map_or_else(BTreeMap::new, |content| content.tunables);
                Ok(())
            }
            Err(source) if files::is_senseless(&source) => {
                self.is_unread = false;
                // It is kept for people who want to know what was in it.
                let _stays_in_place = fs::rename(&path, path.with_extension("broken"));
                let what = "cannot restore what the last daemon changed: its ledger is malformed, and was renamed to \
                            ledger.broken";
                Err(LedgerError { what, path, source })
            }
            Err(source) => {
                let what = "cannot restore what the last daemon changed: its ledger cannot be read at the moment; no \
                            tunable is changed until it can be";
                Err(LedgerError { what, path, source })
            }
        }
    }

    /// Reads the ledger of a daemon that may be running; it is empty if it cannot be read. The file stays as it is.
    #[must_use]
    pub fn peek(runtime_dir: &Path) -> Self {
        let content = read(&runtime_dir.join("ledger.json")).ok().flatten();
        Self {
            entries: content.map_or_else(BTreeMap::new, |content| content.tunables),
            ..Self::in_memory()
        }
    }

    /// The value before our first change, if `value` is ours.
    #[must_use]
    pub fn original(&self, tunable: &str, value: &str) -> Option<&str> {
        let entry = self.entry(tunable).filter(|entry| entry.is_ours(value));
        entry.map(|entry| entry.original.as_str())
    }

    /// The entries: tunables, and our changes of them.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(name, entry)| (name.as_str(), entry))
    }

    /// The entry of a tunable, if we changed it.
    #[must_use]
    pub fn entry(&self, tunable: &str) -> Option<&Entry> {
        self.entries.get(tunable)
    }

    /// Notes that `value` is about to be written over `found`.
    ///
    /// # Errors
    ///
    /// If it cannot be noted; then it must not be written.
    pub fn note(&mut self, tunable: &str, found: &str, value: &str) -> Result<(), LedgerError> {
        self.settle()?;
        let before = self.entries.get(tunable).cloned();
        let original = before.as_ref().map_or(found, |entry| &entry.original);
        let entry = Entry {
            original: original.to_owned(),
            ours: match &before {
                Some(_) => vec![value.to_owned(), found.to_owned()],
                None => vec![value.to_owned()],
            },
        };
        self.entries.insert(tunable.to_owned(), entry);
        self.write(NOT_CHANGED).inspect_err(|_| {
            // Memory must agree with the disk.
            self.put(tunable, before);
        })
    }

    /// Takes a note back, as the kernel refused the value. `before` is the entry before that.
    ///
    /// # Errors
    ///
    /// If that cannot be noted; the next daemon will find a value that it takes for an external change.
    pub fn revert(&mut self, tunable: &str, before: Option<Entry>) -> Result<(), LedgerError> {
        self.put(tunable, before);
        self.write(NOT_FORGOTTEN)
    }

    /// Takes a value for ours without noting it: it is in place, and could be neither noted nor undone. This daemon
    /// restores the original; another one would not know about it.
    pub fn assume(&mut self, tunable: &str, value: &str) {
        if let Some(entry) = self.entries.get_mut(tunable) {
            entry.ours.push(value.to_owned());
        }
    }

    /// Forgets a tunable that has its original value again.
    ///
    /// # Errors
    ///
    /// If that cannot be noted. Then the tunable stays in the ledger, and is looked at again the next time.
    pub fn forget(&mut self, tunable: &str) -> Result<(), LedgerError> {
        let before = self.entries.remove(tunable);
        self.write(NOT_FORGOTTEN).inspect_err(|_| {
            self.put(tunable, before);
        })
    }

    /// Forgets a tunable that was changed externally, in any case.
    ///
    /// # Errors
    ///
    /// If that cannot be noted; the next daemon will look at it again, and find the same.
    pub fn disown(&mut self, tunable: &str) -> Result<(), LedgerError> {
        self.entries.remove(tunable);
        self.write(NOT_FORGOTTEN)
    }

    fn put(&mut self, tunable: &str, entry: Option<Entry>) {
        match entry {
            Some(entry) => self.entries.insert(tunable.to_owned(), entry),
            None => self.entries.remove(tunable),
        };
    }

    fn write(&self, what: &'static str) -> Result<(), LedgerError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let result = if self.entries.is_empty() {
            files::remove(path)
        } else {
            self.replace(path)
        };
        result.map_err(|source| LedgerError {
            what,
            path: path.clone(),
            source,
        })
    }

    fn replace(&self, path: &Path) -> io::Result<()> {
        let content = Content {
            boot_id: self.boot_id.clone(),
            tunables: self.entries.clone(),
        };
        let text = serde_json::to_vec_pretty(&content)?;
        files::replace(path, MODE, &[&text])
    }
}

/// The errors of a ledger that cannot be written before a change, and after one was undone.
const NOT_CHANGED: &str = "the original value cannot be noted, so nothing was changed";
const NOT_FORGOTTEN: &str = "the ledger cannot be written";

/// Reads a ledger; `None` if there is none. For a malformed one, [`files::is_senseless`] is true of the error.
fn read(path: &Path) -> io::Result<Option<Content>> {
    match files::read(path, LONGEST) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| files::senseless(&error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    const WSF: &str = "vm.watermark_scale_factor";

    fn open(directory: &Path) -> Ledger {
        let (ledger, error) = Ledger::open(directory, "this-boot");
        assert!(error.is_none(), "{error:?}");
        ledger
    }

    #[test]
    fn what_was_noted_is_found_by_the_next_daemon_of_the_same_boot() {
        let directory = tempfile::tempdir().unwrap();
        let mut ledger = open(directory.path());
        ledger.note(WSF, "10", "20").unwrap();
        ledger.note(WSF, "20", "40").unwrap();

        let next = open(directory.path());
        let other_boot = Ledger::open(directory.path(), "another-boot").0;

        let entry = next.entry(WSF).unwrap();
        assert_eq!(entry.original, "10");
        assert_eq!(
            ["10", "20", "40"].map(|value| entry.is_ours(value)),
            [false, true, true]
        );
        assert_eq!(other_boot.entries().count(), 0);
    }

    #[test]
    fn a_ledger_without_entries_leaves_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut ledger = open(directory.path());

        ledger.note(WSF, "10", "20").unwrap();
        ledger.forget(WSF).unwrap();

        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_noted_is_not_in_memory_either() {
        let directory = tempfile::tempdir().unwrap();
        let mut ledger = open(&directory.path().join("gone"));

        let error = ledger.note(WSF, "10", "20").unwrap_err();

        assert!(
            error.to_string().contains("so nothing was changed"),
            "{error}"
        );
        assert_eq!(ledger.entries().count(), 0);
    }

    #[test]
    fn a_broken_ledger_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("ledger.json"), "{\"boot_id\":").unwrap();

        let (ledger, error) = Ledger::open(directory.path(), "this-boot");

        assert!(error.unwrap().to_string().contains("is malformed"));
        assert_eq!((ledger.entries().count(), ledger.is_unread()), (0, false));
        assert!(directory.path().join("ledger.broken").exists());
    }

    #[test]
    fn what_is_no_ledger_at_all_is_set_aside_and_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.json");
        for put_there in [
            (|path| symlink("/dev/zero", path).unwrap()) as fn(&Path),
            |path| mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap(),
            |path| fs::create_dir(path).unwrap(),
            |path| File::create(path).unwrap().set_len(8 << 30).unwrap(),
        ] {
            put_there(&path);

            let (mut ledger, error) = Ledger::open(directory.path(), "this-boot");

            assert!(error.is_some() && !ledger.is_unread());
            assert!(fs::symlink_metadata(&path).is_err(), "it is set aside");
            ledger.note(WSF, "10", "20").unwrap();
            let broken = directory.path().join("ledger.broken");
            let _not_a_directory = fs::remove_file(&broken);
            let _not_a_file = fs::remove_dir(&broken);
            ledger.forget(WSF).unwrap();
        }
    }

    #[test]
    fn a_ledger_that_cannot_be_read_for_now_stays_and_nothing_is_changed_before_it_can_be() {
        let directory = tempfile::tempdir().unwrap();
        let runtime_dir = directory.path().join("run");
        fs::create_dir(&runtime_dir).unwrap();
        open(&runtime_dir).note(WSF, "10", "20").unwrap();
        let moved = directory.path().join("moved");
        fs::rename(&runtime_dir, &moved).unwrap();
        File::create(&runtime_dir).unwrap();

        let (mut ledger, error) = Ledger::open(&runtime_dir, "this-boot");
        let refused = ledger.note(WSF, "20", "40").unwrap_err();
        let (was_unread, count) = (ledger.is_unread(), ledger.entries().count());
        fs::remove_file(&runtime_dir).unwrap();
        fs::rename(&moved, &runtime_dir).unwrap();
        ledger.note(WSF, "20", "40").unwrap();

        for error in [error.unwrap(), refused] {
            assert!(
                error.to_string().contains("cannot be read at the moment"),
                "{error}"
            );
        }
        assert_eq!((was_unread, count), (true, 0));
        let entry = ledger.entry(WSF).unwrap();
        assert_eq!((entry.original.as_str(), entry.is_ours("40")), ("10", true));
    }

    #[test]
    fn what_cannot_be_forgotten_stays_unless_it_is_somebody_elses() {
        let directory = tempfile::tempdir().unwrap();
        let runtime_dir = directory.path().join("run");
        fs::create_dir(&runtime_dir).unwrap();
        let mut ledger = open(&runtime_dir);
        ledger.note(WSF, "10", "20").unwrap();
        // No ledger can be written below a file.
        fs::rename(&runtime_dir, directory.path().join("moved")).unwrap();
        File::create(&runtime_dir).unwrap();

        let error = ledger.forget(WSF).unwrap_err();
        let kept = ledger.entry(WSF).cloned();
        let _not_noted = ledger.disown(WSF).unwrap_err();

        assert!(
            error
                .to_string()
                .starts_with("the ledger cannot be written (")
        );
        assert_eq!(kept.unwrap().original, "10");
        assert!(ledger.entry(WSF).is_none());
    }
}
