//! What can be chosen on the command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Runs the daemon on real kernels, in virtual machines.
#[derive(Debug, Parser)]
#[command(name = "cargo vm", bin_name = "cargo vm")]
pub(crate) struct Options {
    /// What to try
    pub(crate) suite: Suite,

    /// The kernel: 6.1, 6.12, 7, or all [default: 6.1, or all where a suite compares kernels]
    #[arg(long)]
    pub(crate) kernel: Option<String>,

    /// How often each arm of a comparison runs
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,

    /// Which order of chance the arms have
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Shorter phases, to try out a suite; the numbers mean nothing
    #[arg(long)]
    pub(crate) quick: bool,

    /// Configuration for the daemon (TOML), beside that of the suite
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The daemon to try, instead of the one that is built from this tree
    #[arg(long, value_name = "FILE")]
    pub(crate) daemon: Option<PathBuf>,

    /// Record a trace of every run into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) trace: Option<PathBuf>,

    /// Only arms (baseline, fixed, daemon), traces of the corpus, or leaks of hours, with this name
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,

    /// Where the corpus goes [default: tests/traces/corpus]
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,

    /// The nodes of the machine, where the suite does not say it
    #[arg(long, default_value_t = 2)]
    pub(crate) nodes: usize,

    /// The memory of each node
    #[arg(long, default_value_t = 768, value_name = "MIB")]
    pub(crate) node_mib: u64,
}

impl Options {
    /// Whether this arm, trace or leak was asked for, or nothing in particular was.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

/// The suites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Memory is used in many ways that lose none of it: the daemon is silent
    Benign,
    /// Each kernel boots, and the daemon runs in it
    Boot,
    /// Records the labelled traces of leaks and of innocent loads that are kept
    Corpus,
    /// Programs want huge pages of memory that is being fragmented
    Fragmentation,
    /// Kernel memory is lost slowly, for hours and days of a machine whose idle time is skipped
    Hours,
    /// Kernel memory is lost in many ways: what is found, and when
    Leaks,
    /// Nodes that differ, without memory, with memory that comes and goes
    Nodes,
    /// Machines that lack something, or have something unusual
    Odd,
    /// The machine runs out of memory: the daemon survives
    Oom,
    /// Drivers allocate in bursts while page cache fills the memory: stalls, and what it costs to have none
    Pressure,
    /// Memory is lost on a kernel that counts who allocated it, built from source: who is named
    Profiled,
    /// The daemon and the machine crash: what was changed is given back, once
    Reboot,
    /// A bit of everything, in a few minutes
    Short,
}
