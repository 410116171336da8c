//! In the steady state a scan asks for no memory: a daemon that does would do so for years.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

#[path = "../benches/scan/allocations.rs"]
mod allocations;
#[path = "../benches/scan/daemon.rs"]
mod daemon;
#[path = "../benches/scan/tree.rs"]
mod tree;

use std::path::Path;

use adaptivemm_module_api::{
    Action, Config, ConfigProblems, Info, Module, Out, ScanError, Snapshot, register,
};
use agent_core::base::linked::CHOSEN;
use agent_core::kernel::Root;
use agent_core::scan::Threads;

use allocations::Counting;
use daemon::{Daemon, HOUR};
use tempfile::TempDir;
use tree::{live, put};

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// May change something, so that the core remembers what it says and how the machine does; and never wants to. Its
/// metrics come and go.
struct Content(f64);

impl Module for Content {
    const INFO: Info = Info {
        writes: &[Action::set("vm.vfs_cache_pressure")],
        ..Info::new("content", "1", "Wants nothing")
    };

    fn create(_: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self(0.0))
    }

    fn scan(&mut self, _: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        self.0 += 1.0;
        if self.0 % 2.0 == 0.0 {
            out.metric("even_scans", self.0);
        }
        out.metric("scans", self.0);
        Ok(())
    }
}

register!(Content);

/// The files of a scan as they are on this machine now. They stay whole, as live files do not.
fn copy_of_live() -> TempDir {
    let tree = TempDir::new().unwrap();
    for path in [
        "proc/buddyinfo",
        "proc/meminfo",
        "proc/vmstat",
        "proc/zoneinfo",
    ] {
        put(tree.path(), path, &live(path));
    }
    // Nothing is to be changed: 15 is what negative-dentry would set.
    for (path, text) in [
        (
            "proc/pressure/memory",
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n",
        ),
        ("proc/sys/vm/vfs_cache_pressure", "100\n"),
        ("proc/sys/vm/watermark_scale_factor", "10\n"),
        ("proc/sys/fs/negative-dentry-limit", "15\n"),
        (
            "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
            "0\n",
        ),
    ] {
        put(tree.path(), path, text);
    }
    tree
}

/// Lets time go by on a copied machine: the counters of events move, and become longer and shorter.
/// What memory there is stays as it is, so that there is nothing to find.
fn pass_time(tree: &Path, vmstat: &str, scan: u32) {
    let moved = |line: &str| match line.split_once(' ') {
        // What is reclaimed is what free-pages acts on.
        Some((key, _)) if key.starts_with("pg") && !key.starts_with("pgsteal") => {
            format!("{key} {}\n", 10_u64.pow(scan % 7))
        }
        _ => format!("{line}\n"),
    };
    let text: String = vmstat.lines().map(moved).collect();
    put(tree, "proc/vmstat", &text);
}

/// A machine whose files are so large that only few scans fit into what is kept of them.
fn copy_of_live_with_many_zones() -> TempDir {
    let tree = copy_of_live();
    let zoneinfo = live("proc/zoneinfo");
    let start = zoneinfo.rfind("\nNode ").unwrap() + 1;
    let more = zoneinfo[start..].repeat((150 << 10) / (zoneinfo.len() - start));
    put(tree.path(), "proc/zoneinfo", &(zoneinfo + &more));
    tree
}

/// How often each of so many scans allocates, by this count.
fn allocations(
    daemon: &mut Daemon,
    tree: &TempDir,
    scans: u32,
    count: impl Fn() -> u64,
) -> Vec<u64> {
    let vmstat = live("proc/vmstat");
    let (mut allocations, mut early) = (Vec::new(), 0);
    for scan in 0..scans {
        pass_time(tree.path(), &vmstat, scan);
        let before = count();
        daemon.scan();
        allocations.push(count() - before);
        if scan < 100 {
            early = daemon.findings();
        }
    }

    assert_eq!(daemon.findings(), early);
    allocations
}

fn all_modules() -> Vec<&'static str> {
    [CHOSEN, &["content"]].concat()
}

fn root(tree: &TempDir) -> Root {
    Root::Directory(tree.path().to_owned())
}

/// All threads are counted, so nothing else may run meanwhile.
fn a_scan_without_findings_allocates_nothing() {
    let whole = copy_of_live();
    let lacking = copy_of_live();
    // Most kernels have no such limit.
    std::fs::remove_file(lacking.path().join("proc/sys/fs/negative-dentry-limit")).unwrap();

    for tree in [whole, lacking] {
        let threads = Threads::OnePerModule;
        let mut daemon = Daemon::with_modules(&all_modules(), root(&tree), threads);

        let allocations = allocations(&mut daemon, &tree, 1100, || ALLOCATOR.count());

        assert!(allocations[0] > 0);
        assert_eq!(allocations[100..], [0; 1000]);
    }
}

/// The threads that write what is kept may allocate; the one that scans may not, but for what it hands over to them
/// once an hour.
fn keeping_what_was_seen_allocates_nothing() {
    for tree in [copy_of_live(), copy_of_live_with_many_zones()] {
        let state_dir = TempDir::new().unwrap();
        let mut daemon = Daemon::keeping(&all_modules(), root(&tree), state_dir.path());

        let allocations = allocations(&mut daemon, &tree, 1100, || ALLOCATOR.count_here());

        let allocating: Vec<u32> = (0..1100)
            .zip(allocations)
            .filter(|(scan, allocations)| *scan >= 2 * HOUR && *allocations > 0)
            .map(|(scan, _)| scan)
            .collect();
        let hours: Vec<u32> = (2 * HOUR..1100).step_by(HOUR as usize).collect();
        assert_eq!(allocating, hours);
    }
}

/// One test, as tests run side by side.
#[test]
fn a_scan_in_the_steady_state_asks_for_no_memory() {
    a_scan_without_findings_allocates_nothing();
    keeping_what_was_seen_allocates_nothing();
}
