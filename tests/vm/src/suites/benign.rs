//! Memory is used in many ways, and none of it is lost: no report, and how far the two accountings move.

use std::time::Duration;

use super::{Bench, Errand, set};
use crate::cache::Tree;
use crate::journal::Log;
use crate::machine::Machine;
use crate::problem::Result;
use crate::table::Table;

const CONFIG: &str = "\
ENABLE_MEMLEAK_CHECK = 1
ENABLE_FREE_PAGE_MGMT = 0
ENABLE_COMPACTION = 0
ENABLE_NEG_DENTRY_MGMT = 0
ENABLE_CACHE_PRESSURE_MGMT = 0
[core]
period-secs = 1
";

pub(super) const HEADING: [&str; 6] = [
    "kernel",
    "load",
    "classic formula moved, MiB",
    "exact accounting moved, MiB",
    "reports",
    "that say: probably no leak",
];

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut table = Table::new(&HEADING);
    let mut is_silent = true;
    for tree in bench.kernels()? {
        is_silent &= load(bench, &tree, "all", &mut table)?;
    }
    println!(
        "\n1 node of 1024 MiB, each load takes about a third of it for {} s, a scan a second.\n\n{table}",
        hold(bench)
    );
    Ok(is_silent)
}

fn hold(bench: &Bench<'_>) -> u32 {
    bench.secs(14, 8)
}

/// Runs these loads on one machine; whether nothing was reported.
pub(super) fn load(bench: &Bench<'_>, tree: &Tree, loads: &str, table: &mut Table) -> Result<bool> {
    let mut machine = Machine::of_nodes(1, 1024);
    machine.nodes[0].processors = 2;
    machine.timeout = Duration::from_secs(if loads == "all" { 900 } else { 180 });
    let errand = Errand {
        script: "benign.sh",
        name: "all",
        config: CONFIG,
        settings: vec![set("LOADS", loads), set("HOLD_SECS", hold(bench))],
    };
    let outcome = bench.run(&machine, tree, &errand)?;
    let text = outcome.read("daemon.log")?;
    let log = Log::parse(&text);
    let mut is_silent = true;
    for name in log.names().filter(|name| *name != "end") {
        let reports = log.during(name).filter(|line| line.contains("Possible"));
        let (warnings, doubtful): (Vec<&str>, Vec<&str>) =
            reports.partition(|line| line.contains(" warning "));
        let moved = |after: &str| {
            let sizes = log.during(name).filter_map(|line| mib_before(line, after));
            spread(sizes).map_or("-".to_owned(), |mib| format!("{mib:.1}"))
        };
        let cells = [moved(CLASSIC), moved(EXACT)]
            .into_iter()
            .chain([&warnings, &doubtful].map(|lines| lines.len().to_string()));
        let row = [tree.kernel.series.to_owned(), name.to_owned()];
        table.row(row.into_iter().chain(cells));
        is_silent &= warnings.is_empty();
    }
    Ok(is_silent)
}

/// What stands around the two numbers in the status of memleak.
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
fn spread(sizes: impl Iterator<Item = f64>) -> Option<f64> {
    let (least, most) = sizes.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), size| {
        (least.min(size), most.max(size))
    });
    (least <= most).then_some(most - least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_accountings_are_read_from_the_status() {
        let line = "12:00:01 info    memleak: 900 MiB of 1 GiB accounted for (free 1 GiB); 14.5 MiB unaccounted \
                    (classic formula -2.0 MiB, baseline 46.2 MiB)";
        let numbers =
            [EXACT, CLASSIC].map(|after| mib_before(line, after).map(|mib| mib.to_string()));
        assert_eq!(numbers, [Some("14.5".to_owned()), Some("-2".to_owned())]);
    }

    #[test]
    fn nothing_has_no_spread() {
        assert!(spread([].into_iter()).is_none());
        assert!(spread([1.0, 4.0, 2.0].into_iter()).is_some_and(|mib| (mib - 3.0).abs() < 0.01));
    }
}
