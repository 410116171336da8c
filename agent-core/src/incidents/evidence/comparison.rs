//! Evidence of two moments side by side: what grew, and who explains how much of it.

mod candidate;
mod grown;
mod judgement;

use serde::{Deserialize, Serialize};

use crate::base::clock::Moment;

/// What changed between two moments. Part of `incident.json`; the names are interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The evidence before.
    pub before: Taken,
    /// The evidence of the incident.
    pub after: Taken,
    /// Every class of memory that is known at both moments, in the order of [`Class::ALL`].
    pub growth: Vec<Growth>,
    /// The sum of all classes that grew, orphans counted as part of unaccounted memory.
    pub growth_bytes: u64,
    /// What explains it, the largest share first.
    pub explanations: Vec<Explanation>,
    /// What of `growth_bytes` nobody explains. Sources that see the same memory are not added up.
    pub unexplained_bytes: u64,
    /// Where was looked, in the order in which it was done.
    pub sources: Vec<Source>,
    /// Names of kernel modules that were loaded in between.
    #[serde(default)]
    pub modules_loaded: Vec<String>,
}

/// When evidence was taken, and at what cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// When.
    pub at: Moment,
    /// Why: `start`, `routine`, `suspicion` or `incident`.
    pub why: String,
    /// Of the processor, by the thread that collected it.
    pub cpu_us: u64,
    /// How much text was read.
    pub read_bytes: u64,
}

/// A kind of kernel memory in which a leak shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// In no figure of the kernel: pages that drivers, the network or pipes hold.
    Unaccounted,
    /// Pages on LRU lists that nothing owns; part of what is unaccounted.
    Orphans,
    /// `SUnreclaim`.
    Slab,
    /// `VmallocUsed` without the kernel stacks.
    Vmalloc,
    /// `Percpu`.
    PerCpu,
    /// `PageTables` and `SecPageTables`.
    PageTables,
    /// `KernelStack`.
    Stacks,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Unaccounted,
        Self::Orphans,
        Self::Slab,
        Self::Vmalloc,
        Self::PerCpu,
        Self::PageTables,
        Self::Stacks,
    ];

    /// The metric of the module memleak that has its size.
    #[must_use]
    pub const fn metric(self) -> &'static str {
        match self {
            Self::Unaccounted => "unaccounted_exact_bytes",
            Self::Orphans => "orphans_bytes",
            Self::Slab => "slab_bytes",
            Self::Vmalloc => "vmalloc_bytes",
            Self::PerCpu => "per_cpu_bytes",
            Self::PageTables => "page_tables_bytes",
            Self::Stacks => "stacks_bytes",
        }
    }

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unaccounted => "unaccounted memory",
            Self::Orphans => "orphaned LRU pages",
            Self::Slab => "unreclaimable slab",
            Self::Vmalloc => "vmalloc memory",
            Self::PerCpu => "per-CPU memory",
            Self::PageTables => "page tables",
            Self::Stacks => "kernel stacks",
        }
    }
}

/// The size of a class at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Which.
    pub class: Class,
    /// May be slightly negative: it is a difference of figures that are not read at the same instant.
    pub bytes: i64,
}

/// How a class developed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// Which.
    pub class: Class,
    /// Its size before.
    pub before_bytes: i64,
    /// Its size after.
    pub after_bytes: i64,
}

/// How exactly a source knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The kernel counts these bytes for this owner.
    Exact,
    /// The kernel charges them to it, together with others.
    Charged,
    /// It holds so many objects, each of which may hold so much.
    AtMost,
}

/// Somebody who explains part of a growth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The memory that grew.
    pub class: Class,
    /// Who: a slab cache, a function of the kernel, a line of its source, a process, a service.
    pub owner: String,
    /// Which file says so.
    pub source: String,
    /// How much it held before.
    pub before_bytes: u64,
    /// How much it holds now.
    pub after_bytes: u64,
    /// What that explains of the growth: at most all of it.
    pub explained_bytes: u64,
    /// The same of [`Comparison::growth_bytes`], 0 to 100.
    pub share_percent: f64,
    /// How exactly this is known.
    pub certainty: Certainty,
    /// Whether its source was not read to the end, before or after: what was added up of it is a part then, and the rise
    /// may be none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

/// A place where was looked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The kernel file, or several, as on a live machine: `/proc/slabinfo`.
    pub file: String,
    /// What it can tell, in a few words.
    pub tells: String,
    /// How that went.
    pub standing: SourceStatus,
    /// Of the processor, for the later evidence.
    pub cpu_us: u64,
}

/// How looking into a source went, for the later evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum SourceStatus {
    /// It said something.
    Read,
    /// This kernel has it not, or not here.
    Absent {
        /// In words, with what could be done.
        why: String,
    },
    /// It could not be read, or not be understood.
    Failed {
        /// In words.
        why: String,
    },
    /// Time or room ran out half-way; what there is counts.
    Cut {
        /// In words.
        why: String,
    },
    /// We may not look at it, or not at all of it; what could be seen counts.
    Denied {
        /// In words, with what could be done.
        why: String,
    },
}
