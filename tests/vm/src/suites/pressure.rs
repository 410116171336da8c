//! Drivers allocate in bursts while page cache fills the memory: how often allocations stall, and what it costs that they
//! do not.

use super::{Bench, Errand, set};
use crate::cache::Tree;
use crate::comparison::{self, Arm, Measure};
use crate::journal::Log;
use crate::machine::Machine;
use crate::numbers::{Counters, Latencies, Moment, real};
use crate::outcome::Outcome;
use crate::problem::Result;

const DAEMON: Arm = Arm {
    name: "daemon",
    label: "adaptivemmd",
};

const ARMS: [Arm; 3] = [
    Arm {
        name: "baseline",
        label: "scale 10, no daemon",
    },
    Arm {
        name: "fixed",
        label: "scale 1000, no daemon",
    },
    DAEMON,
];

const CONFIG: &str = "\
ENABLE_MEMLEAK_CHECK = 0
ENABLE_FREE_PAGE_MGMT = 1
ENABLE_COMPACTION = 0
ENABLE_NEG_DENTRY_MGMT = 0
ENABLE_CACHE_PRESSURE_MGMT = 0
[core]
period-secs = 1
";

const STALLS: &str = "stalls (`allocstall_*`)";

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let tree = bench.kernel()?;
    let table = bench.compare(&ARMS, |arm, name| {
        measures(bench, &tree, arm, name, bench.options.quick)
    })?;
    bench.print_comparison(&tree, &machine(bench), &table);
    Ok(true)
}

/// One short run without and one with the daemon; whether it stalls less with it.
pub(super) fn run_shortly(bench: &Bench<'_>) -> Result<bool> {
    let tree = bench.kernel()?;
    let mut runs = Vec::new();
    for arm in [ARMS[0], DAEMON] {
        let name = format!("short-{}", arm.name);
        runs.push((arm, measures(bench, &tree, arm, &name, true)?));
    }
    println!("\n{}", comparison::table(&[ARMS[0], DAEMON], &runs));
    let stalls = |run: usize| Measure::of(&runs[run].1, STALLS).unwrap_or_default();
    // On a busy machine there may be hardly any stalls to be had.
    Ok(stalls(1) <= stalls(0).max(4.0))
}

fn machine(bench: &Bench<'_>) -> Machine {
    Machine {
        // Drivers do not have their pages cleared; here that would slow down the bursts.
        command_line: "init_on_alloc=0".to_owned(),
        ..bench.machine()
    }
}

fn measures(
    bench: &Bench<'_>,
    tree: &Tree,
    arm: Arm,
    name: &str,
    is_quick: bool,
) -> Result<Vec<Measure>> {
    let errand = Errand {
        script: "pressure.sh",
        name,
        config: CONFIG,
        settings: settings(arm, is_quick),
    };
    let outcome = bench.run(&machine(bench), tree, &errand)?;
    let mut measures = under_load(&outcome)?;
    measures.extend(afterwards(arm, &outcome)?);
    Ok(measures)
}

fn settings(arm: Arm, is_quick: bool) -> Vec<(&'static str, String)> {
    let secs = |long: u32, short: u32| if is_quick { short } else { long };
    vec![
        set("ARM", arm.name),
        set("STREAM_MIB", 64),
        set("STEADY_MIB", 60),
        set("SETTLE_SECS", secs(12, 8)),
        set("LOAD_SECS", secs(60, 15)),
        set("CALM_SECS", secs(60, 20)),
        set("SETTLING_SECS", secs(60, 10)),
        set("STEADY_SECS", secs(60, 10)),
        set("BURST_PAGES", 8192),
        set("BURST_PERIOD_MS", 2000),
        set("BURST_HOLD_MS", 300),
        set("ORDER", 0),
    ]
}

fn under_load(outcome: &Outcome) -> Result<Vec<Measure>> {
    let before = Moment::read(outcome, "load")?;
    let after = Moment::read(outcome, "after-load")?;
    let burst = outcome.read("memburst.txt")?;
    let latencies = Latencies::parse(&burst)?;
    let load = after.vmstat.since(&before.vmstat);
    let scanned = load.of("pgscan_kswapd") + load.of("pgscan_direct");
    let stalled = after.stalled_since(&before);
    Ok(vec![
        Measure::compared(STALLS, real(load.beginning("allocstall_"))),
        Measure::compared("`pgsteal_direct`", real(load.of("pgsteal_direct"))),
        Measure::compared("`pgsteal_kswapd`", real(load.of("pgsteal_kswapd"))),
        Measure::compared("`pgscan_kswapd` + `pgscan_direct`", real(scanned)),
        Measure::compared("PSI memory some, ms", real(stalled.0 / 1000)),
        Measure::compared("PSI memory full, ms", real(stalled.1 / 1000)),
        Measure::alone(
            "allocation p99, us",
            real(latencies.all_but_per_million(10_000)),
        ),
        Measure::alone(
            "allocation p99.99, us",
            real(latencies.all_but_per_million(100)),
        ),
        Measure::alone("slowest allocation, us", real(latencies.max_us)),
        Measure::alone(
            "allocations that failed",
            real(Counters::parse(&burst).of("failures")),
        ),
        Measure::alone("scale at the end of the load", real(after.wsf)),
    ])
}

/// What only a daemon does: give back, and come to rest.
fn afterwards(arm: Arm, outcome: &Outcome) -> Result<Vec<Measure>> {
    let log = outcome.read_or_nothing("daemon.log");
    let log = Log::parse(&log);
    let writes = |phase: &str| {
        (arm == DAEMON).then(|| log.during(phase).filter(|line| is_write(line)).count())
    };
    let scale = |name: &str| {
        (arm == DAEMON)
            .then(|| Moment::read(outcome, name).map(|moment| real(moment.wsf)))
            .transpose()
    };
    Ok(vec![
        Measure::alone("scale a minute later", scale("calm")?),
        Measure::alone("writes during the load", writes("load").map(real)),
        Measure::alone(
            "writes in a minute of steady load",
            writes("steady").map(real),
        ),
        Measure::alone("scale after the daemon ended", scale("end")?),
    ])
}

/// Whether a line says that the value was changed.
fn is_write(line: &str) -> bool {
    line.contains("vm.watermark_scale_factor = ") && line.contains(": done, was ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_told_from_a_status() {
        assert!(is_write(
            "22:10:10 notice  free-pages: vm.watermark_scale_factor = 294: done, was 10 (node 1 ...)"
        ));
        assert!(!is_write(
            "22:10:09 info    free-pages: vm.watermark_scale_factor is 10; waiting for scans"
        ));
    }
}
