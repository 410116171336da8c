//! Larger machines cost memleak more in proportion to what their kernel prints, and no more.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use agent_core::kernel::Root;
use agent_core::scan::Threads;
use tempfile::TempDir;

use crate::clock;
use crate::cost::percentile;
use crate::daemon::Daemon;
use crate::table::Row;
use crate::tree::{live, put};

const NODES: [u64; 3] = [1, 8, 64];
const CPUS: [u64; 3] = [2, 64, 512];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut costs = Vec::new();
    for nodes in NODES {
        for cpus in CPUS {
            let (tree, kib) = machine(nodes, cpus);
            let time = time_of_scan(tree.path());
            let what = format!("&ensp;nodes: {nodes}, CPUs: {cpus}, KiB: {kib:.0}");
            let result = format!("{:.0} us, {:.0} ns per KiB", time / 1000.0, time / kib);
            rows.push(Row::fact(&what, "", result));
            costs.push(time / kib);
        }
    }
    let (smallest, largest) = (costs[0], costs[costs.len() - 1]);
    let what = "CPU time of a scan per KiB, the largest machine / the smallest";
    let ratio = largest / smallest;
    rows.insert(
        0,
        Row::new(what, "at most 1", format!("{ratio:.2}"), ratio <= 1.0),
    );
    rows
}

/// Nanoseconds of CPU time.
fn time_of_scan(tree: &Path) -> f64 {
    let root = Root::Directory(tree.to_owned());
    let mut daemon = Daemon::with_modules(&["memleak"], root, Threads::OnePerModule);
    (0..10).for_each(|_| daemon.scan());
    let mut times = Vec::new();
    let end = clock::wall() + Duration::from_millis(500);
    while clock::wall() < end || times.len() < 5 {
        times.push(clock::cpu_of(|| daemon.scan()).as_secs_f64() * 1e9);
    }
    times.sort_by(f64::total_cmp);
    percentile(&times, 50)
}

/// A machine with more nodes and CPUs than this one, made of this one's files; and how much its kernel
/// prints for one scan, in KiB.
#[expect(clippy::cast_precision_loss, reason = "some megabytes")]
fn machine(nodes: u64, cpus: u64) -> (TempDir, f64) {
    let tree = TempDir::new().unwrap();
    let meminfo = times(&live("proc/meminfo"), nodes);
    let vmstat = times(&live("proc/vmstat"), nodes);
    let zoneinfo = zoneinfo(nodes, cpus);
    // meminfo is read twice.
    let len = 2 * meminfo.len() + vmstat.len() + zoneinfo.len();
    put(tree.path(), "proc/meminfo", &meminfo);
    put(tree.path(), "proc/vmstat", &vmstat);
    put(tree.path(), "proc/zoneinfo", &zoneinfo);
    for pool in ["2048kB", "1048576kB"] {
        let path = format!("sys/kernel/mm/hugepages/hugepages-{pool}/nr_hugepages");
        put(tree.path(), &path, "0\n");
    }
    (tree, len as f64 / 1024.0)
}

/// The lines of a text with `factor` times their numbers.
fn times(text: &str, factor: u64) -> String {
    let line = |line: &str| {
        let (key, rest) = line.split_once(' ').unwrap();
        let (number, unit) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        let number = number.parse::<u64>().unwrap() * factor;
        format!("{key} {number:>15} {unit}").trim_end().to_owned() + "\n"
    };
    text.lines().map(line).collect()
}

/// The zones of this machine's first node; those of the other nodes have one zone each.
fn zoneinfo(nodes: u64, cpus: u64) -> String {
    let text = live("proc/zoneinfo");
    let zones: Vec<&str> = text.split("Node ").skip(1).collect();
    let first: Vec<&str> = zones
        .into_iter()
        .filter(|zone| zone.starts_with("0, "))
        .collect();
    let stats = first.iter().find_map(|zone| {
        let from = zone.find("  per-node stats")?;
        let to = zone.find("  pages free")?;
        Some(&zone[from..to])
    });
    let is_populated = |zone: &&&str| zone.contains("  pagesets\n");
    let last = first.iter().rfind(is_populated).unwrap();
    let last = &last[last.find("  pages free").unwrap()..];
    let mut printed = String::new();
    for zone in &first {
        write!(printed, "Node {}", with_cpus(zone, cpus)).unwrap();
    }
    for node in 1..nodes {
        let stats = stats.unwrap_or_default();
        let zone = with_cpus(last, cpus);
        write!(printed, "Node {node}, zone   Normal\n{stats}{zone}").unwrap();
    }
    printed
}

/// A zone with as many lists as there are CPUs.
fn with_cpus(zone: &str, cpus: u64) -> String {
    let Some((before, lists)) = zone.split_once("  pagesets\n") else {
        return zone.to_owned();
    };
    let (lists, after) = lists.split_once("  node_unreclaimable").unwrap();
    let list = lists.split("    cpu: ").nth(1).unwrap();
    let (_, list) = list.split_once('\n').unwrap();
    let (_, list) = list.split_once('\n').unwrap();
    let mut printed = format!("{before}  pagesets\n");
    for cpu in 0..cpus {
        let count = cpu % 50;
        write!(
            printed,
            "    cpu: {cpu}\n              count:    {count}\n{list}"
        )
        .unwrap();
    }
    printed + "  node_unreclaimable" + after
}
