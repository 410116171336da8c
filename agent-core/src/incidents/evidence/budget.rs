//! The limits of what evidence may cost, and the reasons why a collector ends before it has seen everything.

use std::io;

use rustix::io::Errno;

/// The reason why a collector ended early.
#[derive(Debug)]
pub(super) enum Halt {
    /// The file, or all of what was looked for, is not there.
    Missing,
    /// The source is there, and says nothing that is of use here.
    Useless(String),
    /// The source could not be read, or was not understood.
    Failed(String),
    /// Part of it could not be read.
    Partly(String),
    /// We may not look at it, or not at all of it: who runs with more rights may.
    Denied(String),
    /// Time or room ran out.
    Spent(Spent),
}

/// The limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spent {
    Cpu,
    Text,
}

impl Halt {
    pub(super) fn from_error(path: &str, error: &io::Error) -> Self {
        // A process or a control group that went away while its file was open has neither.
        let is_gone =
            [Errno::SRCH, Errno::NODEV].contains(&Errno::from_io_error(error).unwrap_or(Errno::IO));
        match error.kind() {
            _ if is_gone => Self::Missing,
            io::ErrorKind::NotFound => Self::Missing,
            // The kernel says this for EACCES and for EPERM.
            io::ErrorKind::PermissionDenied => Self::Denied(format!("{path}: {error}")),
            _ => Self::Failed(format!("{path}: {error}")),
        }
    }
}

/// Returns `None` for what cannot be read.
///
/// # Errors
///
/// Returns an error if time or room has run out.
pub(super) fn unless_gone<T>(result: Result<T, Halt>) -> Result<Option<T>, Halt> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Halt::Spent(spent)) => Err(Halt::Spent(spent)),
        Err(
            Halt::Missing | Halt::Useless(_) | Halt::Failed(_) | Halt::Partly(_) | Halt::Denied(_),
        ) => Ok(None),
    }
}
