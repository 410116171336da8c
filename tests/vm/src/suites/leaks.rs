//! Kernel memory is lost in many ways: what is found, when, and what the report says.

use std::time::Duration;

use super::{Bench, Errand, set};
use crate::cache::Tree;
use crate::journal::Log;
use crate::machine::Machine;
use crate::numbers::Counters;
use crate::problem::Result;
use crate::table::Table;

/// What takes 20 ms on a server takes an emulated processor ten times as long or more.
pub(super) const CONFIG: &str = "\
ENABLE_MEMLEAK_CHECK = 1
ENABLE_FREE_PAGE_MGMT = 0
ENABLE_COMPACTION = 0
ENABLE_NEG_DENTRY_MGMT = 0
ENABLE_CACHE_PRESSURE_MGMT = 0
[core]
period-secs = 1
evidence-budget-ms = 3000
";

/// All ways to lose memory, each with its speed.
const LEAKS: &str = "pages-order0-slow pages-order0-fast pages-order0-constant pages-order3-slow pages-order3-fast \
     pages-order9-slow pages-order9-fast refs-slow refs-fast percpu-slow percpu-fast vmalloc-slow vmalloc-fast \
     kmalloc-slow kmalloc-fast pipes-slow pipes-fast packet-ring-slow packet-ring-fast";

/// Those that no file of the kernel accounts for: the product promises to find them.
const LOST: [&str; 6] = [
    "pages-order0",
    "pages-order3",
    "pages-order9",
    "refs",
    "pipes",
    "packet-ring",
];

pub(super) const HEADING: [&str; 10] = [
    "kernel",
    "lost",
    "speed",
    "MiB",
    "slow leak",
    "sudden leak",
    "level",
    "jump",
    "the exact accounting",
    "incidents",
];

/// What a report begins with, for each column of the table.
const REPORTS: [&str; 4] = [
    "Possible slow memory leak",
    "Possible sudden memory leak",
    "Possible memory leak (level)",
    "Possible memory leak (jump)",
];

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut table = Table::new(&HEADING);
    let mut all_found = true;
    for tree in bench.kernels()? {
        all_found &= lose(bench, &tree, LEAKS, &mut table)?;
    }
    println!(
        "\nA scan a second; slow: a fifth more each second for 15 s, fast: a third of memory at once, 3 s after the beginning; \
         constant: a twentieth of what the classic formula misses each second, for 20 s. The times are those of \
         the first warning; in brackets those of a report that is none, as it doubts itself or adds to a warning.\n\n{table}"
    );
    Ok(all_found)
}

/// Loses memory in these ways on one machine; whether all was found that must be.
pub(super) fn lose(bench: &Bench<'_>, tree: &Tree, leaks: &str, table: &mut Table) -> Result<bool> {
    let mut machine = Machine::of_nodes(1, 1024);
    machine.nodes[0].processors = 2;
    machine.timeout = Duration::from_secs(if leaks == LEAKS { 1500 } else { 240 });
    let errand = Errand {
        script: "leaks.sh",
        name: "all",
        config: CONFIG,
        settings: vec![set("LEAKS", leaks)],
    };
    let outcome = bench.run(&machine, tree, &errand)?;
    let text = outcome.read("daemon.log")?;
    let log = Log::parse(&text);
    let lost = Counters::parse(&outcome.read("lost.txt")?);
    let mut all_found = true;
    for name in log.names() {
        let Some(leak) = name.strip_prefix("leak-") else {
            continue;
        };
        let (class, speed) = leak.rsplit_once('-').unwrap_or((leak, ""));
        let reports = REPORTS.map(|report| {
            let mut lines = log.during(name).filter(|line| line.contains(report));
            let line = lines.clone().find(|line| is_warning(line));
            let line = line.or_else(|| lines.next())?;
            Some((log.seconds_into(name, line)?, line))
        });
        let found = reports.map(|report| match report {
            Some((seconds, line)) if is_warning(line) => format!("{seconds} s"),
            Some((seconds, _)) => format!("({seconds} s)"),
            None => "-".to_owned(),
        });
        let lines = reports.iter().flatten().map(|(_, line)| *line);
        let cells = [tree.kernel.series, class, speed].map(str::to_owned);
        let mib = (lost.of(leak) / 1024).to_string();
        let kept = outcome
            .read(&format!("incidents-{leak}.jsonl"))?
            .lines()
            .count();
        table.row(
            cells
                .into_iter()
                .chain([mib])
                .chain(found)
                .chain([verdict(lines).to_owned(), kept.to_string()]),
        );
        // At a constant rate only trends find it, and those take hours.
        let must_be_found = LOST.contains(&class) && speed != "constant";
        let is_found = reports.iter().flatten().any(|(_, line)| is_warning(line));
        all_found &= is_found || !must_be_found;
        // What was reported is kept, too.
        all_found &= !is_found || kept > 0;
    }
    Ok(all_found)
}

/// Whether a report is one to act on. Others doubt themselves, or are more of what was warned of before.
fn is_warning(line: &str) -> bool {
    line.contains(" warning ")
}

/// What the reports say of the exact accounting.
fn verdict<'a>(mut lines: impl Iterator<Item = &'a str>) -> &'static str {
    lines
        .find_map(|line| {
            let says = |words| line.contains(words);
            if says("the exact accounting confirms it") {
                Some("confirms it")
            } else if says("the exact accounting finds") {
                Some("finds it in kernel memory")
            } else if says("probably no leak") {
                Some("explains it: probably no leak")
            } else {
                None
            }
        })
        .unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_that_of_the_first_report_that_has_one() {
        let lines = [
            "Possible memory leak (level): 149.9 MiB",
            "Possible sudden memory leak: ...; the exact accounting confirms it (18.1 MiB -> 51.8 MiB)",
        ];
        assert_eq!(verdict(lines.into_iter()), "confirms it");
        assert_eq!(verdict([].into_iter()), "-");
    }
}
