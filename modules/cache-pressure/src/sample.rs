//! One moment of the machine: the numbers of dentries and inodes, and how readily they are reclaimed.

use core::time::Duration;

use adaptivemm_module_api::units::Uptime;
use adaptivemm_module_api::{ScanError, Snapshot, Tunable};

/// The tunable, in percent: at 100 the kernel reclaims dentries and inodes as readily as page cache.
pub(crate) const PRESSURE: &str = "vm.vfs_cache_pressure";

/// The file whose first number is that of dentries, used or not.
pub(crate) const DENTRY_STATE: &str = "/proc/sys/fs/dentry-state";

/// The file whose first number is that of inodes, used or not.
pub(crate) const INODE_NR: &str = "/proc/sys/fs/inode-nr";

/// The numbers that this module takes from a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) at: Uptime,
    /// The time between two scans.
    pub(crate) period: Duration,
    pub(crate) pressure: Tunable,
    pub(crate) dentries: u64,
    pub(crate) inodes: u64,
}

impl Sample {
    /// Takes the numbers from a snapshot.
    ///
    /// # Errors
    ///
    /// If the kernel does not tell one of the three.
    pub(crate) fn from_snapshot(snapshot: &Snapshot<'_>) -> Result<Self, ScanError> {
        Ok(Self {
            at: snapshot.uptime(),
            period: snapshot.period(),
            pressure: snapshot.tunable(PRESSURE)?,
            dentries: first_number(snapshot, DENTRY_STATE)?,
            inodes: first_number(snapshot, INODE_NR)?,
        })
    }

    pub(crate) const fn objects(&self) -> u64 {
        self.dentries.saturating_add(self.inodes)
    }
}

fn first_number(snapshot: &Snapshot<'_>, path: &'static str) -> Result<u64, ScanError> {
    let text = String::from_utf8_lossy(snapshot.file(path)?);
    let first = text.split_ascii_whitespace().next();
    first
        .and_then(|first| first.parse().ok())
        .ok_or_else(|| ScanError::new(format!("{path} does not begin with a number")))
}
