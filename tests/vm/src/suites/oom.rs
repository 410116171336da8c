//! The machine runs out of memory: the daemon survives, and goes on.

use super::checks::{ALL_MODULES, Case, Findings};
use super::{Bench, set};
use crate::machine::Machine;
use crate::problem::Result;

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut findings = Findings::new();
    for tree in bench.kernels()? {
        for (name, leak) in [("512 MiB, no swap", 0), ("the same, while memory leaks", 1)] {
            let case = Case {
                name: name.to_owned(),
                machine: Machine::of_nodes(1, 512),
                script: "oom.sh",
                config: ALL_MODULES.to_owned(),
                settings: vec![set("LEAK", leak)],
            };
            findings.run(bench, &tree, &case);
        }
    }
    Ok(findings.print())
}
