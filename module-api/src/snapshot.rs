//! The machine at one moment, as a module sees it.
#![expect(
    unsafe_code,
    reason = "reads the arrays that the core lends for the call"
)]

use core::marker::PhantomData;
use core::time::Duration;

use crate::abi;
use crate::counters::{Meminfo, Vmstat, elements};
use crate::error::Unavailable;
use crate::units::{Bytes, PageSize, Pages, Uptime};

/// The machine at one moment: the kernel files that the module named in its `needs`, read together.
///
/// What the kernel does not have is absent, never zero. A file, a tunable, or what comes from a file is a `Result` whose
/// error says why it is not there; `?` makes it the [`ScanError`](crate::ScanError) of the scan. A single number in it
/// is an `Option`.
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

    /// `/proc/meminfo`.
    ///
    /// # Errors
    ///
    /// If the module does not name [`Need::MEMINFO`](crate::Need::MEMINFO), or the file could not be read.
    pub fn meminfo(&self) -> Result<Meminfo<'a>, Unavailable> {
        Meminfo::new(self.raw.meminfo).ok_or_else(|| self.files().why(abi::NEED_MEMINFO))
    }

    /// `/proc/vmstat`.
    ///
    /// # Errors
    ///
    /// If the module does not name [`Need::VMSTAT`](crate::Need::VMSTAT), or the file could not be read.
    pub fn vmstat(&self) -> Result<Vmstat<'a>, Unavailable> {
        Vmstat::new(self.raw.vmstat).ok_or_else(|| self.files().why(abi::NEED_VMSTAT))
    }

    /// The zones of all nodes, in the kernel's order.
    ///
    /// # Errors
    ///
    /// If the module does not name [`Need::ZONEINFO`](crate::Need::ZONEINFO), or the file could not be read.
    pub fn zones(&self) -> Result<impl Iterator<Item = Zone<'a>> + use<'a>, Unavailable> {
        let files = self.files();
        if self.raw.zones.is_absent() {
            return Err(files.why(abi::NEED_ZONEINFO));
        }
        Ok(elements(self.raw.zones).map(move |raw| Zone::new(raw, files)))
    }

    /// The nodes, by number.
    ///
    /// # Errors
    ///
    /// If the module names neither [`Need::NODE_MEMINFO`](crate::Need::NODE_MEMINFO) nor
    /// [`Need::ZONEINFO`](crate::Need::ZONEINFO), or nothing of a node could be read.
    pub fn nodes(&self) -> Result<impl Iterator<Item = Node<'a>> + use<'a>, Unavailable> {
        let files = self.files();
        if self.raw.nodes.is_absent() {
            return Err(match files.errno(abi::NEED_NODE_MEMINFO) {
                Some(_) => files.why(abi::NEED_NODE_MEMINFO),
                None => files.why(abi::NEED_ZONEINFO),
            });
        }
        Ok(elements(self.raw.nodes).map(move |raw| Node {
            id: raw.id,
            raw,
            files,
        }))
    }

    /// The pools of huge pages, by size.
    ///
    /// # Errors
    ///
    /// If the module does not name [`Need::HUGEPAGES`](crate::Need::HUGEPAGES), the kernel has no huge pages, or a pool
    /// could not be read.
    pub fn hugepages(&self) -> Result<impl Iterator<Item = Hugepages> + use<'a>, Unavailable> {
        if self.raw.hugepages.is_absent() {
            return Err(self.files().why(abi::NEED_HUGEPAGES));
        }
        let pools = elements(self.raw.hugepages);
        Ok(pools.map(|pool| Hugepages {
            size: Bytes::new(pool.size),
            count: pool.count,
        }))
    }

    /// A tunable, named as by sysctl.
    ///
    /// # Errors
    ///
    /// If the module does not name it in its `writes`, this kernel lacks it, or its value could not be read.
    pub fn tunable(&self, name: &'static str) -> Result<Tunable, Unavailable> {
        let raw = elements(self.raw.tunables)
            // SAFETY: `new` requires that the core's strings live for `'a`.
            .find(|tunable| unsafe { tunable.name.bytes() } == name.as_bytes())
            .ok_or(Unavailable::NotDeclared(name))?;
        if raw.errno != 0 {
            return Err(Unavailable::from_errno(name, raw.errno));
        }
        Ok(Tunable {
            value: raw.value,
            original: raw.original,
            is_yielded: raw.flags & abi::TUNABLE_YIELDED != 0,
        })
    }

    /// What a file held, as the kernel printed it; need not be UTF-8.
    ///
    /// # Errors
    ///
    /// If the module does not name it in its `needs`, or it could not be read.
    pub fn file(&self, path: &'static str) -> Result<&'a [u8], Unavailable> {
        let raw = self
            .files()
            .find(path)
            .ok_or(Unavailable::NotDeclared(path))?;
        if raw.errno != 0 {
            return Err(Unavailable::from_errno(path, raw.errno));
        }
        // SAFETY: `new` requires that the core's strings live for `'a`.
        Ok(unsafe { raw.content.bytes() })
    }

    const fn files(&self) -> Files<'a> {
        Files {
            seq: self.raw.files,
            lent: PhantomData,
        }
    }
}

/// What became of the files that the module needs.
#[derive(Debug, Clone, Copy)]
struct Files<'a> {
    seq: abi::Seq<abi::File>,
    lent: PhantomData<&'a ()>,
}

impl Files<'_> {
    fn find(self, path: &str) -> Option<abi::File> {
        elements(self.seq)
            // SAFETY: `Snapshot::new` requires that the core's strings live for `'a`.
            .find(|file| unsafe { file.path.bytes() } == path.as_bytes())
    }

    /// `None` if the module does not need the file, 0 if it was read.
    fn errno(self, path: &str) -> Option<i32> {
        self.find(path).map(|file| file.errno)
    }

    /// Why there is nothing of this file.
    fn why(self, path: &'static str) -> Unavailable {
        self.why_no(path, path)
    }

    /// Why there is no such part of this file.
    fn why_no(self, part: &'static str, path: &'static str) -> Unavailable {
        match self.errno(path) {
            None => Unavailable::NotDeclared(path),
            Some(0) => Unavailable::Absent(part),
            Some(errno) => Unavailable::from_errno(path, errno),
        }
    }
}

/// One zone of one node. A number that the kernel does not print for it is `None`.
#[derive(Debug, Clone)]
#[non_exhaustive]
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
    pub per_cpu: Option<Pages>,
    raw: abi::Zone,
    files: Files<'a>,
}

impl<'a> Zone<'a> {
    fn new(raw: abi::Zone, files: Files<'a>) -> Self {
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
            per_cpu: pages(abi::ZONE_NO_PER_CPU, raw.per_cpu),
            raw,
            files,
        }
    }

    /// The zone's further numbers, such as `nr_free_cma`; none if the kernel prints none.
    #[must_use]
    pub fn counters(&self) -> Vmstat<'a> {
        Vmstat::new(self.raw.counters).unwrap_or_else(Vmstat::empty)
    }

    /// Free blocks of order 0, 1, 2, ...; as many orders as the kernel has.
    ///
    /// # Errors
    ///
    /// If the module does not name [`Need::BUDDYINFO`](crate::Need::BUDDYINFO), the file could not be read, or has no
    /// line for this zone, as it is not populated.
    pub fn free_blocks(&self) -> Result<impl Iterator<Item = u64> + use<'a>, Unavailable> {
        if self.raw.free_blocks.is_absent() {
            let part = "line for this zone in /proc/buddyinfo";
            return Err(self.files.why_no(part, abi::NEED_BUDDYINFO));
        }
        Ok(elements(self.raw.free_blocks))
    }
}

/// One NUMA node.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Node<'a> {
    /// Its number; numbers may have gaps.
    pub id: u32,
    raw: abi::Node,
    files: Files<'a>,
}

impl<'a> Node<'a> {
    /// The node's meminfo, with the names of `/proc/meminfo`.
    ///
    /// # Errors
    ///
    /// If the module does not name [`Need::NODE_MEMINFO`](crate::Need::NODE_MEMINFO), or the file of this node could not
    /// be read.
    pub fn meminfo(&self) -> Result<Meminfo<'a>, Unavailable> {
        Meminfo::new(self.raw.meminfo).ok_or_else(|| {
            let file = "meminfo of this node";
            match self.raw.meminfo_errno {
                0 => self.files.why_no(file, abi::NEED_NODE_MEMINFO),
                errno => Unavailable::from_errno(file, errno),
            }
        })
    }

    /// The node's numbers from `/proc/zoneinfo`.
    ///
    /// # Errors
    ///
    /// If the module does not name [`Need::ZONEINFO`](crate::Need::ZONEINFO), the file could not be read, or has nothing
    /// on this node: its kernel is older than 4.8, or it has no memory.
    pub fn stats(&self) -> Result<Vmstat<'a>, Unavailable> {
        Vmstat::new(self.raw.stats).ok_or_else(|| {
            let part = "line for this node in /proc/zoneinfo";
            self.files.why_no(part, abi::NEED_ZONEINFO)
        })
    }
}

/// The pool of huge pages of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hugepages {
    /// Of one page.
    pub size: Bytes,
    /// Pages in the pool, used or not.
    pub count: u64,
}

impl Hugepages {
    /// So many pages of this size.
    #[must_use]
    pub const fn new(size: Bytes, count: u64) -> Self {
        Self { size, count }
    }

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
#[non_exhaustive]
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

    /// One whose value was another one before the daemon changed it.
    #[must_use]
    pub const fn with_original(self, original: i64) -> Self {
        Self { original, ..self }
    }

    /// One that somebody else set, or that is set again by the daemon.
    #[must_use]
    pub const fn with_yielded(self, is_yielded: bool) -> Self {
        Self { is_yielded, ..self }
    }
}
