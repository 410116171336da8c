//! One moment of the machine, in the numbers that show the demand for free pages.

use core::time::Duration;

use adaptivemm_module_api::units::{Bytes, PageSize, Pages, Uptime};
use adaptivemm_module_api::{Meminfo, ScanError, Snapshot, Tunable, Vmstat};

use crate::pressure::{self, Waited};
use crate::scale::Setting;

/// The size of the DMA zone of x86, which is used only by drivers that are made for it.
const SMALL_DMA: Bytes = Bytes::new(16 << 20);

/// The numbers that this module takes from a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) at: Uptime,
    /// The time between two scans.
    pub(crate) period: Duration,
    pub(crate) page_size: PageSize,
    pub(crate) setting: Setting,
    /// The nodes that have memory, by number.
    pub(crate) nodes: Vec<NodeSample>,
    /// The memory in pools of huge pages of all sizes.
    pub(crate) hugepages: Bytes,
    pub(crate) counts: Counts,
    /// The time that tasks have waited for memory; `None` on kernels that do not say it.
    pub(crate) waited: Option<Waited>,
}

/// The counters of the kernel since boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// All pages that were reclaimed.
    pub(crate) reclaimed: u64,
    /// Pages that were reclaimed by tasks that had to wait for them.
    pub(crate) direct: u64,
    /// Allocations that had to wait.
    pub(crate) stalls: u64,
}

/// The zones of a node that count, together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NodeSample {
    pub(crate) id: u32,
    pub(crate) managed: Pages,
    /// The free pages for everyone, without those of the contiguous memory allocator.
    pub(crate) free: Pages,
    // The kernel prints the watermarks with the boost in them.
    pub(crate) min: Pages,
    pub(crate) low: Pages,
    pub(crate) high: Pages,
    /// Pages that reclaim is sure to find: file pages not used of late, and anonymous ones while there is swap.
    pub(crate) reclaimable: Pages,
    /// The pages reclaimed on this node since boot; `None` on kernels that only count for the machine.
    pub(crate) reclaimed: Option<u64>,
}

impl Sample {
    /// Takes the numbers from a snapshot. The nodes go into the buffer of those of the scan before.
    ///
    /// # Errors
    ///
    /// If a number is missing that is always needed.
    pub(crate) fn from_snapshot(
        snapshot: &Snapshot<'_>,
        tunable: Tunable,
        mut nodes: Vec<NodeSample>,
    ) -> Result<Self, ScanError> {
        let meminfo = snapshot.meminfo()?;
        read_nodes(snapshot, &meminfo, &mut nodes)?;
        Ok(Self {
            at: snapshot.uptime(),
            period: snapshot.period(),
            page_size: snapshot.page_size(),
            setting: Setting::from_tunable(tunable).ok_or_else(|| {
                ScanError::new("vm.watermark_scale_factor has no value that makes sense")
            })?,
            nodes,
            hugepages: hugepages(&meminfo),
            counts: Counts::from_vmstat(&snapshot.vmstat()?)?,
            waited: pressure::waited(snapshot),
        })
    }

    /// The managed pages of all nodes.
    pub(crate) fn managed(&self) -> Pages {
        let managed = self.nodes.iter().map(|node| node.managed);
        managed.fold(Pages::default(), Pages::saturating_add)
    }
}

impl Counts {
    fn from_vmstat(vmstat: &Vmstat<'_>) -> Result<Self, ScanError> {
        let stalls = sum(vmstat, &["allocstall"]);
        Ok(Self {
            reclaimed: reclaimed(vmstat)
                .ok_or_else(|| ScanError::new("/proc/vmstat has no pgsteal_*"))?,
            direct: sum(vmstat, &["pgsteal_direct"]).unwrap_or_default(),
            stalls: stalls.ok_or_else(|| ScanError::new("/proc/vmstat has no allocstall*"))?,
        })
    }
}

/// The reclaimed pages, added up by reclaimer: `pgsteal_anon` and `pgsteal_file` count the same pages again.
fn reclaimed(counters: &Vmstat<'_>) -> Option<u64> {
    sum(
        counters,
        &[
            "pgsteal_kswapd",
            "pgsteal_direct",
            "pgsteal_khugepaged",
            "pgsteal_proactive",
        ],
    )
}

/// The sum of all counters whose names begin so, as old kernels have one per kind of zone; `None` if there is none.
fn sum(counters: &Vmstat<'_>, beginnings: &[&str]) -> Option<u64> {
    let all = beginnings
        .iter()
        .flat_map(|start| counters.beginning_with(start));
    all.map(|(_, count)| count).reduce(u64::saturating_add)
}

fn read_nodes(
    snapshot: &Snapshot<'_>,
    meminfo: &Meminfo<'_>,
    nodes: &mut Vec<NodeSample>,
) -> Result<(), ScanError> {
    let page_size = snapshot.page_size();
    nodes.clear();
    for zone in snapshot.zones()? {
        let numbers = (zone.managed, zone.free, zone.min, zone.low, zone.high);
        let (Some(managed), Some(free), Some(min), Some(low), Some(high)) = numbers else {
            return Err(ScanError::new(
                "/proc/zoneinfo does not say the pages or the watermarks of a zone",
            ));
        };
        let small = zone.name == "DMA" && managed.bytes(page_size) <= SMALL_DMA;
        if small || managed == Pages::default() {
            continue;
        }
        let cma = zone.counters().pages("nr_free_cma");
        let index = nodes.iter().position(|node| node.id == zone.node);
        let index = index.unwrap_or_else(|| {
            nodes.push(NodeSample {
                id: zone.node,
                ..NodeSample::default()
            });
            nodes.len() - 1
        });
        let node = &mut nodes[index];
        let free = free.saturating_sub(cma.unwrap_or_default());
        node.managed = node.managed.saturating_add(managed);
        node.free = node.free.saturating_add(free);
        node.min = node.min.saturating_add(min);
        node.low = node.low.saturating_add(low);
        node.high = node.high.saturating_add(high);
    }
    // No two numbers are the same, and an unstable sort takes no memory.
    nodes.sort_unstable_by_key(|node| node.id);
    for node in nodes {
        let stats = snapshot.nodes()?.find(|stats| stats.id == node.id);
        let stats = stats.and_then(|node| node.stats().ok());
        node.reclaimed = stats.as_ref().and_then(reclaimed);
        node.reclaimable = stats.map_or(Pages::default(), |stats| {
            reclaimable(&stats, meminfo, page_size)
        });
    }
    Ok(())
}

fn reclaimable(stats: &Vmstat<'_>, meminfo: &Meminfo<'_>, page_size: PageSize) -> Pages {
    let file = stats.pages("nr_inactive_file").unwrap_or_default();
    let anon = stats.pages("nr_inactive_anon").unwrap_or_default();
    let swap = meminfo.bytes("SwapFree").unwrap_or_default();
    file.saturating_add(anon.min(pages_in(swap, page_size)))
}

/// The memory in huge pages. `Hugetlb` counts all sizes; kernels before 4.19 only tell the default one.
fn hugepages(meminfo: &Meminfo<'_>) -> Bytes {
    meminfo.bytes("Hugetlb").unwrap_or_else(|| {
        let count = meminfo.count("HugePages_Total").unwrap_or_default();
        let size = meminfo.bytes("Hugepagesize").unwrap_or_default();
        Bytes::new(count.saturating_mul(size.get()))
    })
}

/// The number of whole pages in an amount of memory.
pub(crate) const fn pages_in(bytes: Bytes, page_size: PageSize) -> Pages {
    Pages::new(bytes.get() / page_size.bytes().get())
}
