//! Kernel memory is lost in many ways: what is found, when, and what the report says.

use std::time::Duration;

use super::{Bench, Errand, set};
use crate::cache::Tree;
use crate::journal::Log;
use crate::machine::Machine;
use crate::numbers::Counters;
use crate::problem::Result;
use crate::table::Table;

const CONFIG: &str = "\
ENABLE_MEMLEAK_CHECK = 1
ENABLE_FREE_PAGE_MGMT = 0
ENABLE_COMPACTION = 0
[core]
period-secs = 1
verbosity = 3
";

/// All ways to lose memory, with the order of the pages where they are pages.
const CLASSES: &str = "pages-order0 pages-order3 pages-order9 refs percpu vmalloc kmalloc";

/// Those that no file of the kernel accounts for: the product promises to find them.
const LOST: [&str; 4] = ["pages-order0", "pages-order3", "pages-order9", "refs"];

pub(super) const HEADING: [&str; 6] = [
    "kernel",
    "class",
    "speed",
    "lost, MiB",
    "found after",
    "the report begins",
];

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut table = Table::new(&HEADING);
    let mut all_found = true;
    for tree in bench.kernels()? {
        all_found &= lose(bench, &tree, CLASSES, "slow fast", &mut table)?;
    }
    println!(
        "\nA scan a second; slow: a fifth more each second, fast: a third of memory at once, 3 s after the beginning.\n\n{table}"
    );
    Ok(all_found)
}

/// Loses memory of these classes at these speeds on one machine; whether all was found that must be.
pub(super) fn lose(
    bench: &Bench<'_>,
    tree: &Tree,
    classes: &str,
    speeds: &str,
    table: &mut Table,
) -> Result<bool> {
    let mut machine = Machine::of_nodes(1, 1024);
    machine.nodes[0].processors = 2;
    machine.timeout = Duration::from_secs(900);
    let errand = Errand {
        script: "leaks.sh",
        name: "all",
        config: CONFIG,
        settings: vec![set("CLASSES", classes), set("SPEEDS", speeds)],
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
        let report = log.during(name).find(|line| line.contains("Possible"));
        let found = report
            .and_then(|line| log.seconds_into(name, line))
            .map_or("not found".to_owned(), |seconds| format!("{seconds} s"));
        let words = report.map_or(String::new(), beginning);
        let mib = (lost.of(leak) / 1024).to_string();
        table.row([tree.kernel.series, class, speed, &mib, &found, &words]);
        all_found &= report.is_some() || !LOST.contains(&class);
    }
    Ok(all_found)
}

/// The beginning of a report, which has a place in a table.
fn beginning(line: &str) -> String {
    let text = line.split_once(": ").map_or(line, |(_, text)| text);
    let short: String = text.chars().take(150).collect();
    short.replace('|', "/")
}
