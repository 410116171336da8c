//! The amounts of memory in which a leak shows, and what their growth means.

use adaptivemm_module_api::units::{Balance, Bytes};

use crate::accounting::{Exact, Meminfo};

/// An amount of memory that only a leak makes grow for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Series {
    /// What the exact accounting lacks.
    Unaccounted,
    /// The part of it that is on LRU lists.
    Orphans,
    Slab,
    /// Without the kernel stacks, where they are part of it.
    Vmalloc,
    PerCpu,
    PageTables,
    Stacks,
}

impl Series {
    /// Whether the kernel counts it, under a name of its own.
    pub(crate) const fn is_accounted(self) -> bool {
        !matches!(self, Self::Unaccounted | Self::Orphans)
    }

    pub(crate) const COUNT: usize = 7;

    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Unaccounted,
        Self::Orphans,
        Self::Slab,
        Self::Vmalloc,
        Self::PerCpu,
        Self::PageTables,
        Self::Stacks,
    ];

    /// What it is, as an administrator says it, with the name that `/proc/meminfo` has for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unaccounted => "unaccounted memory",
            Self::Orphans => "memory on LRU lists that nothing owns",
            Self::Slab => "kernel slab memory (SUnreclaim)",
            Self::Vmalloc => "kernel vmalloc memory (VmallocUsed)",
            Self::PerCpu => "per-CPU memory (Percpu)",
            Self::PageTables => "memory for page tables (PageTables)",
            Self::Stacks => "memory for kernel stacks (KernelStack)",
        }
    }

    /// Where to look next.
    pub(crate) const fn hint(self) -> &'static str {
        match self {
            Self::Unaccounted => {
                "Unaccounted memory is held by drivers, the network or pipes; XFS metadata buffers are part of it, \
                 and reclaim takes those"
            }
            Self::Orphans => {
                "Such pages were removed from a file that is gone, and something still holds a reference to them"
            }
            Self::Slab => "Which slab cache grows: slabtop -o -s c, or /proc/slabinfo",
            Self::Vmalloc => "Who allocates vmalloc memory: /proc/vmallocinfo",
            Self::PerCpu => {
                "Per-CPU memory is mostly that of control groups, BPF maps and network devices"
            }
            Self::PageTables => "Page tables are those of processes: VmPTE in /proc/PID/status",
            Self::Stacks => "Each thread has a kernel stack: ps -eL, or nr_threads",
        }
    }

    /// The name of a number, in bytes.
    pub(crate) const fn growth_number(self) -> &'static str {
        match self {
            Self::Unaccounted => "unaccounted_growth_bytes",
            Self::Orphans => "orphans_growth_bytes",
            Self::Slab => "slab_growth_bytes",
            Self::Vmalloc => "vmalloc_growth_bytes",
            Self::PerCpu => "per_cpu_growth_bytes",
            Self::PageTables => "page_tables_growth_bytes",
            Self::Stacks => "stacks_growth_bytes",
        }
    }
}

/// The amount of every series, where it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Levels(pub(crate) [Option<Balance>; Series::COUNT]);

impl Levels {
    /// What the files of one moment say.
    pub(crate) fn of(meminfo: &Meminfo, exact: Option<&Exact>) -> Self {
        let balance = |field: Option<Bytes>| field.map(Bytes::balance);
        let page_tables = meminfo
            .page_tables
            .map(|tables| tables.saturating_add(meminfo.sec_page_tables.unwrap_or_default()));
        Self([
            exact.map(|exact| exact.unaccounted),
            exact.map(|exact| exact.orphans),
            balance(meminfo.s_unreclaim),
            balance(vmalloc(meminfo)),
            balance(meminfo.percpu),
            balance(page_tables),
            balance(meminfo.kernel_stack),
        ])
    }

    pub(crate) const fn get(&self, series: Series) -> Option<Balance> {
        self.0[series as usize]
    }

    pub(crate) const fn set(&mut self, series: Series, level: Option<Balance>) {
        self.0[series as usize] = level;
    }

    /// By how much a series is higher than it was; negative if it fell, zero if nobody knows.
    pub(crate) fn rise(&self, before: &Self, series: Series) -> Balance {
        match (before.get(series), self.get(series)) {
            (Some(before), Some(now)) => now.since(before),
            (None, _) | (_, None) => Balance::default(),
        }
    }

    /// By how much all of `members` that rose did so together. Orphans are part of what is unaccounted,
    /// and count by themselves only without it.
    pub(crate) fn growth(&self, before: &Self, members: Members) -> Balance {
        let counts = |&series: &Series| {
            let is_part = series == Series::Orphans && members.has(Series::Unaccounted);
            members.has(series) && !is_part
        };
        let risen = |series: Series| self.rise(before, series).get().max(0);
        let sum = Series::ALL.into_iter().filter(counts).map(risen);
        Balance::new(sum.fold(0, i64::saturating_add))
    }
}

/// Vmalloc memory other than stacks. A kernel that says 0 does not count it.
fn vmalloc(meminfo: &Meminfo) -> Option<Bytes> {
    let used = meminfo.vmalloc_used.filter(|used| used.get() > 0)?;
    let stacks = meminfo.kernel_stack.unwrap_or_default();
    // Less than the stacks: they are not part of it.
    let others = if used < stacks {
        used
    } else {
        used.saturating_sub(stacks)
    };
    Some(others)
}

/// Some of the series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Members(u8);

impl Members {
    pub(crate) const ALL: Self = Self((1 << Series::COUNT) - 1);

    pub(crate) const fn of(series: Series) -> Self {
        Self(1 << series as u8)
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// `None` if there are no such series.
    pub(crate) fn from_bits(bits: u8) -> Option<Self> {
        (bits <= Self::ALL.0).then_some(Self(bits))
    }

    pub(crate) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(crate) const fn has(self, series: Series) -> bool {
        self.0 & Self::of(series).0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(unaccounted: i64, orphans: i64, slab: i64) -> Levels {
        let mut levels = Levels::default();
        levels.set(Series::Unaccounted, Some(Balance::new(unaccounted)));
        levels.set(Series::Orphans, Some(Balance::new(orphans)));
        levels.set(Series::Slab, Some(Balance::new(slab)));
        levels
    }

    #[test]
    fn stacks_are_taken_out_of_vmalloc_memory_where_they_are_part_of_it() {
        let vmalloc = |used, stacks| {
            let meminfo = Meminfo {
                vmalloc_used: Some(Bytes::new(used)),
                kernel_stack: Some(Bytes::new(stacks)),
                ..Meminfo::default()
            };
            Levels::of(&meminfo, None).get(Series::Vmalloc)
        };

        assert_eq!(vmalloc(50, 20), Some(Balance::new(30)));
        assert_eq!(vmalloc(10, 20), Some(Balance::new(10)));
        assert_eq!(vmalloc(0, 20), None, "not counted by this kernel");
    }

    #[test]
    fn growth_counts_what_rose_and_orphans_once() {
        let (before, now) = (levels(100, 10, 50), levels(150, 40, 30));
        let orphans = Members::of(Series::Orphans);

        assert_eq!(now.growth(&before, Members::ALL), Balance::new(50));
        assert_eq!(now.growth(&before, orphans), Balance::new(30));
        assert_eq!(
            now.growth(&Levels::default(), Members::ALL),
            Balance::new(0)
        );
    }
}
