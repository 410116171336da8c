//! Memory is lost on a kernel that counts who allocated what: whether the one who did is named first.

use std::time::Duration;

use serde_json::Value;

use super::leaks::CONFIG;
use super::{Bench, Errand, set};
use crate::journal::Log;
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::problem::Result;
use crate::table::Table;

/// What is lost, and what must be in the owner that is named first.
const LEAKS: [(&str, &str); 6] = [
    ("pages-order0", "memleak_sim.c"),
    ("pages-order3", "memleak_sim.c"),
    ("refs", "mm/shmem.c"),
    ("pipes", "fs/pipe.c"),
    ("dma-buf", "system_heap.c"),
    ("dma-cma", "cma_heap_allocate"),
];

/// What is no missing memory, so that nobody is warned of it within seconds. Only what the kernel's files say is kept.
/// `agent-core/tests/integration/profiled.rs` judges that.
const LOOKED_AT: [&str; 4] = ["percpu", "vmalloc", "kmalloc", "zram"];

const KIB: u32 = 192 << 10;

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let tree = bench.workshop.profiled_kernel()?;
    let mut machine = Machine::of_nodes(1, 1024);
    machine.nodes[0].processors = 2;
    machine.disks_mib.clear();
    machine.timeout = Duration::from_secs(1200);
    "page_owner=on sysctl.vm.mem_profiling=1 cma=256M".clone_into(&mut machine.command_line);
    let names = LEAKS.map(|(name, _)| name);
    let all = [names.as_slice(), LOOKED_AT.as_slice()].concat().join(" ");
    let errand = Errand {
        script: "profiled.sh",
        name: "all",
        config: CONFIG,
        settings: vec![set("LEAKS", all), set("KIB", KIB)],
    };
    let outcome = bench.run(&machine, &tree, &errand)?;
    let (table, all_named) = judge(&outcome)?;
    println!(
        "\nKernel {}, {machine}; {} MiB are lost at once.\n\n{table}",
        tree.kernel.release(),
        KIB >> 10
    );
    Ok(all_named)
}

/// A row for each leak; whether the right one was named first in all.
fn judge(outcome: &Outcome) -> Result<(Table, bool)> {
    let mut table = Table::new(&[
        "lost",
        "told after",
        "named first",
        "by",
        "share of the growth, %",
        "the first of page_owner",
        "share, %",
    ]);
    let mut all_named = true;
    let text = outcome.read("daemon.log")?;
    let log = Log::parse(&text);
    for (leak, owner) in LEAKS {
        let phase = format!("leak-{leak}");
        let told = log
            .during(&phase)
            .find(|line| line.contains("memleak: Possible"))
            .and_then(|line| log.seconds_into(&phase, line));
        let incident = outcome.read_or_nothing(&format!("{leak}/incident.json"));
        let explanations = explanations(&incident);
        let first = explanations.first();
        let calls = explanations
            .iter()
            .find(|each| each.source.contains("page_owner"));
        all_named &= first.is_some_and(|first| first.owner.contains(owner));
        let or_none = |cell: Option<&String>| cell.map_or("-".to_owned(), Clone::clone);
        table.row([
            leak.to_owned(),
            told.map_or("-".to_owned(), |secs| format!("{secs} s")),
            or_none(first.map(|first| &first.owner)),
            or_none(first.map(|first| &first.source)),
            or_none(first.map(|first| &first.share)),
            or_none(calls.map(|calls| &calls.owner)),
            or_none(calls.map(|calls| &calls.share)),
        ]);
    }
    Ok((table, all_named))
}

/// Somebody who explains a part of a growth, as cells of a table.
#[derive(Debug, PartialEq, Eq)]
struct Explanation {
    owner: String,
    source: String,
    share: String,
}

/// The explanations of an incident, the best first.
fn explanations(incident: &str) -> Vec<Explanation> {
    let incident: Value = serde_json::from_str(incident).unwrap_or_default();
    let all = incident["comparison"]["explanations"].as_array();
    let cell = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.into_iter()
        .flatten()
        .map(|each| Explanation {
            owner: format!("`{}`", cell(&each["owner"])),
            source: cell(&each["source"]),
            share: each["share_percent"].to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_are_those_of_the_comparison() {
        let incident = r#"{"comparison": {"explanations": [
            {"owner": "a.c:1 f", "source": "/proc/allocinfo", "share_percent": 99.5}]}}"#;

        let expected = [Explanation {
            owner: "`a.c:1 f`".into(),
            source: "/proc/allocinfo".into(),
            share: "99.5".into(),
        }];
        assert_eq!(explanations(incident), expected);
        assert_eq!(explanations(""), []);
    }
}
