//! Processors whose system calls nobody has looked through yet.

use std::io;

/// Always fails.
///
/// # Errors
///
/// What is missing, and where.
pub(super) fn apply() -> io::Result<()> {
    Err(io::Error::other(format!(
        "there is none for processors of {}",
        std::env::consts::ARCH
    )))
}
