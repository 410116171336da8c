//! Memory is used in many ways, and none of it is lost: no report, and how far the two accountings move.

use std::time::Duration;

use super::{Bench, Errand, set};
use crate::cache::Tree;
use crate::journal::Log;
use crate::machine::Machine;
use crate::problem::Result;
use crate::table::{Table, median};

const CONFIG: &str = "\
ENABLE_MEMLEAK_CHECK = 1
ENABLE_FREE_PAGE_MGMT = 0
ENABLE_COMPACTION = 0
ENABLE_NEG_DENTRY_MGMT = 0
ENABLE_CACHE_PRESSURE_MGMT = 0
[core]
period-secs = 1
";

/// All loads of `guest/loads.sh`.
const LOADS: &str = "cache anon huge bursts mlock tmpfs hugetlb ptes tasks forks files xfs build network cgroups fragment swap";

pub(super) const HEADING: [&str; 9] = [
    "kernel",
    "load",
    "size, MiB",
    "classic formula moved, MiB",
    "exact accounting moved, MiB",
    "= % of the size",
    "the middle of it, MiB",
    "reports",
    "what the load did",
];

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut table = Table::new(&HEADING);
    let mut is_silent = true;
    for tree in bench.kernels()? {
        is_silent &= load(bench, &tree, LOADS, &mut table)?;
    }
    println!(
        "\n1 node of 1024 MiB, each load goes on for {} s, a scan a second. The size: how far free memory moved. Moved: from the \
         least to the most of all scans; the middle: from the scan before the load to the median of those during it.\n\n{table}",
        hold(bench)
    );
    Ok(is_silent)
}

fn hold(bench: &Bench<'_>) -> u32 {
    bench.secs(10, 8)
}

/// Runs these loads on one machine; whether nothing was reported.
pub(super) fn load(bench: &Bench<'_>, tree: &Tree, loads: &str, table: &mut Table) -> Result<bool> {
    let mut machine = Machine::of_nodes(1, 1024);
    machine.nodes[0].processors = 2;
    machine.disks_mib.push(400);
    machine.timeout = Duration::from_secs(if loads == LOADS { 1200 } else { 180 });
    let errand = Errand {
        script: "benign.sh",
        name: "all",
        config: CONFIG,
        settings: vec![set("LOADS", loads), set("HOLD_SECS", hold(bench))],
    };
    let outcome = bench.run(&machine, tree, &errand)?;
    print!("{}", outcome.read_or_nothing("skipped.txt"));
    let text = outcome.read("daemon.log")?;
    let log = Log::parse(&text);
    let mut is_silent = true;
    let mut before = "";
    for name in log.names() {
        if name == "end" || name.starts_with("after-") {
            before = name;
            continue;
        }
        let said = outcome.read_or_nothing(&format!("said-{name}.txt"));
        let reports = reports(&log, name) + reports(&log, &format!("after-{name}"));
        let row = [tree.kernel.series.to_owned(), name.to_owned()];
        table.row(
            row.into_iter()
                .chain(movements(&log, name, before))
                .chain([reports.to_string(), deeds(&said)]),
        );
        is_silent &= reports == 0;
    }
    Ok(is_silent)
}

/// How often a leak was warned of.
fn reports(log: &Log<'_>, phase: &str) -> usize {
    log.during(phase)
        .filter(|line| line.contains("Possible") && line.contains(" warning "))
        .count()
}

/// How far free memory and both accountings moved, also for the seconds after the load in which all is given back.
fn movements(log: &Log<'_>, name: &str, before: &str) -> [String; 5] {
    let after = format!("after-{name}");
    let series = |mark: &str| -> Vec<f64> {
        let lines = log.during(name).chain(log.during(&after));
        lines.filter_map(|line| mib_before(line, mark)).collect()
    };
    let [free, classic, exact] = [FREE, CLASSIC, EXACT].map(series);
    let [size, classic_moved, moved] = [&free, &classic, &exact].map(|mib| spread(mib));
    let share = size.zip(moved).map(|(size, moved)| moved / size * 100.0);
    let last = log
        .during(before)
        .filter_map(|line| mib_before(line, EXACT))
        .last();
    let during: Vec<f64> = log
        .during(name)
        .filter_map(|line| mib_before(line, EXACT))
        .collect();
    let middle = last
        .or(during.first().copied())
        .map(|last| median(&during) - last);
    [size, classic_moved, moved, share, middle]
        .map(|number| number.map_or("-".to_owned(), |number| format!("{number:.1}")))
}

/// What the programs of a load said, but for the classes of latencies.
fn deeds(said: &str) -> String {
    let words = said
        .lines()
        .filter(|line| !line.starts_with("classes ") && line.contains(' '));
    words.collect::<Vec<&str>>().join(", ")
}

/// What stands around the numbers in the status of memleak.
const FREE: &str = ", page cache ";
const EXACT: &str = " unaccounted (classic formula";
const CLASSIC: &str = ", baseline";

/// The size that ends right before `after`, in MiB.
fn mib_before(line: &str, after: &str) -> Option<f64> {
    let (before, _) = line.split_once(after)?;
    let mut words = before.rsplit(' ');
    let unit = match words.next()? {
        "B" => 1.0 / 1024.0 / 1024.0,
        "KiB" => 1.0 / 1024.0,
        "MiB" => 1.0,
        "GiB" => 1024.0,
        _ => return None,
    };
    words
        .next()?
        .parse::<f64>()
        .ok()
        .map(|number| number * unit)
}

/// How far the largest is from the smallest.
fn spread(sizes: &[f64]) -> Option<f64> {
    let least = sizes.iter().copied().reduce(f64::min)?;
    let most = sizes.iter().copied().reduce(f64::max)?;
    Some(most - least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_accountings_are_read_from_the_status() {
        let line = "12:00:01 info    memleak: 900 MiB of 1 GiB accounted for (free 1 GiB, page cache 2 MiB); 14.5 MiB unaccounted \
                    (classic formula -2.0 MiB, baseline 46.2 MiB)";
        let numbers =
            [EXACT, CLASSIC, FREE].map(|after| mib_before(line, after).map(|mib| mib.to_string()));
        assert_eq!(
            numbers,
            ["14.5", "-2", "1024"].map(|mib| Some(mib.to_owned()))
        );
    }

    #[test]
    fn what_a_load_did_is_its_own_words() {
        assert_eq!(
            deeds("holding\nfaults 3\nclasses 1,2\nstalls 0\n"),
            "faults 3, stalls 0"
        );
    }

    #[test]
    fn nothing_has_no_spread() {
        assert!(spread(&[]).is_none());
        assert!(spread(&[1.0, 4.0, 2.0]).is_some_and(|mib| (mib - 3.0).abs() < 0.01));
    }
}
