//! A machine at one moment, as a test describes it.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::snapshot::{Hugepages, Tunable};
use crate::units::{Bytes, PageSize, Pages};

/// What the kernel's files say at one moment. What is not given is absent; a module sees of the rest what it
/// named in its `needs` and `writes`, as it would in the daemon.
///
/// ```
/// use core::time::Duration;
/// use adaptivemm_module_api::testing::Machine;
///
/// let calm = Machine::new().file("/proc/loadavg", "0.00 0.00 0.00 1/80 1234\n");
/// let later = calm.clone().uptime(Duration::from_secs(30));
/// ```
#[derive(Debug, Clone)]
pub struct Machine {
    pub(super) uptime: Duration,
    pub(super) period: Duration,
    pub(super) page_size: PageSize,
    pub(super) is_steady: bool,
    pub(super) meminfo: Option<Counters>,
    pub(super) vmstat: Option<Counters>,
    pub(super) zones: Option<Vec<Zone>>,
    pub(super) nodes: BTreeMap<u32, Node>,
    pub(super) hugepages: Vec<Hugepages>,
    pub(super) tunables: Vec<(String, Tunable)>,
    pub(super) files: BTreeMap<String, Result<Vec<u8>, i32>>,
}

/// Names and values, in the order in which the kernel prints them.
pub(super) type Counters = Vec<(String, u64)>;

/// A node's own files.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub(super) meminfo: Option<Counters>,
    pub(super) stats: Option<Counters>,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// A machine that was just booted, with pages of 4 KiB, scanned every 30 s, of which nothing else is known.
    #[must_use]
    pub fn new() -> Self {
        Self {
            uptime: Duration::ZERO,
            period: Duration::from_secs(30),
            page_size: PageSize::FOUR_KIB,
            is_steady: true,
            meminfo: None,
            vmstat: None,
            zones: None,
            nodes: BTreeMap::new(),
            hugepages: Vec::new(),
            tunables: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    /// So long after boot.
    #[must_use]
    pub fn uptime(self, uptime: Duration) -> Self {
        Self { uptime, ..self }
    }

    /// So long should lie between two scans.
    #[must_use]
    pub fn period(self, period: Duration) -> Self {
        Self { period, ..self }
    }

    /// With base pages of this size.
    #[must_use]
    pub fn page_size(self, page_size: PageSize) -> Self {
        Self { page_size, ..self }
    }

    /// Memory moved while the files were read.
    #[must_use]
    pub fn unsteady(self) -> Self {
        Self {
            is_steady: false,
            ..self
        }
    }

    /// `/proc/meminfo`: its fields in the kernel's order, in bytes. What a module reads as text is made of
    /// them, unless it is given with [`file`](Self::file).
    #[must_use]
    pub fn meminfo(self, counters: &[(&str, u64)]) -> Self {
        Self {
            meminfo: Some(owned(counters)),
            ..self
        }
    }

    /// `/proc/vmstat`: its fields in the kernel's order, each in its own unit. The text is made of them, too.
    #[must_use]
    pub fn vmstat(self, counters: &[(&str, u64)]) -> Self {
        Self {
            vmstat: Some(owned(counters)),
            ..self
        }
    }

    /// One more zone of `/proc/zoneinfo`, in the kernel's order.
    #[must_use]
    pub fn zone(mut self, zone: Zone) -> Self {
        self.zones.get_or_insert_default().push(zone);
        self
    }

    /// The meminfo of one node, in bytes, with the names of `/proc/meminfo`.
    #[must_use]
    pub fn node_meminfo(mut self, node: u32, counters: &[(&str, u64)]) -> Self {
        self.nodes.entry(node).or_default().meminfo = Some(owned(counters));
        self
    }

    /// The `per-node stats` of one node, from `/proc/zoneinfo`.
    #[must_use]
    pub fn node_stats(mut self, node: u32, counters: &[(&str, u64)]) -> Self {
        self.zones.get_or_insert_default();
        self.nodes.entry(node).or_default().stats = Some(owned(counters));
        self
    }

    /// One more pool of huge pages: the size of one, and how many there are.
    #[must_use]
    pub fn hugepages(mut self, size: Bytes, count: u64) -> Self {
        self.hugepages.push(Hugepages::new(size, count));
        self.hugepages.sort_by_key(|pool| pool.size);
        self
    }

    /// The value of a tunable that nobody has changed, named as by sysctl.
    #[must_use]
    pub fn tunable(self, name: &str, value: i64) -> Self {
        self.tunable_of(name, Tunable::new(value))
    }

    /// A tunable that the daemon or somebody else has changed.
    ///
    /// ```
    /// use adaptivemm_module_api::Tunable;
    /// use adaptivemm_module_api::testing::Machine;
    ///
    /// let raised = Tunable::new(300).with_original(10);
    /// let machine = Machine::new().tunable_of("vm.watermark_scale_factor", raised);
    /// ```
    #[must_use]
    pub fn tunable_of(mut self, name: &str, tunable: Tunable) -> Self {
        self.tunables.push((name.to_owned(), tunable));
        self
    }

    /// What a file holds, by its path on a live machine.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), Ok(content.into()));
        self
    }

    /// A file or a tunable that is there and cannot be read, with the `errno` of the attempt: 5 for `EIO`, 13 for
    /// `EACCES`, 95 for `EOPNOTSUPP`. What is not given at all is `ENOENT`.
    #[must_use]
    pub fn unreadable(mut self, path: &str, errno: i32) -> Self {
        self.files.insert(path.to_owned(), Err(errno));
        self
    }

    pub(super) fn has_free_blocks(&self) -> bool {
        let mut zones = self.zones.iter().flatten();
        zones.any(|zone| zone.free_blocks.is_some())
    }

    pub(super) fn has_node_meminfo(&self) -> bool {
        self.nodes.values().any(|node| node.meminfo.is_some())
    }
}

fn owned(counters: &[(&str, u64)]) -> Counters {
    let owned = |&(key, value): &(&str, u64)| (key.to_owned(), value);
    counters.iter().map(owned).collect()
}

/// One zone of one node. A number that is `None` is one that its kernel does not print.
///
/// ```
/// use adaptivemm_module_api::testing::Zone;
/// use adaptivemm_module_api::units::Pages;
///
/// let normal = Zone {
///     free: Some(Pages::new(5_000)),
///     high: Some(Pages::new(1_000)),
///     cma: None,
///     ..Zone::new(0, "Normal")
/// };
/// ```
#[derive(Debug, Clone)]
pub struct Zone {
    /// The number of its node.
    pub node: u32,
    /// `DMA`, `DMA32`, `Normal`, `Movable`, ...
    pub name: String,
    /// Free, per-CPU lists not included.
    pub free: Option<Pages>,
    /// Added to the watermarks for a while after fragmentation.
    pub boost: Option<Pages>,
    /// The min watermark.
    pub min: Option<Pages>,
    /// The low watermark.
    pub low: Option<Pages>,
    /// The high watermark.
    pub high: Option<Pages>,
    /// Between its first page and its last.
    pub spanned: Option<Pages>,
    /// That exist.
    pub present: Option<Pages>,
    /// That the buddy allocator manages.
    pub managed: Option<Pages>,
    /// Reserved for the contiguous memory allocator.
    pub cma: Option<Pages>,
    /// Free, on the lists of the CPUs.
    pub per_cpu: Option<Pages>,
    /// Further counters, such as `nr_free_cma`.
    pub counters: Vec<(String, u64)>,
    /// Free blocks of order 0, 1, 2, ..., from `/proc/buddyinfo`. `None` if that file has no row for it.
    pub free_blocks: Option<Vec<u64>>,
}

impl Zone {
    /// A zone without a page: all numbers are there, and 0.
    #[must_use]
    pub fn new(node: u32, name: &str) -> Self {
        let zero = Some(Pages::default());
        Self {
            node,
            name: name.to_owned(),
            free: zero,
            boost: zero,
            min: zero,
            low: zero,
            high: zero,
            spanned: zero,
            present: zero,
            managed: zero,
            cma: zero,
            per_cpu: zero,
            counters: Vec::new(),
            free_blocks: None,
        }
    }
}
