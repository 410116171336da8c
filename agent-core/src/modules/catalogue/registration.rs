//! A module that can be run, or not.

use std::fmt;
use std::path::PathBuf;

use crate::config::Isolation;
use crate::modules::abi::{Calls, Description, Identity};
use crate::modules::isolation::Program;

/// A module that can be run: what it says of itself, checked, and where it is.
#[derive(Debug, Clone)]
pub struct Registration {
    /// What it says of itself.
    pub description: Description,
    /// Where it is.
    pub origin: Origin,
    /// Where it runs unless the configuration says otherwise.
    pub isolation: Isolation,
    /// What can run it in a process of its own.
    pub(crate) program: Program,
    /// Which file it was found in.
    pub(crate) file: Option<Identity>,
    /// What that file brings in.
    pub(crate) objects: Vec<PathBuf>,
    /// Its functions, if it is linked in.
    pub(crate) calls: Option<Calls>,
}

/// Where a module is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In this program.
    LinkedIn,
    /// In a shared object.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkedIn => f.write_str("linked in"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Registration {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.description.schema.name
    }

    /// Whether this is the same module as it was before, from the same file.
    #[must_use]
    pub fn is_still(&self, before: &Self) -> bool {
        (&self.description, &self.origin, self.isolation, self.file)
            == (
                &before.description,
                &before.origin,
                before.isolation,
                before.file,
            )
    }
}

/// Why a module, or a file that should hold one, cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedModule {
    /// Its name, or the path of the file.
    pub subject: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for RefusedModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module {} is refused: {}", self.subject, self.reason)
    }
}

impl std::error::Error for RefusedModule {}
