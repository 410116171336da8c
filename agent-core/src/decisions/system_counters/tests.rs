use std::time::Duration;

use adaptivemm_module_api::units::PageSize;

use super::*;
use crate::kernel::{Recorded, Root, Sampler};

const ZONEINFO: &str = "\
Node 0, zone   Normal
  pages free     1000
        min      10
        low      20
        high     30
Node 2, zone   Normal
  pages free     500
        min      1
        low      2
        high     3
Node 0, zone  Movable
  pages free     7
        min      0
        low      1
        high     2
";
const BUDDYINFO: &str = "\
Node 0, zone   Normal 1 2 3
Node 0, zone  Movable 1 0 0 4
Node 2, zone   Normal 9 9
";

/// Takes the counters of a machine that has these files, one scan after the other.
fn taken(scans: &[&[(&str, &str)]]) -> Vec<SystemCounters> {
    let mut wanted = Wanted::default();
    wanted.add_tunable("vm.watermark_scale_factor");
    SystemCounters::want(&mut wanted);
    let mut system = SystemCounters::default();
    let take = |files: &&[(&str, &str)]| {
        let files = files.iter();
        let files: Recorded = files
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        let page_size = Some(PageSize::FOUR_KIB);
        let mut sampler = Sampler::new(Root::Recorded(files), wanted.clone(), page_size);
        let now = Uptime(Duration::from_secs(5));
        system.take(&sampler.take(now, Duration::from_secs(1)));
        system.clone()
    };
    scans.iter().map(take).collect()
}

#[test]
fn what_the_zones_of_a_node_have_is_summed_up() {
    let files = [("proc/zoneinfo", ZONEINFO), ("proc/buddyinfo", BUDDYINFO)];

    let system = &taken(&[&files])[0];

    let pages = |pages| Some(Pages::new(pages));
    let node = |node, [free, low, high]: [u64; 3], blocks: &[u64]| NodeCounters {
        node,
        free: pages(free),
        low: pages(low),
        high: pages(high),
        blocks: blocks.to_vec(),
    };
    assert_eq!(
        system.nodes,
        [
            node(0, [1007, 21, 32], &[2, 2, 3, 4]),
            node(2, [500, 2, 3], &[9, 9])
        ]
    );
}

#[test]
fn events_are_summed_up_that_the_kernel_counts_by_zone() {
    let old =
        "allocstall 3\npgsteal_kswapd_dma 1\npgsteal_kswapd_normal 2\npgsteal_direct_normal 4\n";
    let new = "allocstall_dma 1\nallocstall_normal 2\npgsteal_kswapd 3\npgsteal_direct 4\n\
               pgsteal_khugepaged 99\npgsteal_anon 99\ncompact_stall 5\ncompact_success 6\ncompact_fail 7\n\
               compact_daemon_wake 99\n";

    let both = taken(&[&[("proc/vmstat", old)], &[("proc/vmstat", new)]]);

    let [old, new] = [&both[0], &both[1]].map(|system| system.counters);
    let expected = EventCounters {
        allocation_stalls: Some(3),
        kswapd_reclaimed: Some(Pages::new(3)),
        direct_reclaimed: Some(Pages::new(4)),
        compaction_stalls: Some(5),
        compaction_successes: Some(6),
        compaction_failures: Some(7),
    };
    assert_eq!(new, expected);
    assert_eq!(
        old,
        EventCounters {
            compaction_stalls: None,
            compaction_successes: None,
            compaction_failures: None,
            ..expected
        }
    );
}

#[test]
fn what_the_kernel_does_not_say_is_not_known_and_nothing_of_the_scan_before_stays() {
    let files = [
        ("proc/zoneinfo", ZONEINFO),
        ("proc/buddyinfo", BUDDYINFO),
        ("proc/vmstat", "allocstall_normal 1\n"),
        ("proc/pressure/memory", "some total=1\nfull total=2\n"),
        ("proc/sys/vm/watermark_scale_factor", "10\n"),
    ];

    let both = taken(&[&files, &[]]);

    assert_eq!(both[0].tunable("vm.watermark_scale_factor"), Some(10));
    assert_eq!(
        both[0].pressure.map(|pressure| pressure.some),
        Some(Duration::from_micros(1))
    );
    assert_eq!(
        both[1],
        SystemCounters {
            uptime: Uptime(Duration::from_secs(5)),
            tunables: vec![("vm.watermark_scale_factor", None)],
            ..SystemCounters::default()
        }
    );
}
