//! Machines of several nodes: unlike trends, no memory, memory that comes while the daemon looks.

use super::checks::{ALL_MODULES, Case, Findings};
use super::{Bench, set};
use crate::machine::{Machine, Node};
use crate::problem::Result;

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut findings = Findings::new();
    for tree in bench.kernels()? {
        for case in cases() {
            findings.run(bench, &tree, &case);
        }
    }
    Ok(findings.print())
}

fn cases() -> Vec<Case> {
    let mut four = Machine::of_nodes(4, 256);
    for node in &mut four.nodes[2..] {
        node.processors = 0;
    }
    let mut memoryless = Machine::of_nodes(2, 512);
    memoryless.nodes[1] = Node {
        mib: 0,
        processors: 1,
    };
    let mut hotplug = Machine::of_nodes(1, 512);
    hotplug.arguments = [
        "-object",
        "memory-backend-ram,id=more,size=512M",
        "-device",
        "virtio-mem-pci,id=vm0,memdev=more,node=0,requested-size=512M",
    ]
    .map(str::to_owned)
    .into();
    [
        ("2 nodes, opposite", "opposite", Machine::of_nodes(2, 512)),
        ("4 nodes, opposite", "opposite", four),
        ("2 nodes, one without memory", "memoryless", memoryless),
        ("512 MiB more and less by virtio-mem", "hotplug", hotplug),
    ]
    .map(|(name, kind, machine)| Case {
        name: name.to_owned(),
        settings: vec![
            set("NODES", kind),
            set("PART_MIB", machine.nodes[0].mib / 3),
        ],
        machine,
        script: "nodes.sh",
        config: ALL_MODULES.to_owned(),
    })
    .into()
}
