//! One moment of the machine, in the numbers that a leak shows in.

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Bytes, Uptime};
use adaptivemm_module_api::{Counters, ScanError, Snapshot};

use crate::accounting::{self, Exact, Figures, Meminfo, Vmstat, Zones};
use crate::series::Levels;

/// What this module takes from a snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample<'a> {
    pub(crate) at: Uptime,
    /// Between two scans.
    pub(crate) period: Duration,
    /// Whether sums over several files can be trusted to within some megabytes.
    pub(crate) is_steady: bool,
    /// `MemTotal`.
    pub(crate) total: Bytes,
    /// The huge pages of all sizes.
    pub(crate) hugepages: Bytes,
    /// How many were allocated since boot, whether the pools have them already or not.
    pub(crate) hugepages_allocated: u64,
    /// By the seed's formula.
    pub(crate) unaccounted: Balance,
    /// The exact accounting, or why there is none.
    pub(crate) exact: Result<Exact, ScanError>,
    /// What programs can still get without swapping.
    pub(crate) available: Bytes,
    pub(crate) levels: Levels,
    /// What the balloon driver has taken away for the host, by its own count.
    pub(crate) balloon: Bytes,
    /// `/proc/meminfo` as the kernel printed it: evidence.
    pub(crate) meminfo: &'a [u8],
}

/// A sample that is kept for later scans to be compared with.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) at: Uptime,
    pub(crate) total: Bytes,
    pub(crate) hugepages: Bytes,
    pub(crate) unaccounted: Balance,
    pub(crate) exact: Option<Exact>,
    pub(crate) levels: Levels,
    // The text and not its numbers: copying it is cheaper than parsing it, and it is hardly ever read.
    pub(crate) meminfo: Vec<u8>,
}

impl<'a> Sample<'a> {
    /// # Errors
    ///
    /// If not even the seed's formula can be computed.
    pub(crate) fn of(snapshot: &Snapshot<'a>) -> Result<Self, ScanError> {
        let meminfo = meminfo(&snapshot.meminfo()?);
        let figures = Figures {
            meminfo,
            vmstat: snapshot.vmstat().map(|counters| vmstat(&counters)),
            zones: zones(snapshot),
            hugepages: hugepages(snapshot, &meminfo)?,
            page_size: snapshot.page_size(),
        };
        let text = snapshot.file("/proc/meminfo");
        let total = accounting::mem_total(&meminfo)?;
        let exact = accounting::exact(&figures);
        let vmstat = figures.vmstat.unwrap_or_default();
        Ok(Self {
            at: snapshot.uptime(),
            period: snapshot.period(),
            is_steady: snapshot.is_steady(),
            total,
            hugepages: figures.hugepages,
            hugepages_allocated: vmstat.hugepages_allocated,
            unaccounted: accounting::seed(&figures)?,
            exact,
            available: meminfo.available().min(total),
            levels: Levels::of(&meminfo, exact.as_ref().ok()),
            balloon: vmstat.balloon.bytes(figures.page_size),
            // Without its text there are fewer details in a report, and no reason to do without reports.
            meminfo: text.map_or(&[], |file| file.content().unwrap_or_default()),
        })
    }
}

impl Reading {
    /// Room for a reading. As much as `/proc/meminfo` will ever need is reserved at once, so that
    /// keeping one allocates nothing.
    pub(crate) fn empty() -> Self {
        Self {
            at: Uptime::default(),
            total: Bytes::default(),
            hugepages: Bytes::default(),
            unaccounted: Balance::default(),
            exact: None,
            levels: Levels::default(),
            meminfo: Vec::with_capacity(4096),
        }
    }

    /// Becomes a copy of `sample`.
    pub(crate) fn keep(&mut self, sample: &Sample<'_>) {
        self.at = sample.at;
        self.total = sample.total;
        self.hugepages = sample.hugepages;
        self.unaccounted = sample.unaccounted;
        self.exact = sample.exact.ok();
        self.levels = sample.levels;
        self.meminfo.clear();
        self.meminfo.extend_from_slice(sample.meminfo);
    }

    /// Becomes a copy of `other`, in the buffer that it has.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.at = other.at;
        self.total = other.total;
        self.hugepages = other.hugepages;
        self.unaccounted = other.unaccounted;
        self.exact = other.exact;
        self.levels = other.levels;
        self.meminfo.clone_from(&other.meminfo);
    }
}

/// In the order of the file, which makes for quick look-ups.
fn meminfo(counters: &Counters<'_>) -> Meminfo {
    Meminfo {
        mem_total: counters.bytes("MemTotal"),
        mem_free: counters.bytes("MemFree"),
        mem_available: counters.bytes("MemAvailable"),
        buffers: counters.bytes("Buffers"),
        cached: counters.bytes("Cached"),
        swap_cached: counters.bytes("SwapCached"),
        active_anon: counters.bytes("Active(anon)"),
        inactive_anon: counters.bytes("Inactive(anon)"),
        active_file: counters.bytes("Active(file)"),
        inactive_file: counters.bytes("Inactive(file)"),
        unevictable: counters.bytes("Unevictable"),
        anon_pages: counters.bytes("AnonPages"),
        k_reclaimable: counters.bytes("KReclaimable"),
        s_reclaimable: counters.bytes("SReclaimable"),
        s_unreclaim: counters.bytes("SUnreclaim"),
        kernel_stack: counters.bytes("KernelStack"),
        page_tables: counters.bytes("PageTables"),
        sec_page_tables: counters.bytes("SecPageTables"),
        quicklists: counters.bytes("Quicklists"),
        bounce: counters.bytes("Bounce"),
        writeback_tmp: counters.bytes("WritebackTmp"),
        vmalloc_used: counters.bytes("VmallocUsed"),
        percpu: counters.bytes("Percpu"),
        hardware_corrupted: counters.bytes("HardwareCorrupted"),
        cma_total: counters.bytes("CmaTotal"),
        balloon: counters.bytes("Balloon"),
        gpu_active: counters.bytes("GPUActive"),
        gpu_reclaim: counters.bytes("GPUReclaim"),
        hugetlb: counters.bytes("Hugetlb"),
    }
}

fn vmstat(counters: &Counters<'_>) -> Vmstat {
    let pages = |key| counters.pages(key).unwrap_or_default();
    Vmstat {
        zspages: pages("nr_zspages"),
        isolated: pages("nr_isolated_anon").saturating_add(pages("nr_isolated_file")),
        memmap: pages("nr_memmap_pages"),
        hugepages_allocated: counters.get("htlb_buddy_alloc_success").unwrap_or_default(),
        balloon: pages("balloon_inflate").saturating_sub(pages("balloon_deflate")),
    }
}

fn zones(snapshot: &Snapshot<'_>) -> Result<Zones, ScanError> {
    let mut sum = Zones::default();
    for zone in snapshot.zones()? {
        let managed = zone.managed.ok_or(ScanError::new(
            "/proc/zoneinfo does not say how many pages a zone has",
        ))?;
        // Without it, no page is known to be taken out.
        let present = zone.present.unwrap_or(managed);
        sum.per_cpu = sum.per_cpu.saturating_add(zone.per_cpu);
        sum.managed = sum.managed.saturating_add(managed);
        sum.present = sum.present.saturating_add(present);
    }
    Ok(sum)
}

/// From `/sys`, as the seed says; from `Hugetlb`, which is the same sum, where that is unreadable.
fn hugepages(snapshot: &Snapshot<'_>, meminfo: &Meminfo) -> Result<Bytes, ScanError> {
    match snapshot.hugepages() {
        Ok(pools) => Ok(pools.fold(Bytes::default(), |sum, pool| {
            sum.saturating_add(pool.bytes())
        })),
        Err(unreadable) => meminfo.hugetlb.ok_or(unreadable),
    }
}

#[cfg(test)]
impl Sample<'static> {
    /// A machine of 1000 MiB on which nothing happens.
    pub(crate) fn quiet() -> Self {
        Self {
            at: Uptime::default(),
            period: Duration::from_secs(30),
            is_steady: true,
            total: Bytes::from_kib(1000 << 10),
            hugepages: Bytes::default(),
            hugepages_allocated: 0,
            unaccounted: Balance::default(),
            exact: Ok(Exact::default()),
            available: Bytes::from_kib(600 << 10),
            levels: Levels::default(),
            balloon: Bytes::default(),
            meminfo: b"",
        }
    }
}
