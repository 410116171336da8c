//! The rules of the classic detector, on traces.

use crate::outside::recording::{PERIOD, Recording, TOTAL, growing};
use crate::outside::recordings::{
    hotplug, hugepages, nine_scans, seed_example, slow, sudden, suspend,
};

/// Nothing is configured.
const DEFAULTS: &str = "";
/// The rules of the seed without a minimum of growth.
const TO_THE_LETTER: &str = "[modules.memleak.config]\nmin-growth-percent = 0\n";

/// The reports on a machine on which this is unaccounted for, scan by scan, in kB.
fn leaks(series: &[u64]) -> Vec<(usize, String)> {
    leaks_with(TO_THE_LETTER, series)
}

fn leaks_with(config: &str, series: &[u64]) -> Vec<(usize, String)> {
    Recording::new("").scans(series).leaks(config)
}

fn slow_at(scan: usize) -> (usize, String) {
    (scan, "slow-leak".to_owned())
}

fn sudden_at(scan: usize) -> (usize, String) {
    (scan, "sudden-leak".to_owned())
}

/// Ten scans with growth, of which the sixth has 10 % and this many kB more.
fn growing_with_a_step_of(more: u64) -> Vec<u64> {
    let mut series = growing(100_000, 4);
    let tens = series[4] / 10 * 11 / 10 * 10 + 10;
    series.extend([tens, tens / 10 * 11 + more]);
    series.extend(&growing(series[6], 4)[1..]);
    series
}

#[test]
fn ten_scans_with_growth_of_more_than_ten_percent_are_a_slow_leak() {
    assert_eq!(leaks(&growing_with_a_step_of(1)), [slow_at(10)]);
}

#[test]
fn exactly_ten_percent_is_not_growth() {
    assert_eq!(leaks(&growing_with_a_step_of(0)), []);
}

#[test]
fn nine_scans_are_not_ten() {
    assert_eq!(nine_scans().leaks(TO_THE_LETTER), []);
    assert_eq!(leaks(&growing(100_000, 10)), [slow_at(10)]);
}

#[test]
fn one_pause_starts_again() {
    let mut series = growing(100_000, 5);
    series.extend(growing(series[5], 10));

    assert_eq!(leaks(&series[..15]), []);
    assert_eq!(leaks(&series), [slow_at(16)]);
}

#[test]
fn a_second_slow_leak_is_reported_after_another_ten_scans() {
    assert_eq!(leaks(&growing(100_000, 19)), [slow_at(10)]);
    assert_eq!(leaks(&growing(100_000, 20)), [slow_at(10), slow_at(20)]);
}

#[test]
fn doubling_over_three_scans_is_a_sudden_leak_and_over_four_is_not() {
    assert_eq!(leaks(&[200_000, 200_000, 200_000, 400_001]), [sudden_at(3)]);
    assert_eq!(leaks(&[200_000, 260_000, 330_000, 400_001]), [sudden_at(3)]);
    assert_eq!(leaks(&[200_000, 250_000, 300_000, 350_000, 400_001]), []);
}

#[test]
fn exactly_twice_as_much_is_not_a_sudden_leak() {
    assert_eq!(leaks(&[200_000, 200_000, 200_000, 400_000]), []);
}

#[test]
fn a_sudden_leak_is_reported_once_until_it_is_over() {
    let plateau = [
        100_000, 100_000, 100_000, 210_000, 210_000, 210_000, 210_000,
    ];
    let and_again = [&plateau[..], &[430_000]].concat();

    assert_eq!(leaks(&plateau), [sudden_at(3)]);
    assert_eq!(leaks(&and_again), [sudden_at(3), sudden_at(7)]);
}

#[test]
fn memory_that_is_in_no_figure_for_one_scan_is_no_sudden_leak_by_default() {
    let torn_down = [200_000, 200_000, 200_000, 500_000, 200_000, 200_000];
    let set_up = [200_000, 200_000, 200_000, 50_000, 200_000, 200_000, 200_000];

    for series in [&torn_down[..], &set_up] {
        assert_eq!(leaks_with(DEFAULTS, series), []);
        assert_eq!(leaks(series).len(), 1);
    }
}

#[test]
fn the_baseline_only_falls() {
    let mut recording = Recording::new("");
    recording
        .scans(&[300_000, 400_000, 299_999, 350_000])
        .huge_pages(8);
    recording
        .scans(&[360_000, 250_000])
        .late(9 * PERIOD)
        .scans(&[500_000, 250_000]);

    let events = recording.events(DEFAULTS);

    let kib = events
        .iter()
        .filter(|event| event["kind"] == "metric")
        .map(|event| event["baseline_bytes"].as_i64().unwrap() / 1024);
    assert_eq!(
        kib.collect::<Vec<_>>(),
        [
            300_000, 300_000, 299_999, 299_999, 299_999, 250_000, 250_000, 250_000
        ]
    );
}

#[test]
fn an_interruption_starts_the_streak_again() {
    let uninterrupted = growing(100_000, 19);

    for recording in [suspend(), hotplug(), hugepages()] {
        assert_eq!(recording.leaks(TO_THE_LETTER), []);
    }
    assert_eq!(leaks(&uninterrupted), [slow_at(10)]);
}

/// Whether a machine on which something happens just before memory doubles is reported.
fn is_compared_after(event: impl FnOnce(&mut Recording)) -> bool {
    let mut recording = Recording::new("");
    recording.scans(&[200_000; 3]);
    event(&mut recording);
    !recording.scans(&[410_000]).leaks(TO_THE_LETTER).is_empty()
}

#[test]
fn a_scan_that_is_late_by_more_than_one_and_a_half_periods_starts_again() {
    let late_by = |ms| {
        is_compared_after(|recording| {
            recording.late(ms);
        })
    };

    assert!(late_by(PERIOD * 3 / 2));
    assert!(!late_by(PERIOD * 3 / 2 + 1));
}

#[test]
fn a_change_of_memtotal_by_more_than_half_a_percent_starts_again() {
    let becomes = |total| {
        is_compared_after(|recording| {
            recording.set("MemTotal", total);
        })
    };

    assert!(becomes(TOTAL + TOTAL / 200));
    assert!(becomes(TOTAL - TOTAL / 200));
    assert!(!becomes(TOTAL + TOTAL / 200 + 1));
    assert!(!becomes(TOTAL - TOTAL / 200 - 1));
}

#[test]
fn a_change_of_the_huge_pages_starts_again() {
    assert!(!is_compared_after(|recording| {
        recording.huge_pages(1);
    }));
    assert!(is_compared_after(|recording| {
        recording.huge_pages(0);
    }));
}

#[test]
fn growth_of_less_than_one_percent_of_memory_is_not_reported_by_default() {
    let small = growing(50_000, 11);
    let doubled = [90_000, 90_000, 90_000, 189_999, 189_999];

    assert_eq!(leaks_with(DEFAULTS, &small), []);
    assert_eq!(leaks(&small), [slow_at(10)]);
    assert_eq!(leaks_with(DEFAULTS, &doubled), []);
    assert_eq!(leaks(&doubled), [sudden_at(3)]);
}

#[test]
fn growth_of_exactly_one_percent_of_memory_is_reported() {
    let doubled = [90_000, 90_000, 90_000, 190_000, 190_000];
    let mut ten_scans = growing(60_000, 10);
    ten_scans[10] = ten_scans[0] + TOTAL / 100;
    let mut a_kb_less = ten_scans.clone();
    a_kb_less[10] -= 1;

    assert_eq!(leaks_with(DEFAULTS, &doubled), [sudden_at(4)]);
    assert_eq!(leaks_with(DEFAULTS, &ten_scans), [slow_at(10)]);
    assert_eq!(leaks_with(DEFAULTS, &a_kb_less), []);
}

#[test]
fn a_small_leak_is_reported_once_it_has_grown_enough() {
    let series = growing(50_000, 13);

    assert_eq!(leaks_with(DEFAULTS, &series[..12]), []);
    assert_eq!(leaks_with(DEFAULTS, &series), [slow_at(12)]);
}

#[test]
fn a_leak_that_is_older_than_the_daemon_is_reported_by_its_level() {
    let missing = [1_100_000; 5];

    assert_eq!(
        leaks_with(DEFAULTS, &missing),
        [(2, "level-leak".to_owned())]
    );
}

#[test]
fn the_log_of_the_worked_example_has_the_line_of_the_seed() {
    insta::assert_snapshot!(seed_example().log(DEFAULTS, &["-vvvvv"]), @r"
    0.000 debug core: the trace does not contain /proc/vmstat; what depends on it is left out
    0.000 debug core: the trace does not contain /proc/zoneinfo; what depends on it is left out
    0.000 info memleak: Memory is not exactly accounted for: there is no /proc/vmstat; leaks are looked for with the classic formula only
    0.000 info memleak: 2.1 GiB of 754.1 GiB not accounted for (classic formula, baseline 2.1 GiB); no exact accounting: there is no /proc/vmstat
    30.000 debug memleak: Base memory consumption updated to 1541744 K
    30.000 debug memleak: Unaccounted memory changed by more than 10 % since the last scan, from 2.1 GiB to 1.5 GiB
    30.000 info memleak: 1.5 GiB of 754.1 GiB not accounted for (classic formula, baseline 1.5 GiB); no exact accounting: there is no /proc/vmstat
    ");
}

#[test]
fn the_log_of_a_slow_leak_has_all_that_led_to_it() {
    insta::assert_snapshot!(slow().log(DEFAULTS, &[]), @r"
    360.000 warning memleak: Possible slow memory leak: unaccounted memory grew by more than 10 % in each of 10 scans, from 97.7 MiB to 253.3 MiB (+155.6 MiB) in 300 s; baseline 97.7 MiB; the exact accounting confirms it (46.9 MiB -> 202.5 MiB)
    360.000 warning memleak:   Unaccounted memory by the classic formula in the last 11 scans (kB): 100000, 110001, 121002, 133103, 146414, 161056, 177162, 194879, 214367, 235804, 259385; baseline 100000
    360.000 warning memleak:   Fields of /proc/meminfo that changed by more than 10 % in these 300 s:
    360.000 warning memleak:   Dirty: 400 kB -> 900 kB (+125 %)
    360.000 warning memleak:   /proc/meminfo now:
    360.000 warning memleak:   MemTotal: 10000000 kB, MemFree: 8070615 kB, Buffers: 50000 kB, Cached: 1000000 kB
    360.000 warning memleak:   SwapCached: 0 kB, Active(anon): 2000 kB, Inactive(anon): 398000 kB, Active(file): 450000 kB
    360.000 warning memleak:   Inactive(file): 600000 kB, Unevictable: 0 kB, Dirty: 900 kB, AnonPages: 400000 kB
    360.000 warning memleak:   Mapped: 110000 kB, KReclaimable: 120000 kB, Slab: 200000 kB, SReclaimable: 120000 kB
    360.000 warning memleak:   SUnreclaim: 80000 kB, KernelStack: 8000 kB, PageTables: 12000 kB, SecPageTables: 0 kB
    360.000 warning memleak:   VmallocUsed: 30000 kB, Percpu: 10000 kB, HugePages_Total: 0, Hugepagesize: 2048 kB
    360.000 warning memleak:   Hugetlb: 0 kB
    ");
}

#[test]
fn the_log_of_a_small_sudden_leak_is_one_line_unless_more_is_asked_for() {
    let verbose = sudden().log(DEFAULTS, &["-v"]);
    assert!(verbose.contains("/proc/meminfo now:"), "{verbose}");
    insta::assert_snapshot!(sudden().log(DEFAULTS, &[]), @r"
    150.000 notice memleak: Possible sudden memory leak: unaccounted memory more than doubled within 3 scans, and stayed so, from 195.3 MiB to 488.3 MiB (+293.0 MiB) in 120 s; baseline 195.3 MiB; the exact accounting confirms it (144.5 MiB -> 437.5 MiB)
    ");
}

#[test]
fn a_report_has_every_line_of_meminfo() {
    let trace = slow();
    let last = trace.meminfo();
    let lines = last.lines().map(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        words.join(" ")
    });

    let log = trace.log(DEFAULTS, &[]);

    let details = log.lines().map(|line| line.split_once("memleak:   "));
    let details: Vec<&str> = details.filter_map(|detail| Some(detail?.1)).collect();
    let start = details
        .iter()
        .position(|&line| line == "/proc/meminfo now:");
    let fields = details[start.unwrap() + 1..]
        .iter()
        .flat_map(|line| line.split(", "));
    assert_eq!(fields.collect::<Vec<_>>(), lines.collect::<Vec<_>>());
}

#[test]
fn growth_that_is_free_memory_on_the_lists_of_the_cpus_is_said_to_be_no_leak() {
    let mut recording = Recording::new("");
    recording.scans(&[200_000; 3]).per_cpu(60_000);

    recording.scans(&[420_000, 420_000]);
    let doubted = recording.log(DEFAULTS, &["-v"]);
    let to_the_letter = recording.log("[modules.memleak.config]\nmin-growth-percent = 0.0\n", &[]);

    assert_eq!(recording.log(DEFAULTS, &[]), "");
    assert!(to_the_letter.starts_with("90.000 warning memleak: Possible sudden memory leak: "));
    insta::assert_snapshot!(doubted.lines().next().unwrap(), @r"
    120.000 info memleak: Possible sudden memory leak: unaccounted memory more than doubled within 3 scans, and stayed so, from 195.3 MiB to 410.2 MiB (+214.8 MiB) in 120 s; baseline 195.3 MiB; probably no leak: the exact accounting explains most of it (unaccounted 144.5 MiB -> 144.5 MiB, free on per-CPU lists 19.5 MiB -> 234.4 MiB)
    ");
}

#[test]
fn a_report_gives_programs_the_numbers() {
    let events = slow().events(DEFAULTS);

    let mut report = events
        .into_iter()
        .find(|event| event["kind"] == "finding")
        .unwrap();
    let fields = report.as_object_mut().unwrap();
    fields.retain(|name, _| name != "text" && name != "details");
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "t_ms": 360000,
      "module": "memleak",
      "kind": "finding",
      "code": "slow-leak",
      "severity": "warning",
      "unaccounted_bytes": 265610240,
      "unaccounted_before_bytes": 102400000,
      "growth_bytes": 163210240,
      "baseline_bytes": 102400000,
      "scans": 10,
      "duration_seconds": 300,
      "unaccounted_exact_bytes": 212362240,
      "per_cpu_free_bytes": 20480000,
      "unaccounted_exact_before_bytes": 49152000,
      "per_cpu_free_before_bytes": 20480000,
      "incident": "growth-360"
    }
    "#);
}
