//! `isolation = "process"`: a module in a process of its own, without rights, files or a way back.
//!
//! ```text
//!    daemon                                   process of the module
//!    Process  --- socket: frames of orders -->  serve(): Jail, then dlopen
//!             <-- answers, which nobody has to believe ---
//! ```
//!
//! The daemon never maps the library. What the process answers is checked as if it came from an enemy; what
//! it is worth, the same rules decide as for a module in the daemon's own process.

mod files;
#[cfg(any(
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "x86_64"
))]
mod filter;
#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "x86_64"
)))]
#[path = "isolation/no_filter.rs"]
mod filter;
mod frame;
mod jail;
mod last_words;
mod message;
mod process;
mod serve;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use frame::frame_of_answer;
pub use message::{Confinement, Offer};
pub use message::{Told, answer_from_bytes, greeting_from_bytes};
pub use process::{KillSwitch, Process};
pub use serve::serve;

/// The time that a library may take to be loaded and to say what it holds, and a module to be created.
pub const START_WAIT: Duration = Duration::from_secs(5);

/// The thing that is to run in a process of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The modules of a shared object.
    File(PathBuf),
    /// A shared object that is only looked into here, as its modules are to run in the daemon. A kernel that cannot
    /// isolate a module does not keep it from that.
    Trusted(PathBuf),
    /// The modules that are linked into this program.
    LinkedIn,
}

impl Subject {
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Trusted(path) => Some(path),
            Self::LinkedIn => None,
        }
    }

    fn is_trusted(&self) -> bool {
        matches!(self, Self::Trusted(_))
    }
}

/// The program that can host modules: this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(PathBuf);

impl Program {
    /// The program that runs, even if its file was replaced or removed since.
    #[must_use]
    pub fn this() -> Self {
        // The link of a file that is gone names none; but it can still be followed.
        let named = std::env::current_exe().ok().filter(|path| path.exists());
        Self(named.unwrap_or_else(|| "/proc/self/exe".into()))
    }

    /// The program at this path; for tests, which are programs of their own.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }
}
