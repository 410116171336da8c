//! The trait that a module implements.

use core::fmt;

use crate::config::{Config, ConfigProblems};
use crate::info::Info;
use crate::out::Out;
use crate::snapshot::Snapshot;

/// A detector or a tuner: a state machine that is fed snapshots.
///
/// An instance lives on one thread of its own and is never called by two threads at once. A panic
/// costs the instance, not the daemon.
pub trait Module: Sized + Send + 'static {
    /// What it is, needs, may change and lets the administrator choose.
    const INFO: Info;

    /// Makes an instance. Called at start and at every reload, before the old instance is dropped.
    ///
    /// # Errors
    ///
    /// If the options make no sense together. Kinds and ranges have been checked already.
    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems>;

    /// Looks at the machine and says what it saw and wants.
    ///
    /// # Errors
    ///
    /// If the snapshot lacks what the module cannot do without. It is logged once, not every scan, and
    /// the module is called again with the next snapshot.
    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError>;
}

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
            what: "cannot work without ",
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
