//! The module from the outside, on machines that are made up.

mod files;
mod machine;
mod properties;

use core::time::Duration;

use adaptivemm_module_api::testing::{self, Machine, Rig, Value, Verdict, Words};
use adaptivemm_module_api::units::PageSize;

use super::*;
use machine::{Node, Simulation};

fn rig(options: &[(&str, Value)]) -> Rig {
    Rig::create::<FreePages>(options).unwrap()
}

fn told(words: &[Words]) -> Vec<String> {
    words.iter().flat_map(Words::told).collect()
}

#[test]
fn a_steady_load_is_met_by_one_value_with_which_nothing_stalls() {
    let (mut simulation, mut rig) = (Simulation::new(40_000), rig(&[]));

    let _ = simulation.scans(&mut rig, 60, &[30_000.0]);
    let (stalls, writes) = (simulation.stalls, simulation.writes.len());
    let _ = simulation.scans(&mut rig, 600, &[30_000.0]);

    // ceil(10000 x 30000 / 1048576) is 287.
    assert!(
        (250..=330).contains(&simulation.scale),
        "{:?}",
        simulation.writes
    );
    assert!(
        simulation.writes.len() - writes <= 2,
        "{:?}",
        simulation.writes
    );
    assert_eq!(simulation.stalls, stalls);
}

#[test]
fn the_value_is_back_a_minute_after_the_load_is_over() {
    let (mut simulation, mut rig) = (Simulation::new(40_000), rig(&[]));
    let _ = simulation.scans(&mut rig, 60, &[60_000.0]);
    assert!(simulation.scale > 300, "{:?}", simulation.writes);

    let _ = simulation.scans(&mut rig, 60, &[0.0]);

    assert_eq!(simulation.scale, 10, "{:?}", simulation.writes);
}

#[test]
fn a_slow_decline_leads_to_action_in_time_and_not_early() {
    let (mut simulation, mut rig) = (Simulation::new(500_000), rig(&[]));

    let _ = simulation.scans(&mut rig, 47, &[10_000.0]);
    assert_eq!(simulation.writes, []);
    let words = simulation.scans(&mut rig, 2, &[10_000.0]);

    let reasons = words.iter().flat_map(|words| &words.requests);
    let reasons: Vec<_> = reasons.map(|request| request.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "node 0 uses 10000 pages/s (39.1 MiB/s), 1.4 s before its high watermark, with 20000 pages free and a high \
             watermark of 6097 pages: a gap for 1.0 s of that is 96 of 10000 of 1048576 pages; the ceiling is 700"
        ]
    );
    assert_eq!(simulation.scale, 96);
}

#[test]
fn a_decline_that_needs_no_more_than_there_is_leads_to_nothing() {
    let (mut simulation, mut rig) = (Simulation::new(20_000), rig(&[]));

    let _ = simulation.scans(&mut rig, 300, &[500.0]);

    assert_eq!(simulation.writes, []);
}

#[test]
fn a_saw_tooth_ends_up_with_one_value() {
    let (mut simulation, mut rig) = (Simulation::new(300_000), rig(&[]));
    let tooth = |simulation: &mut Simulation, rig: &mut Rig| {
        let _ = simulation.scans(rig, 19, &[15_000.0]);
        let _ = simulation.scans(rig, 1, &[-270_000.0]);
    };
    for _ in 0..10 {
        tooth(&mut simulation, &mut rig);
    }
    let writes = simulation.writes.len();

    for _ in 0..30 {
        tooth(&mut simulation, &mut rig);
    }

    assert!(writes > 0);
    assert_eq!(simulation.writes.len(), writes, "{:?}", simulation.writes);
}

#[test]
fn the_need_of_one_node_wins_over_the_ease_of_another() {
    let (mut simulation, mut rig) = (Simulation::new(40_000), rig(&[]));
    simulation.nodes.push(Node::new(3, 10_000));

    let words = simulation.scans(&mut rig, 20, &[30_000.0, -5_000.0]);

    assert!(
        (250..=330).contains(&simulation.scale),
        "{:?}",
        simulation.writes
    );
    let reasons = words.iter().flat_map(|words| &words.requests);
    let reasons: Vec<_> = reasons.map(|request| request.reason.as_str()).collect();
    assert!(
        reasons
            .iter()
            .all(|reason| reason.starts_with("node 0 uses ")),
        "{reasons:#?}"
    );
}

#[test]
fn a_node_that_disappears_takes_its_need_with_it() {
    let (mut simulation, mut rig) = (Simulation::new(500_000), rig(&[]));
    simulation.nodes.push(Node::new(1, 40_000));
    let _ = simulation.scans(&mut rig, 30, &[0.0, 30_000.0]);
    assert!(simulation.scale > 200);

    simulation.nodes.truncate(1);
    let _ = simulation.scans(&mut rig, 60, &[0.0]);

    assert_eq!(simulation.scale, 10, "{:?}", simulation.writes);
}

#[test]
fn huge_pages_lower_the_ceiling_and_it_grows_back_when_they_are_freed() {
    let (mut simulation, mut rig) = (Simulation::new(40_000), rig(&[]));
    let load = [150_000.0];
    let _ = simulation.scans(&mut rig, 20, &load);
    assert_eq!(simulation.scale, 700);

    // Half of memory.
    simulation.hugepages = 2 << 30;
    let words = simulation.scans(&mut rig, 20, &load);
    assert_eq!(simulation.scale, 350, "{:?}", simulation.writes);
    assert_eq!(words[0].metric("ceiling_scale"), Some(350.0));

    simulation.hugepages = 0;
    let _ = simulation.scans(&mut rig, 20, &load);
    assert_eq!(simulation.scale, 700, "{:?}", simulation.writes);
}

#[test]
fn huge_pages_that_are_taken_are_no_load() {
    let (mut simulation, mut rig) = (Simulation::new(500_000), rig(&[]));
    let _ = simulation.scans(&mut rig, 10, &[0.0]);

    for pool in 1..=9 {
        simulation.hugepages = pool * 50_000 * 4096;
        let _ = simulation.scans(&mut rig, 1, &[50_000.0]);
    }

    assert_eq!(simulation.writes, []);
}

#[test]
fn the_largest_gap_is_the_same_memory_whatever_the_page_size() {
    let ceiling = |page_size: u64| {
        let mut simulation = Simulation::new(40_000);
        simulation.page_size = PageSize::new(page_size).unwrap();
        let mut rig = rig(&[("max-gap-gib", 2.into())]);
        simulation.scan(&mut rig).metric("ceiling_scale")
    };

    // The kernel would take at most 3000 of 10000 parts of 4 GiB; 2 of 64 GiB are 312.
    assert_eq!([4096, 65_536].map(ceiling), [Some(3000.0), Some(312.0)]);
}

#[test]
fn aggressiveness_is_the_ceiling() {
    let scale = |level: i32| {
        let mut simulation = Simulation::new(40_000);
        let mut rig = rig(&[("aggressiveness", level.into())]);
        let _ = simulation.scans(&mut rig, 20, &[190_000.0]);
        simulation.scale
    };

    assert_eq!([1, 2, 3].map(scale), [400, 700, 1000]);
}

#[test]
fn a_value_that_the_administrator_sets_in_between_is_what_it_goes_back_to() {
    let (mut simulation, mut rig) = (Simulation::new(40_000), rig(&[]));
    let _ = simulation.scans(&mut rig, 20, &[30_000.0]);

    simulation.set(40);
    let words = simulation.scans(&mut rig, 1, &[0.0]);
    let _ = simulation.scans(&mut rig, 100, &[0.0]);

    assert_eq!(
        told(&words),
        [
            "info changed-by-others: vm.watermark_scale_factor was changed externally; its original value is now 40, \
             and no longer 10"
        ]
    );
    assert_eq!(simulation.scale, 40, "{:?}", simulation.writes);
}

#[test]
fn a_value_of_somebody_else_is_left_alone_until_the_administrator_says_otherwise() {
    let (mut simulation, mut rig) = (Simulation::new(40_000), rig(&[]));
    let _ = simulation.scans(&mut rig, 20, &[30_000.0]);
    let writes = simulation.writes.len();

    simulation.set(40);
    simulation.is_yielded = true;
    let yielded = simulation.scans(&mut rig, 100, &[30_000.0]);
    assert_eq!(simulation.writes.len(), writes, "{:?}", simulation.writes);
    simulation.is_yielded = false;
    let resumed = simulation.scans(&mut rig, 20, &[30_000.0]);
    let tuned = simulation.scale;
    let _ = simulation.scans(&mut rig, 100, &[0.0]);

    assert_eq!(
        told(&yielded),
        [
            "info yielded: vm.watermark_scale_factor was changed externally to 40; tuning is paused until `adaptivemmd resume`"
        ]
    );
    assert_eq!(
        yielded[99].status,
        "vm.watermark_scale_factor was changed externally to 40; tuning is paused until `adaptivemmd resume`"
    );
    assert_eq!(
        told(&resumed)[0],
        "info resumed: tuning of vm.watermark_scale_factor resumed; its original value is now 40"
    );
    assert!(tuned > 200, "{:?}", simulation.writes);
    assert_eq!(simulation.scale, 40, "{:?}", simulation.writes);
}

#[test]
fn a_module_that_is_made_anew_goes_back_to_the_value_of_the_administrator() {
    let mut simulation = Simulation::new(40_000);
    let _ = simulation.scans(&mut rig(&[]), 20, &[30_000.0]);
    assert!(simulation.scale > 200);

    let mut anew = rig(&[]);
    let words = simulation.scans(&mut anew, 100, &[0.0]);

    assert_eq!(words[0].metric("original_scale"), Some(10.0));
    assert_eq!(simulation.scale, 10, "{:?}", simulation.writes);
}

#[test]
fn what_was_weighed_is_told_with_a_request() {
    let mut simulation = Simulation::new(500_000);
    let mut rig = rig(&[("max-gap-gib", 0.25.into())]);
    simulation.nodes.push(Node::new(3, 300_000));
    simulation.hugepages = 4 << 30;

    let words = simulation.scans(&mut rig, 49, &[30_000.0, -10.0]);

    let request = words.iter().find_map(|words| words.requests.first());
    let lines: Vec<_> = request.unwrap().details.lines().collect();
    assert_eq!(
        lines,
        [
            "node 0: 50000 pages free, high watermark 6097 pages, 30000 pages/s (117.2 MiB/s) used, 1.5 s left: needs 287",
            "node 3: 300150 pages free, high watermark 6097 pages, 0 pages/s (0 B/s) used, free pages do not become \
             fewer: needs nothing",
            "the largest need counts: 287, a gap that lasts 1.0 s, in parts of 10000 of the node",
            "ceiling 156: max-gap-gib, 256.0 MiB, which is 312, lowered as 4.0 GiB are in huge pages; that cuts the need",
            "memory allows 3000: 574288 pages of node 0 are free or easily reclaimed, and must stay a quarter above its \
             low watermark",
            "no raise is being judged",
            "vm.watermark_scale_factor was 10, which is its original value",
        ]
    );
}

#[test]
fn a_way_back_is_explained_too() {
    let (mut simulation, mut rig) = (Simulation::new(40_000), rig(&[]));
    let _ = simulation.scans(&mut rig, 30, &[30_000.0]);

    let words = simulation.scans(&mut rig, 60, &[0.0]);

    let request = words.iter().find_map(|words| words.requests.first());
    let details = &request.unwrap().details;
    assert!(
        details.contains("no node needs more than the original value, 10\n")
            && details.contains(
                ", originally 10; less was enough in the last 11 scans, and it is lowered after 12"
            ),
        "{details}"
    );
}

#[test]
fn where_the_kernel_tells_how_long_tasks_waited_that_is_part_of_the_verdict() {
    let verdict = |waited: Option<Duration>| {
        let (mut simulation, mut rig) = (Simulation::new(8_000), rig(&[]));
        simulation.waited = waited;
        let mut words = Vec::new();
        for _ in 0..20 {
            words.extend(simulation.scans(&mut rig, 1, &[250_000.0]));
            words.extend(simulation.scans(&mut rig, 1, &[0.0]));
        }
        let told = told(&words);
        let verdict = told.iter().find(|line| line.starts_with("info raise-"));
        verdict.unwrap().contains("; tasks waited for memory ")
    };

    assert_eq!(
        [None, Some(Duration::from_secs(7))].map(verdict),
        [false, true]
    );
}

#[test]
fn a_kernel_that_rejects_a_value_is_not_asked_every_scan() {
    let (mut simulation, mut rig) = (Simulation::new(40_000), rig(&[]));
    simulation.largest = 0;

    let words = simulation.scans(&mut rig, 60, &[30_000.0]);

    assert_eq!(simulation.writes.len(), 1, "{:?}", simulation.writes);
    let told = told(&words);
    assert!(told[0].starts_with("info not-taken: vm.watermark_scale_factor was not set to "));
    assert_eq!(told.len(), 1);
}

#[test]
fn it_is_said_whether_a_raise_helped() {
    let (mut simulation, mut rig) = (Simulation::new(8_000), rig(&[]));
    // Bursts that are longer than the gap of the original value lasts.
    let mut words = Vec::new();
    for _ in 0..20 {
        words.extend(simulation.scans(&mut rig, 1, &[250_000.0]));
        words.extend(simulation.scans(&mut rig, 1, &[0.0]));
    }

    let told = told(&words);
    assert!(
        told.iter().any(|line| line.starts_with("info raise-")
            && line.contains("allocation stalls/s before and ")),
        "{told:#?} {:?}",
        simulation.writes
    );
}

#[test]
fn what_does_not_help_is_given_back_and_not_tried_again_for_a_while() {
    let (mut simulation, mut rig) = (Simulation::new(40_000), rig(&[]));
    // kswapd is far too slow, whatever the gap.
    simulation.kswapd = 1000.0;

    let words = simulation.scans(&mut rig, 150, &[30_000.0]);

    let told = told(&words);
    assert!(
        told.iter()
            .any(|line| line.starts_with("warning backed-off: ")),
        "{told:#?}"
    );
    assert_eq!(simulation.scale, 10, "{:?}", simulation.writes);
}

#[test]
fn memory_that_is_too_short_for_the_need_is_not_tied_up_and_that_is_said_once() {
    let (mut simulation, mut rig) = (Simulation::new(66_000), rig(&[]));
    simulation.nodes[0].inactive = 0.0;
    simulation.kswapd = 0.0;

    let words = simulation.scans(&mut rig, 10, &[15_000.0]);

    // The need is 144. 21000 free pages are a quarter more than a low watermark of 16800, which 122 makes.
    assert_eq!(simulation.writes, [(1003, 122)]);
    let told = told(&words);
    let held_back = told
        .iter()
        .filter(|line| line.starts_with("notice held-back: "));
    assert_eq!(held_back.count(), 1, "{told:#?}");
}

#[test]
fn a_kernel_without_the_tunable_is_told_so_once_and_nothing_fails() {
    let machine = Machine::new()
        .meminfo(&[("SwapFree", 0)])
        .vmstat(&[("pgsteal_kswapd", 1), ("allocstall", 0)])
        .zone(testing::Zone::new(0, "Normal"));
    let mut rig = rig(&[]);

    let [first, second] = [(); 2].map(|()| rig.scan(&machine));

    assert_eq!(first.told(), [format!("info no-scale: {ABSENT}")]);
    assert_eq!(second.told(), [""; 0]);
    assert_eq!(
        [first.verdict, second.verdict],
        [Verdict::Good, Verdict::Good]
    );
    assert_eq!(
        second.status,
        "idle: this kernel has no vm.watermark_scale_factor"
    );
}

#[test]
fn the_same_machines_give_the_same_words() {
    let run = || Simulation::new(40_000).scans(&mut rig(&[]), 50, &[30_000.0]);

    assert_eq!(run(), run());
}
