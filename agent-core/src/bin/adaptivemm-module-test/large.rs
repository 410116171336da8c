//! The files of a huge machine: 64 nodes and 512 processors.

use std::fmt::Write;

use super::reel::Files;

const NODES: usize = 64;
const PROCESSORS: usize = 512;

/// Changes those files that grow with the machine.
pub(super) fn enlarge(files: &mut Files) {
    for (path, make) in [
        ("proc/zoneinfo", zoneinfo as fn() -> String),
        ("proc/buddyinfo", buddyinfo),
    ] {
        if let Some(text) = files.get_mut(path) {
            *text = make();
        }
    }
    let directory = "sys/devices/system/node/";
    let example = files.iter().find(|(path, _)| path.starts_with(directory));
    let Some(meminfo) = example.map(|(_, text)| text.clone()) else {
        return;
    };
    for node in 0..NODES {
        let text = meminfo.replace("Node 0 ", &format!("Node {node} "));
        files.insert(format!("{directory}node{node}/meminfo"), text);
    }
}

fn zoneinfo() -> String {
    let mut pagesets = String::new();
    for processor in 0..PROCESSORS {
        let _never_fails = write!(
            pagesets,
            "    cpu: {processor}\n              count:    63\n              high:     378\n              \
             batch:    63\n  vm stats threshold: 125\n"
        );
    }
    let zone = |node| {
        format!(
            "Node {node}, zone   Normal\n  per-node stats\n      nr_inactive_anon 100000\n      nr_active_anon 2000\n  \
             pages free     4000000\n        boost    0\n        min      10000\n        low      20000\n        high     \
             30000\n        spanned  16777216\n        present  16777216\n        managed  16515072\n        cma      \
             0\n        protection: (0, 0, 0, 0)\n      nr_free_pages 4000000\n      nr_free_cma  0\n  pagesets\n\
             {pagesets}  node_unreclaimable:  0\n  start_pfn:           1048576\n"
        )
    };
    (0..NODES).map(zone).collect()
}

fn buddyinfo() -> String {
    let zone = |node| format!("Node {node}, zone   Normal {}\n", "   12345".repeat(11));
    (0..NODES).map(zone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::kernel::{Buddyinfo, Zoneinfo};

    #[test]
    fn a_huge_machine_is_one_that_there_could_be() {
        let zones = zoneinfo().parse::<Zoneinfo>().unwrap();
        let free = buddyinfo().parse::<Buddyinfo>().unwrap();

        assert_eq!(
            (zones.zones().count(), free.zones().count()),
            (NODES, NODES)
        );
        assert_eq!(
            zones.zones().last().unwrap().per_cpu().unwrap().get(),
            63 * 512
        );
        assert!(zoneinfo().len() > 3 << 20);
    }
}
