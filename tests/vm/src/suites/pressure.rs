//! Drivers allocate in bursts while page cache fills the memory: how often allocations stall, and what it costs that they
//! do not.

use super::{Bench, Errand, set};
use crate::comparison::{Arm, Measure};
use crate::journal::Log;
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

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let tree = bench.kernel()?;
    let mut machine = bench.machine();
    // Drivers do not have their pages cleared; here that would slow down the bursts.
    "init_on_alloc=0".clone_into(&mut machine.command_line);
    let table = bench.compare(&ARMS, |arm, name| {
        let errand = Errand {
            script: "pressure.sh",
            name,
            config: CONFIG,
            settings: settings(bench, arm),
        };
        let outcome = bench.run(&machine, &tree, &errand)?;
        let mut measures = under_load(&outcome)?;
        measures.extend(afterwards(arm, &outcome)?);
        Ok(measures)
    })?;
    bench.print_comparison(&tree, &machine, &table);
    Ok(true)
}

fn settings(bench: &Bench<'_>, arm: Arm) -> Vec<(&'static str, String)> {
    vec![
        set("ARM", arm.name),
        set("STREAM_MIB", 64),
        set("STEADY_MIB", 60),
        set("SETTLE_SECS", bench.secs(12, 8)),
        set("LOAD_SECS", bench.secs(60, 15)),
        set("CALM_SECS", bench.secs(60, 20)),
        set("SETTLING_SECS", bench.secs(60, 10)),
        set("STEADY_SECS", bench.secs(60, 10)),
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
        Measure::compared(
            "stalls (`allocstall_*`)",
            real(load.beginning("allocstall_")),
        ),
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
