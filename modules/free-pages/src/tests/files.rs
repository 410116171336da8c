//! The module on the files of odd kernels, which count free pages in other ways.

use core::time::Duration;

use adaptivemm_module_api::testing::{self, Machine, Verdict};
use adaptivemm_module_api::units::{PageSize, Pages};

use super::machine::NODE;
use super::rig;
use crate::scale;

#[test]
fn small_and_empty_zones_do_not_count() {
    let zone = |name: &str, managed: u64| testing::Zone {
        free: Some(Pages::new(managed / 2)),
        high: Some(Pages::new(100)),
        managed: Some(Pages::new(managed)),
        ..testing::Zone::new(0, name)
    };
    let normal = zone("Normal", 100_000);
    let nodes = |page_size: u64| {
        let machine = Machine::new()
            .page_size(PageSize::new(page_size).unwrap())
            .zone(zone("DMA", 3_840))
            .zone(normal.clone())
            .zone(zone("Movable", 0));
        machine
            .meminfo(&[("SwapFree", 0)])
            .vmstat(&[("pgsteal_kswapd", 1), ("allocstall_normal", 0)])
            .tunable(scale::TUNABLE, 10)
    };
    let scan = |machine: &Machine| rig(&[("max-gap-gib", 0.1.into())]).scan(machine);

    // 0.1 GiB are 26214 pages of 4 KiB, or 1638 of 64 KiB, where the DMA zone is not a small one.
    assert_eq!(scan(&nodes(4096)).metric("ceiling_scale"), Some(2621.0));
    assert_eq!(scan(&nodes(65_536)).metric("ceiling_scale"), Some(157.0));
}

#[test]
fn pages_and_watermarks_that_the_kernel_does_not_print_are_not_taken_for_zero() {
    let missing: [fn(&mut testing::Zone) -> &mut Option<Pages>; 5] = [
        |zone| &mut zone.free,
        |zone| &mut zone.min,
        |zone| &mut zone.low,
        |zone| &mut zone.high,
        |zone| &mut zone.managed,
    ];
    for missing in missing {
        let mut zone = testing::Zone {
            managed: Some(Pages::new(NODE)),
            ..testing::Zone::new(0, "Normal")
        };
        *missing(&mut zone) = None;

        let words = rig(&[]).scan(&reclaiming(1, 1).zone(zone).tunable(scale::TUNABLE, 10));

        let problem = "/proc/zoneinfo does not say the pages or the watermarks of a zone";
        assert_eq!(words.verdict, Verdict::Failed(problem.to_owned()));
        assert_eq!(words.requests, []);
    }
}

/// A machine without zones that has reclaimed so many pages by then.
fn reclaiming(seconds: u64, pages: u64) -> Machine {
    Machine::new()
        .uptime(Duration::from_secs(seconds))
        .meminfo(&[("SwapFree", 0)])
        .vmstat(&[("pgsteal_kswapd", pages), ("allocstall_normal", 0)])
}

#[test]
fn free_pages_of_the_contiguous_memory_allocator_are_not_free_for_everyone() {
    let time_left = |cma: u64| {
        let zone = testing::Zone {
            free: Some(Pages::new(26_000)),
            high: Some(Pages::new(6_000)),
            managed: Some(Pages::new(NODE)),
            counters: vec![("nr_free_cma".to_owned(), cma)],
            ..testing::Zone::new(0, "Normal")
        };
        let mut rig = rig(&[]);
        let mut time_left = None;
        for seconds in 1..=3 {
            let machine = reclaiming(seconds, 1)
                .zone(zone.clone())
                .tunable(scale::TUNABLE, 10);
            time_left = rig.scan(&machine).metric("time_left_seconds");
        }
        time_left
    };

    assert_eq!([0, 20_000].map(time_left), [None, Some(0.0)]);
}

#[test]
fn where_the_kernel_counts_by_node_each_has_its_own_rate() {
    let mut rig = rig(&[]);
    let mut rate = None;
    for seconds in 1..=4 {
        let machine = reclaiming(seconds, seconds * 9_000);
        let machine = (0..2).fold(machine, |machine, id| {
            let zone = testing::Zone {
                free: Some(Pages::new(6_000)),
                high: Some(Pages::new(6_000)),
                managed: Some(Pages::new(NODE)),
                ..testing::Zone::new(id, "Normal")
            };
            let reclaimed = seconds * if id == 0 { 8_000 } else { 1_000 };
            machine
                .zone(zone)
                .node_stats(id, &[("pgsteal_kswapd", reclaimed)])
        });
        let machine = machine.tunable(scale::TUNABLE, 10);
        rate = rig.scan(&machine).metric("used_pages_per_second");
    }

    assert_eq!(rate.map(f64::round), Some(8_000.0));
}
