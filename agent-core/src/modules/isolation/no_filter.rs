//! Processors whose system calls nobody has looked through yet.

use std::io;

/// The stage of a process in which a filter would hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// The library is being loaded.
    Loading,
    /// The library is loaded.
    Shut,
}

/// Always fails.
///
/// # Errors
///
/// Returns what is missing, and where.
pub(super) fn apply(_: Stage) -> io::Result<()> {
    Err(io::Error::other(format!(
        "processors of {} are not supported",
        std::env::consts::ARCH
    )))
}
