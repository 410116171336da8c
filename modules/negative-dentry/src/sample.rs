//! One moment of the machine, in the numbers that the limit depends on.

use adaptivemm_module_api::units::{Bytes, Pages};
use adaptivemm_module_api::{Hugepages, ScanError, Snapshot, Tunable, Unavailable};

/// The tunable, in thousandths of memory; only kernels of Oracle's UEK have it.
pub(crate) const LIMIT: &str = "fs.negative-dentry-limit";

/// The numbers that this module takes from a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) limit: Tunable,
    pub(crate) memory: Memory,
}

/// The amount of memory, and the part of it that cannot hold dentries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// The memory that the buddy allocator manages, in all zones.
    pub(crate) managed: Bytes,
    /// The memory in the pools of huge pages of all sizes, used or not.
    pub(crate) hugepages: Bytes,
}

impl Sample {
    /// Takes the numbers from a snapshot; `None` if this kernel has no such limit.
    ///
    /// # Errors
    ///
    /// If it has one that cannot be read, or does not say how much memory there is.
    pub(crate) fn from_snapshot(snapshot: &Snapshot<'_>) -> Result<Option<Self>, ScanError> {
        let limit = match snapshot.tunable(LIMIT) {
            Ok(limit) => limit,
            Err(Unavailable::Absent(_)) => return Ok(None),
            Err(other) => return Err(other.into()),
        };
        let memory = Memory::from_snapshot(snapshot)?;
        Ok(Some(Self { limit, memory }))
    }
}

impl Memory {
    fn from_snapshot(snapshot: &Snapshot<'_>) -> Result<Self, ScanError> {
        let mut managed = snapshot.zones()?.map(|zone| zone.managed);
        let pages = managed.try_fold(Pages::default(), |sum, managed| {
            Some(sum.saturating_add(managed?))
        });
        let pages = pages.ok_or_else(|| {
            ScanError::new("/proc/zoneinfo does not say how many pages a zone has")
        })?;
        if pages == Pages::default() {
            return Err(ScanError::new("no zone of /proc/zoneinfo manages a page"));
        }
        let hugepages = match snapshot.hugepages() {
            Ok(pools) => pools
                .map(Hugepages::bytes)
                .fold(Bytes::default(), Bytes::saturating_add),
            Err(Unavailable::Absent(_)) => Bytes::default(),
            Err(other) => return Err(other.into()),
        };
        Ok(Self {
            managed: pages.bytes(snapshot.page_size()),
            hugepages,
        })
    }

    /// The memory that is not in huge pages.
    pub(crate) const fn usable(self) -> Bytes {
        self.managed.saturating_sub(self.hugepages)
    }
}
