//! The machine at one moment, as a module sees it.
#![expect(
    unsafe_code,
    reason = "reads the arrays that the core lends for the call"
)]

use core::marker::PhantomData;
use core::time::Duration;

use crate::abi;
use crate::counters::{Meminfo, Vmstat, elements};
use crate::error::ScanError;
use crate::units::{Bytes, PageSize, Pages, Uptime};

/// The machine at one moment: the kernel files that the module named in its `needs`, read together.
///
/// What the kernel does not have is absent, never zero.
#[derive(Debug)]
pub struct Snapshot<'a> {
    raw: abi::Snapshot,
    lent: PhantomData<&'a ()>,
}

impl<'a> Snapshot<'a> {
    /// # Safety
    ///
    /// What `raw` points to lives for `'a` and is well formed.
    pub(crate) const unsafe fn new(raw: abi::Snapshot) -> Self {
        Self {
            raw,
            lent: PhantomData,
        }
    }

    /// The number of the scan, from 1.
    #[must_use]
    pub const fn scan(&self) -> u64 {
        self.raw.scan
    }

    /// When it was taken.
    #[must_use]
    pub const fn uptime(&self) -> Uptime {
        Uptime(Duration::from_nanos(self.raw.uptime_ns))
    }

    /// The time that should lie between two scans.
    #[must_use]
    pub const fn period(&self) -> Duration {
        Duration::from_nanos(self.raw.period_ns)
    }

    /// The size of a base page on this machine.
    #[must_use]
    pub fn page_size(&self) -> PageSize {
        PageSize::new(self.raw.page_size).unwrap_or(PageSize::FOUR_KIB)
    }

    /// False if memory moved so fast that the files, which are read one after another, may not fit together to
    /// within some megabytes.
    #[must_use]
    pub const fn is_steady(&self) -> bool {
        self.raw.flags & abi::SNAPSHOT_UNSTEADY == 0
    }

    /// `/proc/meminfo`, in bytes.
    ///
    /// # Errors
    ///
    /// If it could not be read.
    pub fn meminfo(&self) -> Result<Meminfo<'a>, ScanError> {
        Meminfo::new(self.raw.meminfo).ok_or(ScanError::missing("/proc/meminfo"))
    }

    /// `/proc/vmstat`; each counter in its own unit, mostly pages.
    ///
    /// # Errors
    ///
    /// If it could not be read.
    pub fn vmstat(&self) -> Result<Vmstat<'a>, ScanError> {
        Vmstat::new(self.raw.vmstat).ok_or(ScanError::missing("/proc/vmstat"))
    }

    /// The zones of all nodes, in the kernel's order.
    ///
    /// # Errors
    ///
    /// If `/proc/zoneinfo` could not be read.
    pub fn zones(&self) -> Result<impl Iterator<Item = Zone<'a>> + use<'a>, ScanError> {
        if self.raw.zones.is_absent() {
            return Err(ScanError::missing("/proc/zoneinfo"));
        }
        Ok(elements(self.raw.zones).map(Zone::new))
    }

    /// The nodes, by number. Empty if neither `/proc/zoneinfo` nor the nodes' meminfo was asked for.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        elements(self.raw.nodes).map(Node::new)
    }

    /// The pools of huge pages, by size. Empty on a kernel without them.
    ///
    /// # Errors
    ///
    /// If `/sys/kernel/mm/hugepages` is there but could not be read.
    pub fn hugepages(&self) -> Result<impl Iterator<Item = Hugepages> + use<'a>, ScanError> {
        if self.raw.hugepages.is_absent() {
            return Err(ScanError::missing("/sys/kernel/mm/hugepages"));
        }
        let pools = elements(self.raw.hugepages);
        Ok(pools.map(|pool| Hugepages {
            size: Bytes::new(pool.size),
            count: pool.count,
        }))
    }

    /// A tunable that the module named in its `writes`. `None` if this kernel lacks it.
    #[must_use]
    pub fn tunable(&self, name: &str) -> Option<Tunable> {
        elements(self.raw.tunables)
            // SAFETY: `new` requires that the core's strings live for `'a`.
            .find(|tunable| unsafe { tunable.name.bytes() } == name.as_bytes())
            .map(|raw| Tunable {
                value: raw.value,
                original: raw.original,
                is_yielded: raw.flags & abi::TUNABLE_YIELDED != 0,
            })
    }

    /// A file that the module named in its `needs`, as the kernel printed it. `None` if it did not.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<File<'a>> {
        elements(self.raw.files)
            // SAFETY: `new` requires that the core's strings live for `'a`.
            .find(|file| unsafe { file.path.bytes() } == path.as_bytes())
            .map(|raw| File {
                raw,
                lent: PhantomData,
            })
    }
}

/// One zone of one node. A number that the kernel does not print for it is `None`.
#[derive(Debug, Clone)]
pub struct Zone<'a> {
    /// `DMA`, `DMA32`, `Normal`, `Movable`, ...
    pub name: &'a str,
    /// The number of its node.
    pub node: u32,
    /// Free, per-CPU lists not included.
    pub free: Option<Pages>,
    /// Added to the watermarks for a while after fragmentation.
    pub boost: Option<Pages>,
    /// The min watermark: below it only urgent allocations succeed.
    pub min: Option<Pages>,
    /// The low watermark: kswapd starts.
    pub low: Option<Pages>,
    /// The high watermark: kswapd stops.
    pub high: Option<Pages>,
    /// Between its first page and its last.
    pub spanned: Option<Pages>,
    /// That exist.
    pub present: Option<Pages>,
    /// That the buddy allocator manages; 0 in a zone that is not populated.
    pub managed: Option<Pages>,
    /// Reserved for the contiguous memory allocator.
    pub cma: Option<Pages>,
    /// Free, on the lists of the CPUs.
    pub per_cpu: Pages,
    raw: abi::Zone,
}

impl<'a> Zone<'a> {
    fn new(raw: abi::Zone) -> Self {
        let pages = |absent, pages| (raw.missing & absent == 0).then(|| Pages::new(pages));
        Self {
            // SAFETY: `Snapshot::new` requires that the core's strings live for `'a`.
            name: unsafe { raw.name.text() }.unwrap_or_default(),
            node: raw.node,
            free: pages(abi::ZONE_NO_FREE, raw.free),
            boost: pages(abi::ZONE_NO_BOOST, raw.boost),
            min: pages(abi::ZONE_NO_MIN, raw.min),
            low: pages(abi::ZONE_NO_LOW, raw.low),
            high: pages(abi::ZONE_NO_HIGH, raw.high),
            spanned: pages(abi::ZONE_NO_SPANNED, raw.spanned),
            present: pages(abi::ZONE_NO_PRESENT, raw.present),
            managed: pages(abi::ZONE_NO_MANAGED, raw.managed),
            cma: pages(abi::ZONE_NO_CMA, raw.cma),
            per_cpu: Pages::new(raw.per_cpu),
            raw,
        }
    }

    /// The zone's further counters, such as `nr_free_cma`.
    #[must_use]
    pub fn counters(&self) -> Option<Vmstat<'a>> {
        Vmstat::new(self.raw.counters)
    }

    /// Free blocks of order 0, 1, 2, ...; as many orders as the kernel has. Empty without
    /// `/proc/buddyinfo`.
    pub fn free_blocks(&self) -> impl Iterator<Item = u64> + use<'a> {
        elements(self.raw.free_blocks)
    }
}

/// One NUMA node.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Its number; numbers may have gaps.
    pub id: u32,
    raw: abi::Node,
    lent: PhantomData<&'a ()>,
}

impl<'a> Node<'a> {
    const fn new(raw: abi::Node) -> Self {
        Self {
            id: raw.id,
            raw,
            lent: PhantomData,
        }
    }

    /// The node's meminfo, in bytes, with the names of `/proc/meminfo`. `None` if not asked for or not there.
    #[must_use]
    pub fn meminfo(&self) -> Option<Meminfo<'a>> {
        Meminfo::new(self.raw.meminfo)
    }

    /// The node's counters from `/proc/zoneinfo`. `None` if not asked for, or on kernels before 4.8.
    #[must_use]
    pub fn stats(&self) -> Option<Vmstat<'a>> {
        Vmstat::new(self.raw.stats)
    }
}

/// The pool of huge pages of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hugepages {
    /// Of one page.
    pub size: Bytes,
    /// Pages in the pool, used or not.
    pub count: u64,
}

impl Hugepages {
    /// All memory in the pool.
    #[must_use]
    pub const fn bytes(self) -> Bytes {
        Bytes::new(self.size.get().saturating_mul(self.count))
    }
}

/// A number of the kernel that a module may ask to change, and whose it is.
///
/// What an instance would have to remember is here, as a reload makes a new one that remembers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tunable {
    /// As it is now, in its own unit.
    pub value: i64,
    /// As it was before the daemon first changed it, which is what it gets back at the end. The same as
    /// `value` as long as the daemon has changed nothing, or where the value is somebody else's.
    pub original: i64,
    /// Somebody else set it while the daemon ran. Requests for it are not carried out until the
    /// administrator says `adaptivemmd resume`.
    pub is_yielded: bool,
}

impl Tunable {
    /// One that nobody has changed.
    #[must_use]
    pub const fn new(value: i64) -> Self {
        Self {
            value,
            original: value,
            is_yielded: false,
        }
    }
}

/// A kernel file as text.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    raw: abi::File,
    lent: PhantomData<&'a ()>,
}

impl<'a> File<'a> {
    /// What it held; need not be UTF-8.
    ///
    /// # Errors
    ///
    /// The `errno` of the attempt to read it.
    pub fn content(self) -> Result<&'a [u8], i32> {
        if self.raw.errno != 0 {
            return Err(self.raw.errno);
        }
        // SAFETY: `Snapshot::new` requires that the core's strings live for `'a`.
        Ok(unsafe { self.raw.content.bytes() })
    }
}
