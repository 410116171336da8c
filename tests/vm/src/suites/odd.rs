//! Machines that lack something, or have something unusual.

use super::checks::{ALL_MODULES, Case, Findings};
use super::{Bench, set};
use crate::machine::Machine;
use crate::problem::Result;

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut findings = Findings::new();
    for tree in bench.kernels()? {
        for case in cases() {
            // The memory controller of version 1 is not built into newer kernels of Debian.
            if case.name != "cgroup-v1" || tree.kernel.series == "6.1" {
                findings.run(bench, &tree, &case);
            }
        }
    }
    Ok(findings.print())
}

fn cases() -> Vec<Case> {
    let two = || Machine::of_nodes(2, 384);
    let with = |line: &str| Machine {
        command_line: line.to_owned(),
        ..two()
    };
    let without_large_pages = Machine {
        arguments: vec!["-cpu".to_owned(), "max,pse=off".to_owned()],
        ..two()
    };
    let lazy = Machine::of_nodes(2, 2048);
    [
        ("no-psi", with("psi=0")),
        ("no-huge-pages", without_large_pages),
        ("small", Machine::of_nodes(1, 192)),
        ("lazy", lazy),
        ("cgroup-v1", with("cgroup_no_v1=none")),
        ("no-swap-no-numa", Machine::of_nodes(1, 512)),
    ]
    .map(|(odd, machine)| Case {
        name: odd.to_owned(),
        machine,
        script: "odd.sh",
        config: ALL_MODULES.to_owned(),
        settings: vec![set("ODD", odd)],
    })
    .into()
}
