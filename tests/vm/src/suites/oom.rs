//! The machine runs out of memory: the daemon survives, and goes on.

use super::Bench;
use super::checks::{ALL_MODULES, Case, Findings};
use crate::machine::Machine;
use crate::problem::Result;

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut findings = Findings::new();
    for tree in bench.kernels()? {
        let case = Case {
            name: "1 node of 512 MiB, no swap".to_owned(),
            machine: Machine::of_nodes(1, 512),
            script: "oom.sh",
            config: ALL_MODULES.to_owned(),
            settings: Vec::new(),
        };
        findings.run(bench, &tree, &case);
    }
    Ok(findings.print())
}
