//! Programs want huge pages of memory that is being fragmented: how many they get, and how often memory is compacted for it.

use super::{Bench, Errand, set};
use crate::comparison::{Arm, Measure};
use crate::journal::Log;
use crate::numbers::{Counters, Latencies, Moment, real};
use crate::outcome::Outcome;
use crate::problem::Result;

const ARMS: [Arm; 2] = [
    Arm {
        name: "baseline",
        label: "no daemon",
    },
    Arm {
        name: "daemon",
        label: "adaptivemmd",
    },
];

const CONFIG: &str = "\
ENABLE_MEMLEAK_CHECK = 0
ENABLE_FREE_PAGE_MGMT = 0
ENABLE_COMPACTION = 1
ENABLE_NEG_DENTRY_MGMT = 0
ENABLE_CACHE_PRESSURE_MGMT = 0
[core]
period-secs = 1
[modules.compaction.config]
max-order = 9
";

const ROUNDS: u32 = 2;

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let tree = bench.kernel()?;
    let machine = bench.machine();
    let table = bench.compare(&ARMS, |arm, name| {
        let errand = Errand {
            script: "fragmentation.sh",
            name,
            config: CONFIG,
            settings: vec![
                set("ARM", arm.name),
                set("ROUNDS", if bench.options.quick { 1 } else { ROUNDS }),
                set("SETTLE_SECS", 10),
                set("RATE_MIB", 20),
                set("WAIT_SECS", 5),
                set("HOLD_SECS", 15),
                set("PAUSE_SECS", 5),
            ],
        };
        measures(&bench.run(&machine, &tree, &errand)?, bench)
    })?;
    bench.print_comparison(&tree, &machine, &table);
    Ok(true)
}

/// What came of all rounds of one run.
fn measures(outcome: &Outcome, bench: &Bench<'_>) -> Result<Vec<Measure>> {
    let rounds = if bench.options.quick { 1 } else { ROUNDS };
    let (mut huge, mut refused, mut shares, mut slowest) = (0, 0, 0.0, 0);
    for round in 0..rounds {
        let before = Moment::read(outcome, &format!("burst-{round}"))?;
        let after = Moment::read(outcome, &format!("after-{round}"))?;
        let faults = after.vmstat.since(&before.vmstat);
        huge += faults.of("thp_fault_alloc");
        refused += faults.of("thp_fault_fallback");
        shares += real(before.free.1) / real(before.free.0.max(1));
        for node in 0..bench.options.nodes {
            let faults = outcome.read(&format!("faults-{round}-{node}.txt"))?;
            slowest = slowest.max(Latencies::parse(&faults)?.max_us);
        }
    }
    let log = outcome.read_or_nothing("daemon.log");
    let log = Log::parse(&log);
    let compactions = log.lines().filter(|line| is_compaction(line)).count();
    let minutes = real(Counters::parse(&outcome.read("clock.txt")?).of("seconds")) / 60.0;
    let nodes = real(bench.options.nodes);
    let first = Moment::read(outcome, "fill-0")?;
    let last = Moment::read(outcome, &format!("after-{}", rounds - 1))?;
    let all = last.vmstat.since(&first.vmstat);
    Ok(vec![
        Measure::compared("huge page faults that got one", real(huge)),
        Measure::alone(
            "of all huge page faults, %",
            real(huge) / real((huge + refused).max(1)) * 100.0,
        ),
        Measure::compared(
            "free memory in blocks of order 9, % (before the faults)",
            shares / f64::from(rounds) * 100.0,
        ),
        Measure::alone("slowest fault, us", real(slowest)),
        Measure::alone("compactions by the daemon", real(compactions)),
        Measure::alone("of each node a minute", real(compactions) / nodes / minutes),
        Measure::alone("`compact_daemon_wake`", real(all.of("compact_daemon_wake"))),
        Measure::compared(
            "pages moved (`compact_isolated`)",
            real(all.of("compact_isolated")),
        ),
    ])
}

/// Whether a line says that a node was compacted.
fn is_compaction(line: &str) -> bool {
    line.contains(": compact node ") && line.contains(": begun")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compaction_is_told_from_a_status() {
        assert!(is_compaction(
            "23:35:02 notice  compaction: compact node 0: begun (blocks of order 9 or more run out in 2 s: ...)"
        ));
        assert!(!is_compaction(
            "23:35:22 info    compaction: node 0: 20415 of 30143 free pages are in blocks smaller than order 9"
        ));
    }
}
