//! The module from the outside, on machines.

use core::time::Duration;

use adaptivemm_module_api::testing::{Action as Asked, Machine, Rig, Value, Verdict, Words, Zone};
use adaptivemm_module_api::units::{PageSize, Pages};
use proptest::prelude::*;

use super::*;

const PERIOD: Duration = Duration::from_secs(10);

/// A node with so many free pages, and so many of them in blocks of order 9; the rest is in single pages.
fn zone(node: u32, free: u64, large: u64) -> Zone {
    let mut blocks = vec![0; 11];
    blocks[9] = large / 512;
    blocks[0] = free.saturating_sub(blocks[9] * 512);
    Zone {
        free: Some(Pages::new(free)),
        low: Some(Pages::new(1_000)),
        managed: Some(Pages::new(1 << 20)),
        present: Some(Pages::new(1 << 20)),
        free_blocks: Some(blocks),
        ..Zone::new(node, "Normal")
    }
}

fn machine(scan: u32, zones: &[Zone]) -> Machine {
    let machine = Machine::new().uptime(PERIOD * scan).period(PERIOD);
    zones.iter().cloned().fold(machine, Machine::zone)
}

fn rig(options: &[(&str, Value)]) -> Rig {
    Rig::create::<MemoryCompaction>(options).unwrap()
}

/// The nodes that are to be compacted.
fn asked(words: &Words) -> Vec<u32> {
    assert_eq!(words.verdict, Verdict::Good);
    let node = |request: &adaptivemm_module_api::testing::Request| match request.action {
        Asked::CompactNode { node } => {
            assert_eq!(request.refused, None);
            node
        }
        _ => panic!("{request:?}"),
    };
    words.requests.iter().map(node).collect()
}

/// The words of scans of one node with 200 000 free pages, so many of them in large blocks. A compaction, if it is
/// any good, makes as many pages more.
fn words(rig: &mut Rig, large: impl IntoIterator<Item = i64>, good_for: i64) -> Vec<Words> {
    let mut gained = 0;
    let scan = |(scan, large): (u32, i64)| {
        let large = u64::try_from(large + gained).unwrap_or(0);
        let words = rig.scan(&machine(scan, &[zone(0, 200_000, large)]));
        gained += good_for * i64::try_from(asked(&words).len()).unwrap();
        words
    };
    (1..).zip(large).map(scan).collect()
}

fn compactions(words: &[Words]) -> Vec<usize> {
    let scans = words.iter().enumerate();
    scans
        .filter(|(_, words)| !asked(words).is_empty())
        .map(|(scan, _)| scan)
        .collect()
}

fn shrinking(scans: usize) -> impl Iterator<Item = i64> {
    (0..).map(|scan| 100_000 - 4_096 * scan).take(scans)
}

#[test]
fn a_node_is_compacted_before_its_large_blocks_have_run_out_and_not_early() {
    let words = words(&mut rig(&[]), shrinking(25), 60_000);

    // They would run out after 24.4 scans; about 190 000 pages take 7.5 s, and the next scan 10 s.
    assert_eq!(compactions(&words), [23]);
    let request = &words[23].requests[0];
    assert_eq!(
        request.reason,
        "blocks of order 7 or more run out in 14 s: 194368 of 200000 free pages are in smaller blocks, and the rest \
         changed by -409.6 pages/s in 70 s; compaction must begin 18 s before that, as it turns about 25600 pages/s \
         into large blocks"
    );
    let lines: Vec<_> = request.details.lines().collect();
    assert_eq!(
        (lines[0], &lines[6..]),
        (
            "order 7 or more: 5632 pages, -409.6 pages/s, so they run out in 14 s; due 18 s before: now",
            [
                "order 1 or more: 5632 pages, -409.6 pages/s, so they run out in 14 s; due 18 s before: now",
                "199000 pages free above the low watermarks",
                "compaction turns about 25600 pages/s into large blocks: this is assumed, and not measured on this node yet",
                "it was not compacted before; the cool-down is 60 s",
            ]
            .as_slice()
        )
    );
    let names: Vec<_> = request
        .numbers
        .iter()
        .map(|number| number.0.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "order",
            "time_left_seconds",
            "lead_seconds",
            "free_pages",
            "fragmented_pages",
            "large_pages_per_second",
            "compaction_pages_per_second",
        ]
    );
}

#[test]
fn a_steady_node_is_left_alone_and_so_is_one_whose_large_blocks_become_more() {
    let growing = (0..100).map(|scan| 512 * scan);
    let saw = (0..300).map(|scan| 50_000 + 512 * (scan % 5));

    assert_eq!(compactions(&words(&mut rig(&[]), [100_000; 50], 0)), [0; 0]);
    assert_eq!(compactions(&words(&mut rig(&[]), growing, 0)), [0; 0]);
    assert_eq!(compactions(&words(&mut rig(&[]), saw, 0)), [0; 0]);
}

#[test]
fn a_node_on_which_it_does_not_help_is_compacted_ever_more_rarely_and_that_is_told() {
    let words = words(&mut rig(&[]), [0; 400], 0);

    // Every 60 s at first, then 120, 240, 480, 960.
    let scans = compactions(&words);
    assert_eq!(scans, [7, 19, 43, 91, 187, 379]);
    assert!(
        words[19].requests[0]
            .details
            .ends_with(
                "\nit was compacted 120 s ago, the cool-down of 120 s is over; longer than usual, as the last 1 did \
                 not help"
            )
    );
    let told: Vec<_> = words.iter().flat_map(Words::told).collect();
    assert_eq!(told.len(), 6);
    assert_eq!(
        told[0],
        "info no-help: compacting node 0 did not help: blocks of order 7 or more held 0 pages more than the trend \
         predicted, and 10000 would have been worth it (0 before); it is not repeated for 120 s"
    );
}

#[test]
fn where_it_helps_it_is_asked_for_again_when_it_is_needed_again() {
    let mut rig = rig(&[]);

    // 60 000 pages a time, used up at 409.6 a second.
    let words = words(&mut rig, shrinking(80), 60_000);

    let scans = compactions(&words);
    assert!(
        scans.len() >= 2 && scans.windows(2).all(|pair| pair[1] - pair[0] >= 6),
        "{scans:?}"
    );
    let details = &words[scans[1]].requests[0].details;
    assert!(
        details.contains("pages/s into large blocks: this was measured ")
            && details.ends_with(" s ago, the cool-down of 60 s is over"),
        "{details}"
    );
    let told: Vec<_> = words.iter().flat_map(Words::told).collect();
    assert!(
        told[0].starts_with("debug helped: compacting node 0 helped: "),
        "{told:?}"
    );
}

#[test]
fn nodes_are_looked_at_one_by_one() {
    let mut rig = rig(&[]);
    let mut nodes = Vec::new();
    for (scan, large) in (1..).zip(shrinking(24)) {
        let large = large.unsigned_abs();
        let zones = [zone(0, 200_000, 200_000 - large), zone(3, 200_000, large)];
        nodes.extend(asked(&rig.scan(&machine(scan, &zones))));
    }

    assert_eq!(nodes, [3]);
}

#[test]
fn a_node_that_disappears_and_comes_back_has_its_cool_down_still() {
    let mut rig = rig(&[("cool-down-secs", 600.into())]);
    let both = [zone(0, 200_000, 100_000), zone(1, 200_000, 0)];
    let mut scan = |number, zones: &[Zone]| rig.scan(&machine(number, zones));

    let before: Vec<_> = (1..=8).map(|number| asked(&scan(number, &both))).collect();
    let gone: Vec<_> = (9..20).map(|number| scan(number, &both[..1])).collect();
    let back: Vec<_> = (20..100)
        .flat_map(|number| asked(&scan(number, &both)))
        .collect();

    assert_eq!(before[7], [1]);
    assert!(
        gone.iter()
            .all(|words| asked(words).is_empty() && words.findings.is_empty())
    );
    assert_eq!(back, [1]);
}

#[test]
fn without_free_memory_there_is_nothing_to_compact() {
    let mut rig = rig(&[]);

    let requests = (1..50).flat_map(|scan| asked(&rig.scan(&machine(scan, &[zone(0, 1_000, 0)]))));

    assert_eq!(requests.count(), 0);
}

#[test]
fn only_orders_up_to_the_highest_are_looked_at() {
    let mut blocks = vec![0; 11];
    (blocks[0], blocks[8]) = (100_000, 100);
    let zone = Zone {
        free_blocks: Some(blocks),
        ..zone(0, 0, 0)
    };
    let requests = |max_order: i64| {
        let mut rig = rig(&[("max-order", max_order.into())]);
        let scan = |scan| asked(&rig.scan(&machine(scan, std::slice::from_ref(&zone)))).len();
        (1..10).map(scan).sum::<usize>()
    };

    assert_eq!([7, 8, 9, 20].map(requests), [0, 0, 1, 1]);
}

#[test]
fn what_is_no_reason_is_told_with_what_is() {
    let mut rig = rig(&[("aggressiveness", 3.into())]);
    let words = words(&mut rig, [1_024; 8], 0);
    let scarce = (1..20).flat_map(|scan| {
        let mut blocks = vec![0; 11];
        (blocks[0], blocks[6]) = (1_500, 20 + u64::from(scan));
        let zone = Zone {
            free_blocks: Some(blocks),
            ..zone(0, 0, 0)
        };
        let mut words = rig.scan(&machine(100 + scan, &[zone]));
        words
            .requests
            .drain(..)
            .map(|request| request.details)
            .collect::<Vec<_>>()
    });

    let scarce: Vec<String> = scarce.collect();

    assert_eq!(asked(&words[7]), [0; 0]);
    let lines: Vec<_> = scarce[0].lines().collect();
    assert_eq!(
        lines[..4],
        [
            "order 9 or more: 0 pages, no block is left; due 10 s before: now",
            "order 8 or more: 0 pages, no block is left; due 10 s before: now",
            "order 7 or more: 0 pages, no block is left; due 10 s before: now",
            "order 6 or more: 1792 pages, 6.4 pages/s more; not due",
        ]
    );
}

#[test]
fn aggressiveness_is_the_highest_order_unless_that_is_set() {
    let highest = |options: &[(&str, Value)]| {
        let status = rig(options).scan(&machine(1, &[zone(0, 1_000, 0)])).status;
        let (_, order) = status.split_once("smaller than order ").unwrap();
        order.to_owned()
    };

    assert_eq!(highest(&[]), "7");
    assert_eq!(
        [1, 2, 3].map(|level| highest(&[("aggressiveness", level.into())])),
        ["5", "7", "9"]
    );
    assert_eq!(
        highest(&[("aggressiveness", 1.into()), ("max-order", 8.into())]),
        "8"
    );
}

#[test]
fn the_small_dma_zone_is_left_out_and_a_large_one_is_not() {
    let dma = |present| Zone {
        name: "DMA".to_owned(),
        present: Some(Pages::new(present)),
        ..zone(0, 100_000, 0)
    };
    let free = |zones: &[Zone]| rig(&[]).scan(&machine(1, zones)).metric("free_bytes");

    let normal = zone(0, 1_000, 0);
    assert_eq!(free(&[dma(4_095), normal.clone()]), Some(4_096_000.0));
    assert_eq!(free(&[dma(1 << 20), normal]), Some(413_696_000.0));
}

#[test]
fn a_suspend_starts_the_trend_again() {
    let mut rig = rig(&[]);
    let requests = (1..8)
        .chain(1_000..1_007)
        .flat_map(|scan| asked(&rig.scan(&machine(scan, &[zone(0, 200_000, 0)]))));

    assert_eq!(requests.count(), 0);
}

#[test]
fn a_missing_file_is_named() {
    let no_blocks = Zone {
        free_blocks: None,
        ..zone(0, 1, 0)
    };
    let verdict = |machine: &Machine| rig(&[]).scan(machine).verdict;
    let failed = |text: &str| Verdict::Failed(text.to_owned());

    assert_eq!(
        verdict(&Machine::new()),
        failed("there is no /proc/zoneinfo")
    );
    assert_eq!(
        verdict(&machine(1, &[no_blocks])),
        failed("there is no /proc/buddyinfo")
    );
}

#[test]
fn a_watermark_that_the_kernel_does_not_print_is_not_taken_for_zero() {
    let no_low = Zone {
        low: None,
        ..zone(0, 200_000, 0)
    };

    let verdict = rig(&[]).scan(&machine(1, &[no_low])).verdict;

    let problem = "/proc/zoneinfo does not say the low watermark of a zone";
    assert_eq!(verdict, Verdict::Failed(problem.to_owned()));
}

#[test]
fn every_scan_has_its_numbers_and_says_how_things_stand() {
    let mut rig = rig(&[]);
    let large_pages = PageSize::new(65_536).unwrap();
    let words: Vec<Words> = (1..9)
        .map(|scan| {
            rig.scan(
                &machine(scan, &[zone(0, 2_000, 0), zone(2, 10_240, 10_240)])
                    .page_size(large_pages),
            )
        })
        .collect();

    let metrics = |words: &Words| {
        ["free_bytes", "fragmented_bytes", "time_left_seconds"].map(|name| words.metric(name))
    };
    assert_eq!(
        metrics(&words[0]),
        [Some(802_160_640.0), Some(131_072_000.0), None]
    );
    assert_eq!(metrics(&words[7])[2], Some(0.0));
    assert_eq!(
        words[7].status,
        "node 0: 2000 of 2000 free pages are in blocks smaller than order 7, and larger ones run out in 0 s; \
         node 2: 0 of 10240 free pages are in blocks smaller than order 7"
    );
}

proptest! {
    #[test]
    fn a_node_is_compacted_at_most_once_in_a_cool_down(
        cool_down in 10_i64..300,
        scans in prop::collection::vec((1_u32..6, prop::collection::vec((0_u64..1 << 20, 0_u64..1 << 20), 0..4)), 1..120),
    ) {
        let mut rig = rig(&[("cool-down-secs", cool_down.into())]);
        let mut last = [None; 4];
        let mut now = 0;
        for (step, nodes) in scans {
            now += step;
            let zones: Vec<Zone> = (0..).zip(nodes).map(|(node, (free, large))| zone(node, free, large)).collect();
            let words = rig.scan(&machine(now, &zones));
            if zones.is_empty() {
                continue;
            }
            for node in asked(&words) {
                prop_assert!(zones.iter().any(|zone| zone.node == node));
                let before = last[node as usize].replace(now);
                let elapsed = before.map(|before| i64::from(now - before) * 10);
                prop_assert!(elapsed.is_none_or(|elapsed| elapsed >= cool_down), "{:?}", elapsed);
            }
        }
    }

    #[test]
    fn large_blocks_that_do_not_become_fewer_are_never_a_reason(
        start in 512_u64..1 << 18,
        steps in prop::collection::vec(0_u64..4_096, 8..80),
    ) {
        let large = steps.into_iter().scan(start, |large, step| {
            *large += step;
            Some(*large)
        });
        let mut rig = rig(&[]);
        for (scan, large) in (1..).zip(large) {
            let words = rig.scan(&machine(scan, &[zone(0, 1 << 20, large)]));
            prop_assert_eq!(asked(&words), Vec::<u32>::new());
        }
    }

    #[test]
    fn blocks_that_are_used_up_faster_are_never_made_later(
        start in 20_000_u64..200_000, few in 1_u64..20, more in 0_u64..20,
    ) {
        let first = |step: u64| {
            let mut rig = rig(&[]);
            (1..500).find(|&scan| {
                let large = start.saturating_sub(512 * step * u64::from(scan));
                !asked(&rig.scan(&machine(scan, &[zone(0, 200_000, large)]))).is_empty()
            })
        };

        let (slow, fast) = (first(few), first(few + more));

        prop_assert!(fast.is_some());
        prop_assert!(slow.is_none() || fast <= slow, "{:?} {:?}", fast, slow);
    }

    #[test]
    fn no_number_of_blocks_makes_it_panic(counts in prop::collection::vec(prop::collection::vec(any::<u64>(), 0..70), 1..12)) {
        let mut rig = rig(&[("max-order", 20.into())]);
        for (scan, blocks) in (1..).zip(counts) {
            let zone = Zone { free_blocks: Some(blocks), ..zone(0, 0, 0) };
            let words = rig.scan(&machine(scan, &[zone]));
            prop_assert!(!matches!(words.verdict, Verdict::Panicked(_)), "{:?}", words.verdict);
        }
    }
}
