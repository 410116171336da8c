//! A module that can be run, or not.

use std::fmt;
use std::path::PathBuf;

use crate::config::Isolation;
use crate::modules::abi::{Calls, Description, Identity};
use crate::modules::isolation::Program;

/// A module that can be run: what it says of itself, checked, and where it is.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The module's description of itself.
    pub description: Description,
    /// The place that it comes from.
    pub origin: Origin,
    /// The place where it runs unless the configuration says otherwise.
    pub isolation: Isolation,
    /// The program that can run it in a process of its own.
    pub(crate) program: Program,
    /// The identity of the file that it was found in.
    pub(crate) file: Option<Identity>,
    /// The shared objects that the file brings in.
    pub(crate) objects: Vec<PathBuf>,
    /// The functions of the module, if it is linked in.
    pub(crate) calls: Option<Calls>,
}

/// The place that a module comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The module is linked into this program.
    LinkedIn,
    /// The module is in this shared object.
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
    /// Returns the name of the module.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.description.schema.name
    }

    /// Returns true if this is the same module as before, from the same file.
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

/// A module, or a file that should hold one, that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedModule {
    /// The name of the module, or the path of the file.
    pub subject: String,
    /// The reason.
    pub reason: String,
}

impl fmt::Display for RefusedModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module {} is refused: {}", self.subject, self.reason)
    }
}

impl std::error::Error for RefusedModule {}
