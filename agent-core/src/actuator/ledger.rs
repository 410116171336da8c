//! The original value of everything that we changed, in a file that outlives us: written, and on its way to the
//! disk, before the first change.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The file, and what is in it.
#[derive(Debug)]
pub struct Ledger {
    /// `None` where nothing is changed that could outlive us.
    path: Option<PathBuf>,
    /// Values of an earlier boot are the kernel's own again.
    boot_id: String,
    entries: BTreeMap<String, Entry>,
}

/// A tunable that we changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it was before our first change.
    pub original: String,
    /// What we wrote last; and before that, if we died between noting a value and writing it.
    ours: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    boot_id: String,
    tunables: BTreeMap<String, Entry>,
}

/// Why the ledger is of no use.
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
    /// What we wrote last.
    #[must_use]
    pub fn written(&self) -> &str {
        self.ours.last().map_or(&self.original, String::as_str)
    }

    /// Whether a value is one that we wrote.
    #[must_use]
    pub fn is_ours(&self, value: &str) -> bool {
        self.ours.iter().any(|ours| ours == value)
    }
}

impl Ledger {
    /// A ledger that ends with us: for a simulation, and for machines that are made of files.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            path: None,
            boot_id: String::new(),
            entries: BTreeMap::new(),
        }
    }

    /// The ledger in this directory, for this boot. One that another daemon of this boot left is taken over:
    /// it died before it could give back what it had changed. One that cannot be read is set aside, and said so.
    #[must_use]
    pub fn open(runtime_dir: &Path, boot_id: &str) -> (Self, Option<LedgerError>) {
        let path = runtime_dir.join("ledger.json");
        let (entries, error) = match read(&path) {
            Ok(Some(content)) if content.boot_id == boot_id => (content.tunables, None),
            Ok(_) => (BTreeMap::new(), None),
            Err(source) => {
                // For whoever wants to know what was in it.
                let _stays_in_place = fs::rename(&path, path.with_extension("broken"));
                let what = "what the last daemon changed cannot be given back, as its ledger cannot be read";
                let path = path.clone();
                (BTreeMap::new(), Some(LedgerError { what, path, source }))
            }
        };
        let ledger = Self {
            path: Some(path),
            boot_id: boot_id.to_owned(),
            entries,
        };
        (ledger, error)
    }

    /// What a daemon that may run now has noted; nothing if that cannot be read. The file stays as it is.
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

    /// What is in it: tunables, and what was done to them.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(name, entry)| (name.as_str(), entry))
    }

    /// What was done to a tunable.
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
        self.write().inspect_err(|_| {
            // What is in memory is what is on the disk.
            match before {
                Some(before) => self.entries.insert(tunable.to_owned(), before),
                None => self.entries.remove(tunable),
            };
        })
    }

    /// Takes a note back: the kernel refused the value. `before` is what was noted before that.
    ///
    /// # Errors
    ///
    /// If that cannot be noted; the next daemon will find a value that it takes for somebody else's.
    pub fn revert(&mut self, tunable: &str, before: Option<Entry>) -> Result<(), LedgerError> {
        match before {
            Some(before) => self.entries.insert(tunable.to_owned(), before),
            None => self.entries.remove(tunable),
        };
        self.write()
    }

    /// Forgets a tunable: it has its original value again, or is somebody else's.
    ///
    /// # Errors
    ///
    /// If that cannot be noted; the next daemon will look at it again, and find the same.
    pub fn forget(&mut self, tunable: &str) -> Result<(), LedgerError> {
        self.entries.remove(tunable);
        self.write()
    }

    fn write(&self) -> Result<(), LedgerError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let result = if self.entries.is_empty() {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        } else {
            self.replace(path)
        };
        result.map_err(|source| LedgerError {
            what: "nothing is changed, as the original value cannot be noted",
            path: path.clone(),
            source,
        })
    }

    /// Whoever reads it sees the old content or the new one, also after a loss of power.
    fn replace(&self, path: &Path) -> io::Result<()> {
        let content = Content {
            boot_id: self.boot_id.clone(),
            tunables: self.entries.clone(),
        };
        let text = serde_json::to_vec_pretty(&content)?;
        let new = path.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o644);
        let mut file = options.open(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        let directory = path.parent().unwrap_or(Path::new("/"));
        File::open(directory)?.sync_all()
    }
}

/// `None` if there is none.
fn read(path: &Path) -> io::Result<Option<Content>> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
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
            error.to_string().starts_with("nothing is changed, as "),
            "{error}"
        );
        assert_eq!(ledger.entries().count(), 0);
    }

    #[test]
    fn a_broken_ledger_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("ledger.json"), "{\"boot_id\":").unwrap();

        let (ledger, error) = Ledger::open(directory.path(), "this-boot");

        assert!(error.is_some());
        assert_eq!(ledger.entries().count(), 0);
        assert!(directory.path().join("ledger.broken").exists());
    }
}
