//! Where the memory is: the seed's formula and the exact accounting, computed from plain numbers.
//!
//! The seed's formula counts some memory twice (mlocked pages are in `Unevictable` and in `AnonPages`
//! or `Cached`) and some not at all (free pages on per-CPU lists). It is kept because administrators
//! and their log searches know it. The exact accounting counts every page once.

use core::fmt;

use adaptivemm_module_api::ScanError;
use adaptivemm_module_api::units::{Balance, Bytes, PageSize, Pages};

/// By how much of `MemTotal` the kernel's files may differ before nothing is concluded from them.
const TOLERANCE_PERCENT: f64 = 5.0;

/// The fields of `/proc/meminfo` that an accounting uses. `None` where this kernel lacks one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Meminfo {
    pub(crate) mem_total: Option<Bytes>,
    pub(crate) mem_free: Option<Bytes>,
    /// Since 3.14.
    pub(crate) mem_available: Option<Bytes>,
    pub(crate) buffers: Option<Bytes>,
    pub(crate) cached: Option<Bytes>,
    pub(crate) swap_cached: Option<Bytes>,
    pub(crate) active_anon: Option<Bytes>,
    pub(crate) inactive_anon: Option<Bytes>,
    pub(crate) active_file: Option<Bytes>,
    pub(crate) inactive_file: Option<Bytes>,
    pub(crate) unevictable: Option<Bytes>,
    pub(crate) anon_pages: Option<Bytes>,
    /// Since 4.20; `SReclaimable` is its larger part.
    pub(crate) k_reclaimable: Option<Bytes>,
    pub(crate) s_reclaimable: Option<Bytes>,
    pub(crate) s_unreclaim: Option<Bytes>,
    pub(crate) kernel_stack: Option<Bytes>,
    pub(crate) page_tables: Option<Bytes>,
    /// Since 6.1.
    pub(crate) sec_page_tables: Option<Bytes>,
    /// Gone from newer kernels.
    pub(crate) quicklists: Option<Bytes>,
    pub(crate) bounce: Option<Bytes>,
    pub(crate) writeback_tmp: Option<Bytes>,
    /// Always 0 before 5.3.
    pub(crate) vmalloc_used: Option<Bytes>,
    /// Since 4.19.
    pub(crate) percpu: Option<Bytes>,
    /// Where the kernel survives memory errors.
    pub(crate) hardware_corrupted: Option<Bytes>,
    /// Where the kernel has a contiguous memory allocator.
    pub(crate) cma_total: Option<Bytes>,
    /// Since 6.16.
    pub(crate) balloon: Option<Bytes>,
    /// Of graphics drivers; on the newest kernels only.
    pub(crate) gpu_active: Option<Bytes>,
    /// As above, given back on demand.
    pub(crate) gpu_reclaim: Option<Bytes>,
    /// The huge pages of all sizes; since 4.16.
    pub(crate) hugetlb: Option<Bytes>,
}

/// What `/proc/vmstat` adds. A counter that this kernel lacks counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Vmstat {
    /// Taken off the LRU lists for a moment, by reclaim or compaction.
    pub(crate) isolated: Pages,
    /// Compressed memory of zram and zswap.
    pub(crate) zspages: Pages,
    /// Descriptions of hot-added memory.
    pub(crate) memmap: Pages,
    /// Taken away for the host since boot, less what came back.
    pub(crate) balloon: Pages,
    /// Huge pages that were allocated since boot.
    pub(crate) hugepages_allocated: u64,
}

/// What `/proc/zoneinfo` adds, summed over all zones.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Zones {
    /// Free, on the lists of the CPUs; not part of `MemFree`.
    pub(crate) per_cpu: Pages,
    pub(crate) managed: Pages,
    pub(crate) present: Pages,
}

/// Everything that the accountings are computed from.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) meminfo: Meminfo,
    pub(crate) vmstat: Result<Vmstat, ScanError>,
    pub(crate) zones: Result<Zones, ScanError>,
    /// `nr_hugepages` of every size.
    pub(crate) hugepages: Bytes,
    pub(crate) page_size: PageSize,
}

/// Memory that is accounted for, every page once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// On per-CPU lists too.
    pub(crate) free: Bytes,
    /// Files, tmpfs, shared memory and disk blocks.
    pub(crate) page_cache: Bytes,
    /// Anonymous memory, and what is left of it in the swap cache.
    pub(crate) programs: Bytes,
    pub(crate) huge_pages: Bytes,
    pub(crate) slab: Bytes,
    /// Stacks, page tables, vmalloc, per-CPU variables and the like.
    pub(crate) other: Bytes,
}

/// The exact accounting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Exact {
    pub(crate) parts: Parts,
    /// What is left of `MemTotal` after all parts.
    pub(crate) unaccounted: Balance,
    /// The part of it that is on LRU lists though no file and no program owns it.
    pub(crate) orphans: Balance,
    /// The part of the free memory that is on per-CPU lists.
    pub(crate) per_cpu: Bytes,
    /// What the zones manage.
    pub(crate) managed: Bytes,
}

/// How the kernel's files contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contradiction {
    /// The parts are more than the whole.
    Overdrawn { accounted: Bytes, total: Bytes },
    /// The zones manage more than `MemTotal`: a container with a `/proc/meminfo` of its own.
    Faked { managed: Bytes, total: Bytes },
}

impl Meminfo {
    /// What programs can still get: by the kernel's own estimate, or what is free or holds files.
    pub(crate) fn available(&self) -> Bytes {
        let guess = [self.mem_free, self.buffers, self.cached].map(or_nothing);
        self.mem_available.unwrap_or_else(|| sum(guess))
    }
}

impl Parts {
    /// All parts together.
    pub(crate) fn sum(self) -> Bytes {
        sum([
            self.free,
            self.page_cache,
            self.programs,
            self.huge_pages,
            self.slab,
            self.other,
        ])
    }
}

impl Exact {
    /// How the files contradict each other, if they do by more than can be explained by reading them
    /// one after another.
    ///
    /// Zones that manage *less* than `MemTotal` are normal: a kernel that initialises memory lazily
    /// counts it in `MemTotal` and `MemFree` before any zone has it. For the same reason the free
    /// pages of the zones cannot be held against `MemFree`.
    pub(crate) fn contradiction(&self, total: Bytes) -> Option<Contradiction> {
        let tolerance = total.percent(TOLERANCE_PERCENT);
        let accounted = self.parts.sum();
        let managed = self.managed;
        if managed > total.saturating_add(tolerance) {
            return Some(Contradiction::Faked { managed, total });
        }
        (accounted > total.saturating_add(tolerance))
            .then_some(Contradiction::Overdrawn { accounted, total })
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overdrawn { accounted, total } => {
                write!(f, "{accounted} accounted for, but MemTotal is {total}")
            }
            Self::Faked { managed, total } => write!(
                f,
                "the zones of /proc/zoneinfo manage {managed}, but MemTotal is {total}, as in a container"
            ),
        }
    }
}

/// What the seed's formula leaves of `MemTotal`.
///
/// To the letter: kernels before 4.20 have no `KReclaimable`, and there the formula misses the slab that
/// can be reclaimed. What it then takes for a leak, the exact accounting explains.
///
/// # Errors
///
/// If `MemTotal` or `MemFree` is missing. Any other field that is missing belongs to a feature that
/// this kernel does not have.
pub(crate) fn seed(figures: &Figures) -> Result<Balance, ScanError> {
    let meminfo = &figures.meminfo;
    let accounted = sum([
        or_nothing(meminfo.anon_pages),
        or_nothing(meminfo.buffers),
        or_nothing(meminfo.cached),
        or_nothing(meminfo.cma_total),
        or_nothing(meminfo.k_reclaimable),
        or_nothing(meminfo.kernel_stack),
        or_nothing(meminfo.page_tables),
        or_nothing(meminfo.swap_cached),
        or_nothing(meminfo.s_unreclaim),
        or_nothing(meminfo.sec_page_tables),
        or_nothing(meminfo.unevictable),
        mem_free(meminfo)?,
        figures.hugepages,
    ]);
    Ok(mem_total(meminfo)?.balance().minus(accounted))
}

/// The exact accounting.
///
/// # Errors
///
/// If a file or a field is missing that every kernel has: counting it as nothing would make the
/// result wrong by as much as it holds.
pub(crate) fn exact(figures: &Figures) -> Result<Exact, ScanError> {
    let meminfo = &figures.meminfo;
    let vmstat = figures.vmstat.clone()?;
    let zones = figures.zones.clone()?;
    let page_size = figures.page_size;

    let cached = need(meminfo.cached, "/proc/meminfo has no Cached")?;
    let buffers = need(meminfo.buffers, "/proc/meminfo has no Buffers")?;
    let anon = need(meminfo.anon_pages, "/proc/meminfo has no AnonPages")?;
    let owned = sum([anon, cached, buffers]);
    let listed = lru(meminfo)?.saturating_add(vmstat.isolated.bytes(page_size));
    // Only what is in the swap cache and mapped by nobody is on the lists and not in `AnonPages`.
    let swap_cache = listed
        .saturating_sub(owned)
        .min(or_nothing(meminfo.swap_cached));

    let per_cpu = zones.per_cpu.bytes(page_size);
    let parts = Parts {
        free: mem_free(meminfo)?.saturating_add(per_cpu),
        page_cache: cached.saturating_add(buffers),
        programs: anon.saturating_add(swap_cache),
        huge_pages: meminfo.hugetlb.unwrap_or(figures.hugepages),
        slab: slab(meminfo)?,
        other: sum([
            kernel(meminfo)?,
            vmstat.zspages.bytes(page_size),
            vmstat.memmap.bytes(page_size),
            balloon(meminfo, zones, page_size),
        ]),
    };
    Ok(Exact {
        parts,
        unaccounted: mem_total(meminfo)?.balance().minus(parts.sum()),
        orphans: listed.balance().minus(owned.saturating_add(swap_cache)),
        per_cpu,
        managed: zones.managed.bytes(page_size),
    })
}

/// `MemTotal`; a machine without memory makes no sense.
pub(crate) fn mem_total(meminfo: &Meminfo) -> Result<Bytes, ScanError> {
    let total = meminfo.mem_total.filter(|total| total.get() > 0);
    need(total, "/proc/meminfo has no MemTotal, or it is 0")
}

fn mem_free(meminfo: &Meminfo) -> Result<Bytes, ScanError> {
    need(meminfo.mem_free, "/proc/meminfo has no MemFree")
}

/// The pages on LRU lists.
fn lru(meminfo: &Meminfo) -> Result<Bytes, ScanError> {
    Ok(sum([
        need(meminfo.active_anon, "/proc/meminfo has no Active(anon)")?,
        need(meminfo.inactive_anon, "/proc/meminfo has no Inactive(anon)")?,
        need(meminfo.active_file, "/proc/meminfo has no Active(file)")?,
        need(meminfo.inactive_file, "/proc/meminfo has no Inactive(file)")?,
        need(meminfo.unevictable, "/proc/meminfo has no Unevictable")?,
    ]))
}

fn slab(meminfo: &Meminfo) -> Result<Bytes, ScanError> {
    let reclaimable = meminfo.k_reclaimable.or(meminfo.s_reclaimable);
    Ok(sum([
        need(reclaimable, "/proc/meminfo has no SReclaimable")?,
        need(meminfo.s_unreclaim, "/proc/meminfo has no SUnreclaim")?,
    ]))
}

/// What the kernel takes besides slab.
fn kernel(meminfo: &Meminfo) -> Result<Bytes, ScanError> {
    let stacks = need(meminfo.kernel_stack, "/proc/meminfo has no KernelStack")?;
    Ok(sum([
        stacks_and_vmalloc(stacks, or_nothing(meminfo.vmalloc_used)),
        need(meminfo.page_tables, "/proc/meminfo has no PageTables")?,
        or_nothing(meminfo.sec_page_tables),
        or_nothing(meminfo.quicklists),
        or_nothing(meminfo.bounce),
        or_nothing(meminfo.writeback_tmp),
        or_nothing(meminfo.percpu),
        or_nothing(meminfo.hardware_corrupted),
        or_nothing(meminfo.gpu_active),
        or_nothing(meminfo.gpu_reclaim),
    ]))
}

/// Kernel stacks are part of vmalloc memory where they are virtually mapped, as on all common
/// kernels. No file says so; but where vmalloc memory is smaller than the stacks, they are not in it.
/// (0 means that the kernel does not count vmalloc memory. The sum is right then, too.)
fn stacks_and_vmalloc(stacks: Bytes, vmalloc: Bytes) -> Bytes {
    if vmalloc < stacks {
        vmalloc.saturating_add(stacks)
    } else {
        vmalloc
    }
}

/// The balloon, if it is sure to be part of `MemTotal`.
///
/// Most drivers take their pages out of `MemTotal` and out of the zones' `managed`, but never out of
/// `present`. So a balloon larger than `present` minus `managed` was not taken out. A smaller one may
/// have been, and is left alone: subtracted twice it would hide a leak of its size, while left in it
/// adds at most the few percent that a kernel reserves at boot.
fn balloon(meminfo: &Meminfo, zones: Zones, page_size: PageSize) -> Bytes {
    let present = zones.present.bytes(page_size);
    let taken_out = present.saturating_sub(zones.managed.bytes(page_size));
    let balloon = or_nothing(meminfo.balloon);
    if balloon > taken_out {
        balloon
    } else {
        Bytes::default()
    }
}

/// A field of a feature that a kernel may not have: without the feature there is no such memory.
fn or_nothing(field: Option<Bytes>) -> Bytes {
    field.unwrap_or_default()
}

fn need(field: Option<Bytes>, otherwise: &'static str) -> Result<Bytes, ScanError> {
    field.ok_or_else(|| ScanError::new(otherwise))
}

fn sum<const N: usize>(parts: [Bytes; N]) -> Bytes {
    parts
        .into_iter()
        .fold(Bytes::default(), Bytes::saturating_add)
}

#[cfg(test)]
mod tests;
