use serde_json::json;

use super::*;
use crate::decisions::{Effect, NodeSamples, NodeState, Samples, Window};

/// A question at a quarter past three.
fn asked() -> Asked<'static> {
    Asked {
        path: Path::new("/var/lib/adaptivemmd/decisions.jsonl"),
        now: "2026-11-22T03:15:00Z".parse().unwrap(),
    }
}

fn samples() -> Samples {
    let counts = |counts: [u64; 3]| counts.map(Some).to_vec();
    let metrics = json!({
        "scale": [10, 10, 10],
        "needed_scale": [10, 31, 45],
        "used_pages_per_second": [1200.5, null, 4800.25],
        "reserve_bytes": [51_200_000, 41_200_000, 31_200_000],
    });
    Samples {
        uptime_seconds: vec![180_000.0, 180_030.0, 180_060.5],
        metrics: metrics.as_object().unwrap().clone(),
        allocation_stalls: counts([100, 130, 520]),
        direct_reclaim_pages: counts([0, 0, 64_000]),
        kswapd_reclaim_pages: vec![None; 3],
        compaction_stalls: counts([0, 0, 0]),
        pressure_some_us: counts([0, 15_000, 3_065_000]),
        pressure_full_us: vec![None; 3],
        nodes: vec![NodeSamples {
            node: 0,
            free_pages: counts([90_000, 60_000, 30_000]),
            low_pages: Some(28_000),
            high_pages: Some(42_000),
            free_blocks: vec![10, 20, 30],
        }],
    }
}

fn decision(id: u64, outcome: &str) -> Decision {
    let numbers = json!({ "free_pages": 30_000, "time_left_seconds": 6.25 });
    Decision {
        v: 1,
        id,
        time: Some("2026-11-22T02:11:45Z".to_owned()),
        uptime_seconds: 180_060.5,
        boot_id: Some("6f2b7f6c-6f0a-4a7e-8f2d-2f4a3c1d9e10".to_owned()),
        module: "free-pages".to_owned(),
        action: "vm.watermark_scale_factor = 45".to_owned(),
        tunable: Some("vm.watermark_scale_factor".to_owned()),
        before: Some("10".to_owned()),
        original: Some(10),
        value: Some(45),
        node: None,
        outcome: outcome.to_owned(),
        outcome_text: format!("{outcome}, was 10"),
        changed: outcome == "done",
        reason: "free memory of node 0 is used up in 6 s".to_owned(),
        numbers: numbers.as_object().unwrap().clone(),
        details: vec![
            "31: enough for the last scan, but use grows".to_owned(),
            "60: more than memory allows".to_owned(),
        ],
        page_size_bytes: 4096,
        samples: samples(),
    }
}

fn follow_up() -> FollowUp {
    let window = |stalls, free, blocks: [u64; 3]| Window {
        seconds: 240.0,
        allocation_stalls_per_second: Some(stalls),
        direct_reclaim_pages_per_second: Some(stalls * 160.0),
        kswapd_reclaim_pages_per_second: Some(2100.0),
        compaction_stalls_per_second: None,
        pressure_some_percent: Some(stalls / 2.0),
        pressure_full_percent: Some(0.0),
        nodes: vec![NodeState {
            node: 0,
            free_pages: Some(free),
            low_pages: Some(28_000),
            high_pages: Some(42_000),
            free_blocks: blocks.to_vec(),
        }],
    };
    FollowUp {
        v: 1,
        id: 17,
        time: Some("2026-11-22T02:15:45Z".to_owned()),
        uptime_seconds: 180_300.5,
        module: "free-pages".to_owned(),
        action: "vm.watermark_scale_factor = 45".to_owned(),
        cut_short: false,
        before: window(12.25, 30_000, [10, 20, 30]),
        after: window(0.05, 88_000, [100, 20, 7]),
        value_now: Some(45),
        meanwhile: Vec::new(),
        others: vec![18],
        effect: Effect::Better,
        text: "allocation stalls 12.3/s before, 0.1/s since".to_owned(),
    }
}

#[test]
fn a_page_says_first_what_was_changed_and_why_and_then_what_led_to_it_and_what_came_of_it() {
    let (decision, follow_up) = (decision(17, "done"), follow_up());
    let explained = Explained {
        decision: &decision,
        follow_up: Some(&follow_up),
    };

    insta::assert_snapshot!(page::render(explained, Some(asked())), @r#"
    Decision 17: vm.watermark_scale_factor 10 -> 45, done

      why         free memory of node 0 is used up in 6 s
      afterwards  better since (allocation stalls 12.3/s before, 0.1/s since)
      outcome     done, was 10
      original    10, to be restored when the daemon ends
      when        2026-11-22 02:11:45 UTC, 1 h 3 min ago, 2 d 2 h after boot
      module      free-pages
      numbers     free_pages 30000
                  time_left_seconds 6.2

    What it weighed and rejected
      31: enough for the last scan, but use grows
      60: more than memory allows

    What free-pages saw, scan by scan
      seconds before             60.5      30.5         0
      needed_scale                 10        31        45
      used_pages_per_second    1200.5         ?    4800.2
      reserve_bytes          48.8 MiB  39.3 MiB  29.8 MiB

      the same in each of these scans:
      scale  10

    How the machine did meanwhile, in pages of 4.0 KiB
      seconds before  free, node 0  stalls/s  direct/s  kswapd/s  some %  full %
      60.5                   90000         ?         ?         ?       ?       ?
      30.5                   60000       1.0         0         ?   0.050       ?
      0                      30000      12.8    2098.4         ?    10.0       ?
      node 0: low watermark 28000, high watermark 42000
      stalls: allocations that had to reclaim memory first; direct, kswapd: pages that were reclaimed by
      programs and in the background; some, full: of the time, in which tasks waited for memory (PSI)

    What happened afterwards
                                        4 min 0 s before  4 min 0 s since
      allocation stalls per second                  12.2            0.050
      direct reclaim, pages per second            1960.0              8.0
      kswapd reclaim, pages per second            2100.0           2100.0
      compaction stalls per second                     ?                ?
      PSI some, % of the time                        6.1            0.025
      PSI full, % of the time                          0                0
      node 0: free, pages                          30000            88000
      node 0: low watermark, pages                 28000            28000
      node 0: high watermark, pages                42000            42000

      free blocks of order    0   1   2
      node 0, before         10  20  30
      node 0, since         100  20   7

      vm.watermark_scale_factor was 45 at the end of this time.
      Other decisions changed something in the same time: 18. Nobody can tell their effects apart.

    From /var/lib/adaptivemmd/decisions.jsonl; `adaptivemmd explain 17 --json` prints the records.
    "#);
}

#[test]
fn a_page_says_what_is_not_known() {
    let mut decision = decision(17, "advised");
    decision.details.clear();
    decision.before = None;
    decision.outcome_text = "advised, not done".to_owned();
    decision.time = None;
    decision.samples = Samples::default();
    let explained = Explained {
        decision: &decision,
        follow_up: None,
    };

    insta::assert_snapshot!(page::render(explained, None), @r#"
    Decision 17: vm.watermark_scale_factor = 45, advised

      why      free memory of node 0 is used up in 6 s
      outcome  advised, not done
      when     2 d 2 h after boot
      module   free-pages
      numbers  free_pages 30000
               time_left_seconds 6.2

    What it weighed and rejected
      the module did not say

    What free-pages saw, scan by scan
      it named no numbers

    How the machine did meanwhile, in pages of 4.0 KiB
      seconds before  stalls/s  direct/s  kswapd/s  some %  full %
      stalls: allocations that had to reclaim memory first; direct, kswapd: pages that were reclaimed by
      programs and in the background; some, full: of the time, in which tasks waited for memory (PSI)

    What happened afterwards
      not looked at, as nothing was changed
    "#);
}

#[test]
fn the_list_has_a_line_for_each_and_the_latest_at_its_end() {
    let mut records: Vec<Record> = (1..=22)
        .map(|id| Record::Decision(Box::new(decision(id, "advised"))))
        .collect();
    records[16] = Record::Decision(Box::new(decision(17, "done")));
    records[17] = Record::Decision(Box::new(decision(18, "done")));
    records.insert(18, Record::FollowUp(Box::new(follow_up())));

    let list = list::render(&last(&records), asked().path);

    assert_eq!(list.lines().count(), 1 + 20 + 2);
    let lines: Vec<&str> = list.lines().skip(14).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
      16  2026-11-22 02:11:45  free-pages  vm.watermark_scale_factor 10 -> 45  advised  -
      17  2026-11-22 02:11:45  free-pages  vm.watermark_scale_factor 10 -> 45  done     better since
      18  2026-11-22 02:11:45  free-pages  vm.watermark_scale_factor 10 -> 45  done     not known yet
      19  2026-11-22 02:11:45  free-pages  vm.watermark_scale_factor 10 -> 45  advised  -
      20  2026-11-22 02:11:45  free-pages  vm.watermark_scale_factor 10 -> 45  advised  -
      21  2026-11-22 02:11:45  free-pages  vm.watermark_scale_factor 10 -> 45  advised  -
      22  2026-11-22 02:11:45  free-pages  vm.watermark_scale_factor 10 -> 45  advised  -

    `adaptivemmd explain ID` explains one of them. They are in /var/lib/adaptivemmd/decisions.jsonl.
    "#);
    assert_eq!(range(&records), Some((1, 22)));
}

#[test]
fn an_empty_list_says_where_it_looked() {
    assert_eq!(
        list::render(&[], asked().path),
        "no decisions in /var/lib/adaptivemmd/decisions.jsonl\n"
    );
}
