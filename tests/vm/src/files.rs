//! Files, with errors that name them.

use std::fs::{self, File};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::problem::{Problem, Result};

/// Makes a directory, and those above it.
pub(crate) fn make_directory(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| Problem::with(path, "make the directory", error))
}

/// Makes a directory that is empty.
pub(crate) fn make_anew(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).map_err(|error| Problem::with(path, "remove", error))?;
    }
    make_directory(path)
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|error| Problem::with(path, "read", error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Problem::with(path, "write", error))
}

/// Copies a file, and the directory for it is made.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(directory) = to.parent() {
        make_directory(directory)?;
    }
    fs::copy(from, to)
        .map(|_| ())
        .map_err(|error| Problem::with(from, &format!("copy to {}", to.display()), error))
}

/// The names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Result<Vec<String>> {
    let entries =
        fs::read_dir(directory).map_err(|error| Problem::with(directory, "list", error))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

/// Waits until no other command fetches or builds the same.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| Problem::with(path, "open", error))?;
    flock(&file, FlockOperation::LockExclusive)
        .map_err(|error| Problem::with(path, "lock", error))?;
    Ok(file)
}
