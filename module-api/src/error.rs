//! Why a module could not make sense of a snapshot.

use core::fmt;

/// Why a module could not make sense of a snapshot.
///
/// Holds no owned text, so that a condition that lasts costs nothing every scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanError {
    what: &'static str,
    path: &'static str,
}

impl ScanError {
    /// `what` is missing or makes no sense, as a sentence: `/proc/meminfo has no MemTotal`.
    #[must_use]
    pub const fn new(what: &'static str) -> Self {
        Self { what, path: "" }
    }

    /// The file could not be read; the core has logged why.
    #[must_use]
    pub const fn missing(path: &'static str) -> Self {
        Self {
            what: "no readable ",
            path,
        }
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        f.write_str(self.path)
    }
}

impl core::error::Error for ScanError {}
