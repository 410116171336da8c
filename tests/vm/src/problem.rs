//! What went wrong, in words for whoever ran the command.

use std::fmt;
use std::path::Path;

/// A sentence that says what could not be done, with the path and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem(String);

/// What may fail.
pub(crate) type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What could not be done with a file.
    pub(crate) fn with(path: &Path, what: &str, why: impl fmt::Display) -> Self {
        Self(format!("{}: cannot {what}: {why}", path.display()))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
