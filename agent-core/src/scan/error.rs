//! The reasons why modules could not be started.

use std::fmt;
use std::io;

/// All reasons why the modules could not be started.
#[derive(Debug)]
pub struct BuildErrors(pub Vec<BuildError>);

/// The reason why a module could not be started.
#[derive(Debug)]
pub enum BuildError {
    /// Its options make no sense together, and the administrator has set them.
    Options {
        /// The module.
        module: String,
        /// The option, or nothing.
        key: String,
        /// The reason.
        text: String,
    },
    /// The kernel gives us no more threads.
    Thread {
        /// The module.
        module: String,
        /// The error of the kernel.
        source: io::Error,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options { module, key, text } if key.is_empty() => {
                write!(f, "module {module}: {text}")
            }
            Self::Options { module, key, text } => {
                write!(f, "[modules.{module}.config] {key}: {text}")
            }
            Self::Thread { module, source } => {
                write!(f, "cannot start the thread of {module}: {source}")
            }
        }
    }
}

impl std::error::Error for BuildError {}
