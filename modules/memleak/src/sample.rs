//! One moment of the machine, in the numbers that a leak shows in.

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Bytes, Uptime};
use adaptivemm_module_api::{self as api, Hugepages, ScanError, Snapshot, Unavailable};

use crate::accounting::{self, Exact, Figures, Meminfo, Vmstat, Zones};
use crate::series::Levels;

/// What this module takes from a snapshot.
#[derive(Debug, Clone)]
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
            vmstat: match snapshot.vmstat() {
                Ok(file) => Ok(vmstat(&file)),
                Err(unavailable) => Err(unavailable.into()),
            },
            zones: zones(snapshot),
            hugepages: hugepages(snapshot, &meminfo)?,
            page_size: snapshot.page_size(),
        };
        let total = accounting::mem_total(&meminfo)?;
        let exact = accounting::exact(&figures);
        let unaccounted = accounting::seed(&figures)?;
        let vmstat = figures.vmstat.unwrap_or_default();
        Ok(Self {
            at: snapshot.uptime(),
            period: snapshot.period(),
            is_steady: snapshot.is_steady(),
            total,
            hugepages: figures.hugepages,
            hugepages_allocated: vmstat.hugepages_allocated,
            unaccounted,
            available: meminfo.available().min(total),
            levels: Levels::of(&meminfo, exact.as_ref().ok()),
            exact,
            balloon: vmstat.balloon.bytes(figures.page_size),
            // Without its text there are fewer details in a report, and no reason to do without reports.
            meminfo: snapshot.file("/proc/meminfo").unwrap_or_default(),
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
        self.exact = sample.exact.as_ref().ok().copied();
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
fn meminfo(file: &api::Meminfo<'_>) -> Meminfo {
    Meminfo {
        mem_total: file.bytes("MemTotal"),
        mem_free: file.bytes("MemFree"),
        mem_available: file.bytes("MemAvailable"),
        buffers: file.bytes("Buffers"),
        cached: file.bytes("Cached"),
        swap_cached: file.bytes("SwapCached"),
        active_anon: file.bytes("Active(anon)"),
        inactive_anon: file.bytes("Inactive(anon)"),
        active_file: file.bytes("Active(file)"),
        inactive_file: file.bytes("Inactive(file)"),
        unevictable: file.bytes("Unevictable"),
        anon_pages: file.bytes("AnonPages"),
        k_reclaimable: file.bytes("KReclaimable"),
        s_reclaimable: file.bytes("SReclaimable"),
        s_unreclaim: file.bytes("SUnreclaim"),
        kernel_stack: file.bytes("KernelStack"),
        page_tables: file.bytes("PageTables"),
        sec_page_tables: file.bytes("SecPageTables"),
        quicklists: file.bytes("Quicklists"),
        bounce: file.bytes("Bounce"),
        writeback_tmp: file.bytes("WritebackTmp"),
        vmalloc_used: file.bytes("VmallocUsed"),
        percpu: file.bytes("Percpu"),
        hardware_corrupted: file.bytes("HardwareCorrupted"),
        cma_total: file.bytes("CmaTotal"),
        balloon: file.bytes("Balloon"),
        gpu_active: file.bytes("GPUActive"),
        gpu_reclaim: file.bytes("GPUReclaim"),
        hugetlb: file.bytes("Hugetlb"),
    }
}

fn vmstat(file: &api::Vmstat<'_>) -> Vmstat {
    let pages = |key| file.pages(key).unwrap_or_default();
    Vmstat {
        zspages: pages("nr_zspages"),
        isolated: pages("nr_isolated_anon").saturating_add(pages("nr_isolated_file")),
        memmap: pages("nr_memmap_pages"),
        hugepages_allocated: file.count("htlb_buddy_alloc_success").unwrap_or_default(),
        balloon: pages("balloon_inflate").saturating_sub(pages("balloon_deflate")),
    }
}

fn zones(snapshot: &Snapshot<'_>) -> Result<Zones, ScanError> {
    let mut sum = Zones::default();
    for zone in snapshot.zones()? {
        let managed = zone.managed.ok_or_else(|| {
            ScanError::new("/proc/zoneinfo does not say how many pages a zone has")
        })?;
        // Without it, no page is known to be taken out.
        let present = zone.present.unwrap_or(managed);
        sum.per_cpu = sum.per_cpu.saturating_add(zone.per_cpu.unwrap_or_default());
        sum.managed = sum.managed.saturating_add(managed);
        sum.present = sum.present.saturating_add(present);
    }
    Ok(sum)
}

/// From `/sys`, as the seed says; from `Hugetlb`, which is the same sum, where that is unreadable.
fn hugepages(snapshot: &Snapshot<'_>, meminfo: &Meminfo) -> Result<Bytes, ScanError> {
    match snapshot.hugepages() {
        Ok(pools) => Ok(pools
            .map(Hugepages::bytes)
            .fold(Bytes::default(), Bytes::saturating_add)),
        Err(Unavailable::Absent(_)) => Ok(Bytes::default()),
        Err(unreadable) => meminfo.hugetlb.ok_or(unreadable.into()),
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
