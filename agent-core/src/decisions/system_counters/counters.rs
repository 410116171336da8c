//! The events of `/proc/vmstat` that tell whether programs had to wait for memory.

use adaptivemm_module_api::units::Pages;

use crate::kernel::Vmstat;

/// Events since boot. `None` for what this kernel does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventCounters {
    /// Allocations that had to reclaim memory first: `allocstall`, or its parts by zone (since 4.10).
    pub allocation_stalls: Option<u64>,
    /// Reclaimed in the background: `pgsteal_kswapd`, or its parts by zone (before 4.8).
    pub kswapd_reclaimed: Option<Pages>,
    /// Reclaimed by programs that needed memory: `pgsteal_direct`, or its parts by zone.
    pub direct_reclaimed: Option<Pages>,
    /// Programs that compacted memory themselves: `compact_stall`.
    pub compaction_stalls: Option<u64>,
    /// Compactions that made a block that was large enough: `compact_success`.
    pub compaction_successes: Option<u64>,
    /// Compactions that did not: `compact_fail`.
    pub compaction_failures: Option<u64>,
}

impl EventCounters {
    /// Reads the counters of a whole file in one go.
    #[must_use]
    pub fn from_vmstat(vmstat: &Vmstat) -> Self {
        let mut sums = Self::default();
        for (key, value) in vmstat.iter() {
            sums.take(key, value);
        }
        sums
    }

    fn take(&mut self, key: &str, value: u64) {
        if is_part_of(key, "allocstall") {
            add(&mut self.allocation_stalls, value);
        } else if is_part_of(key, "pgsteal_kswapd") {
            add_pages(&mut self.kswapd_reclaimed, value);
        } else if is_part_of(key, "pgsteal_direct") {
            add_pages(&mut self.direct_reclaimed, value);
        } else {
            match key {
                "compact_stall" => self.compaction_stalls = Some(value),
                "compact_success" => self.compaction_successes = Some(value),
                "compact_fail" => self.compaction_failures = Some(value),
                _ => {}
            }
        }
    }
}

/// Returns true for the counter of this name, and for one of its parts, such as `allocstall_normal`.
fn is_part_of(key: &str, name: &str) -> bool {
    key.strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

fn add(sum: &mut Option<u64>, part: u64) {
    *sum = Some(sum.unwrap_or_default().saturating_add(part));
}

fn add_pages(sum: &mut Option<Pages>, part: u64) {
    *sum = Some(sum.unwrap_or_default().saturating_add(Pages::new(part)));
}
