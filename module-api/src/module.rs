//! The trait that a module implements.

use crate::config::{Config, ConfigProblems};
use crate::error::ScanError;
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
