//! Processors whose system calls nobody has looked through yet.

use std::io;

/// When a filter would hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// The library is being loaded.
    Loading,
    /// It is loaded.
    Shut,
}

/// Always fails.
///
/// # Errors
///
/// What is missing, and where.
pub(super) fn apply(_: Stage) -> io::Result<()> {
    Err(io::Error::other(format!(
        "there is none for processors of {}",
        std::env::consts::ARCH
    )))
}
