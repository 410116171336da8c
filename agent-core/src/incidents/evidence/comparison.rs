//! Evidence of two moments side by side: what grew, and who explains how much of it.

mod candidate;
mod grown;
mod judgement;

use serde::{Deserialize, Serialize};

use crate::base::clock::Moment;

/// The changes between two moments. Part of `incident.json`, whose field names are stable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The taking of the earlier evidence.
    pub before: Taken,
    /// The evidence of the incident.
    pub after: Taken,
    /// Every class of memory that is known at both moments, in the order of [`Class::ALL`].
    pub growth: Vec<Growth>,
    /// The sum of all classes that grew, orphans counted as part of unaccounted memory.
    pub growth_bytes: u64,
    /// The explanations of the growth, the largest share first.
    pub explanations: Vec<Explanation>,
    /// The part of `growth_bytes` that nobody explains. Sources that see the same memory are not added up.
    pub unexplained_bytes: u64,
    /// The places that were looked into, in the order in which it was done.
    pub sources: Vec<Source>,
    /// Names of kernel modules that were loaded in between.
    #[serde(default)]
    pub modules_loaded: Vec<String>,
}

/// The time at which evidence was taken, and its cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// The time at which it was taken.
    pub at: Moment,
    /// The reason: `start`, `routine`, `suspicion` or `incident`.
    pub why: String,
    /// The processor time of the thread that collected it.
    pub cpu_us: u64,
    /// The amount of text that was read.
    pub read_bytes: u64,
}

/// A kind of kernel memory in which a leak shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Memory in no figure of the kernel: pages that drivers, the network or pipes hold.
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
    /// All classes.
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

    /// Returns the name for people.
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
    /// The class of memory.
    pub class: Class,
    /// May be slightly negative: it is a difference of figures that are not read at the same instant.
    pub bytes: i64,
}

/// The development of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// The class of memory.
    pub class: Class,
    /// The size of the class before.
    pub before_bytes: i64,
    /// The size of the class after.
    pub after_bytes: i64,
}

/// The certainty with which a source knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The kernel counts these bytes for this owner.
    Exact,
    /// The kernel charges them to it, together with others.
    Charged,
    /// The owner holds so many objects, each of which may hold so much.
    AtMost,
}

/// Somebody who explains part of a growth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The class of memory that grew.
    pub class: Class,
    /// The owner: a slab cache, a function of the kernel, a line of its source, a process, a service.
    pub owner: String,
    /// The file that says so.
    pub source: String,
    /// The amount that the owner held before.
    pub before_bytes: u64,
    /// The amount that it holds now.
    pub after_bytes: u64,
    /// The part of the growth that this explains: at most all of it.
    pub explained_bytes: u64,
    /// The part of [`Comparison::growth_bytes`] that this explains, 0 to 100.
    pub share_percent: f64,
    /// The certainty of the amounts.
    pub certainty: Certainty,
    /// True if its source was not read to the end, before or after: what was added up of it is a part then, and the
    /// rise may be none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

/// A place where was looked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The kernel file, or several, as on a live machine: `/proc/slabinfo`.
    pub file: String,
    /// The kind of owner that it can name, in a few words.
    pub tells: String,
    /// The outcome of looking into it.
    pub standing: SourceStatus,
    /// The processor time that the later evidence took.
    pub cpu_us: u64,
}

/// The outcome of looking into a source, for the later evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum SourceStatus {
    /// The source said something.
    Read,
    /// The kernel does not have the source, or not here.
    Absent {
        /// The reason for people, with what could be done.
        why: String,
    },
    /// The source could not be read, or not be understood.
    Failed {
        /// The reason for people.
        why: String,
    },
    /// Time or room ran out half-way; what there is counts.
    Cut {
        /// The reason for people.
        why: String,
    },
    /// We may not look at it, or not at all of it; what could be seen counts.
    Denied {
        /// The reason for people, with what could be done.
        why: String,
    },
}
