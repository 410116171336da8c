//! Each kernel boots, and the daemon runs in it.

use super::checks::{ALL_MODULES, Case, Findings};
use super::{Bench, set};
use crate::problem::Result;

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut findings = Findings::new();
    for tree in bench.kernels()? {
        findings.run(bench, &tree, &case(bench, 10));
    }
    Ok(findings.print())
}

/// The machine of every day, for so many seconds.
pub(super) fn case(bench: &Bench<'_>, secs: u32) -> Case {
    Case {
        name: "everyday".to_owned(),
        machine: bench.machine(),
        script: "boot.sh",
        config: ALL_MODULES.to_owned(),
        settings: vec![set("SECS", secs)],
    }
}
