//! Which file it was: the same path may lead to another one later.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file as it was when it was looked at. One that is replaced, or written to, is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    /// When it was written, in seconds and nanoseconds.
    written: (i64, i64),
}

impl Identity {
    /// Of the file that is there now.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
            written: (file.mtime(), file.mtime_nsec()),
        })
    }
}
