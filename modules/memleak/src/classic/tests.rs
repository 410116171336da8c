use core::time::Duration;

use adaptivemm_module_api::units::Uptime;
use proptest::prelude::*;

use super::*;

/// What a detector reports of a series of unaccounted bytes, scan by scan.
fn reports(min_growth_percent: f64, series: &[i64]) -> Vec<(bool, bool)> {
    let mut machine = Machine::new(min_growth_percent);
    series.iter().map(|&bytes| machine.scan(bytes)).collect()
}

/// The scans, counted from 0, in which `kind` of a series was reported with no minimum of growth.
fn when(kind: fn((bool, bool)) -> bool, series: &[i64]) -> Vec<usize> {
    let reports = reports(0.0, series);
    (0..series.len())
        .filter(|&scan| kind(reports[scan]))
        .collect()
}

fn slow(report: (bool, bool)) -> bool {
    report.0
}

fn sudden(report: (bool, bool)) -> bool {
    report.1
}

/// `scans` scans after the first, each with 11 % more than the one before.
fn growing(from: i64, scans: usize) -> Vec<i64> {
    core::iter::successors(Some(from), |last| Some(last * 111 / 100 + 1))
        .take(scans + 1)
        .collect()
}

/// A machine of 1000 MiB that is scanned every 30 s.
struct Machine {
    classic: Classic,
    sample: Sample<'static>,
}

impl Machine {
    fn new(min_growth_percent: f64) -> Self {
        Self {
            classic: Classic::new(min_growth_percent),
            sample: Sample::quiet(),
        }
    }

    /// Whether the next scan shows a slow leak, and whether it shows a sudden one.
    fn scan(&mut self, bytes: i64) -> (bool, bool) {
        self.scan_after(Duration::from_secs(30), bytes)
    }

    fn scan_after(&mut self, elapsed: Duration, bytes: i64) -> (bool, bool) {
        self.sample.at = Uptime(self.sample.at.0 + elapsed);
        self.sample.unaccounted = Balance::new(bytes);
        let verdict = self.classic.observe(&self.sample);
        (verdict.slow.is_some(), verdict.sudden.is_some())
    }

    /// Whether growth in ten scans is reported though `event` comes after five of them.
    fn sees_through(mut self, event: impl FnOnce(&mut Sample<'static>)) -> bool {
        let series = growing(10_000, 10);
        let mut seen = false;
        for &bytes in &series[..6] {
            self.scan(bytes);
        }
        event(&mut self.sample);
        for &bytes in &series[6..] {
            seen |= self.scan(bytes).0;
        }
        seen
    }
}

#[test]
fn growth_in_ten_scans_in_a_row_is_a_slow_leak_and_nine_are_not() {
    assert_eq!(when(slow, &growing(10_000, 10)), [10]);
    assert_eq!(when(slow, &growing(10_000, 9)), []);
}

#[test]
fn exactly_a_tenth_more_is_not_growth() {
    let series = |more: i64| {
        let mut series = growing(10_000, 5);
        series[5] = series[5] / 10 * 10 + 10;
        series.extend(growing(series[5] / 10 * 11 + more, 4));
        series
    };

    assert_eq!(when(slow, &series(0)), []);
    assert_eq!(when(slow, &series(1)), [10]);
}

#[test]
fn the_streak_starts_again_after_a_report() {
    assert_eq!(when(slow, &growing(10_000, 29)), [10, 20]);
    assert_eq!(when(slow, &growing(10_000, 30)), [10, 20, 30]);
}

#[test]
fn a_scan_without_growth_ends_the_streak() {
    let mut series = growing(10_000, 9);
    series.push(series[9]);
    series.extend(growing(series[9] * 2, 8));

    assert_eq!(when(slow, &series), []);
}

#[test]
fn more_than_twice_as_much_as_three_scans_ago_is_a_sudden_leak_and_twice_is_not() {
    assert_eq!(when(sudden, &[100, 100, 100, 201]), [3]);
    assert_eq!(when(sudden, &[100, 130, 170, 201]), [3]);
    assert_eq!(when(sudden, &[100, 100, 100, 200]), []);
    assert_eq!(when(sudden, &[100, 201, 201]), []);
}

#[test]
fn a_sudden_leak_is_reported_once_until_it_is_over() {
    let series = [100, 100, 100, 300, 300, 300, 300, 300, 300, 700];

    assert_eq!(when(sudden, &series), [3, 9]);
    assert_eq!(when(sudden, &[1, 3, 9, 27, 81, 243, 729]), [3]);
}

#[test]
fn nothing_grows_from_zero_or_less() {
    assert_eq!(when(slow, &growing(0, 10)), []);
    assert_eq!(when(slow, &[-500; 30]), []);
    assert_eq!(when(sudden, &[-500, -500, -500, 900, 900]), []);
    assert_eq!(when(sudden, &[0, 0, 0, 900, 900]), []);
}

#[test]
fn a_slow_leak_must_have_grown_enough_since_its_streak_began() {
    let mut series = growing(11 << 19, 10);

    series[10] = series[0] + (10 << 20);
    assert!(slow(reports(1.0, &series)[10]));

    series[10] -= 1;
    assert!(!slow(reports(1.0, &series)[10]));
    assert!(slow(reports(0.0, &series)[10]));
}

#[test]
fn a_streak_that_is_long_but_small_goes_on_until_it_has_grown_enough() {
    let series = growing(3 << 20, 20);
    let reports = reports(1.0, &series);

    let first = reports.iter().position(|&report| slow(report)).unwrap();

    assert!(series[first] - series[0] >= 10 << 20);
    assert!(series[first - 1] - series[0] < 10 << 20);
    assert_eq!(first, 15);
}

#[test]
fn a_sudden_leak_must_have_grown_enough_since_three_scans_ago() {
    let mib = |mib: [i64; 5]| mib.map(|mib| mib << 20);

    assert_eq!(
        reports(1.0, &mib([5, 5, 5, 14, 14]))
            .iter()
            .filter(|&&report| sudden(report))
            .count(),
        0
    );
    assert!(reports(1.0, &mib([5, 5, 5, 15, 15]))[4].1);
}

#[test]
fn with_a_minimum_memory_must_be_found_doubled_in_two_scans_in_a_row() {
    let when = |mib: &[i64]| {
        let series: Vec<_> = mib.iter().map(|mib| mib << 20).collect();
        let reports = reports(1.0, &series);
        (0..series.len())
            .filter(|&scan| sudden(reports[scan]))
            .collect::<Vec<_>>()
    };

    assert_eq!(when(&[100, 100, 100, 300, 300, 300, 300, 300]), [4]);
    assert_eq!(when(&[100, 100, 100, 300, 100, 100, 300, 100]), []);
    assert_eq!(when(&[100, 100, 10, 100, 100, 100, 100, 100]), []);
    assert_eq!(when(&[5, 5, 5, 14, 14, 15]), [5], "grew too little");
    assert_eq!(when(&[100, 100, 130, 170, 210, 220, 230]), [5]);
    assert_eq!(when(&[100, 10, 100, 100, 100, 100, 100]), []);
    assert_eq!(when(&[10, 100, 100, 100, 100, 100, 100]), []);
    assert_eq!(when(&[100, 100, 300, 300, 300, 300, 700, 700]), [4, 7]);
    assert_eq!(when(&[10, 30, 90, 270, 810, 2430]), [4]);
}

#[test]
fn a_doubling_is_measured_from_three_scans_before_the_first_that_found_it() {
    let mut machine = Machine::new(1.0);
    for mib in [110, 90, 100, 120, 140, 300] {
        machine.scan(mib << 20);
    }
    machine.sample.unaccounted = Balance::new(320 << 20);

    let verdict = machine.classic.observe(&machine.sample);

    let growth = verdict.sudden.unwrap();
    let mib = |balance: &Balance| balance.get() >> 20;
    assert_eq!(mib(&growth.from.unaccounted), 100);
    assert_eq!(growth.scans, 4);
    assert_eq!(
        growth.history.iter().map(mib).collect::<Vec<_>>(),
        [100, 120, 140, 300, 320]
    );
}

#[test]
fn growth_is_measured_from_where_it_began() {
    let mut machine = Machine::new(0.0);
    let series = growing(10_000, 10);
    for &bytes in &series[..10] {
        machine.scan(bytes);
    }
    machine.sample.unaccounted = Balance::new(series[10]);
    machine.sample.at = Uptime(machine.sample.at.0 + Duration::from_secs(30));

    let verdict = machine.classic.observe(&machine.sample);

    let growth = verdict.slow.unwrap();
    assert_eq!(growth.from.unaccounted.get(), series[0]);
    assert_eq!(growth.now.unaccounted.get(), series[10]);
    assert_eq!(growth.amount().get(), series[10] - series[0]);
    assert_eq!(
        growth.now.at.since(growth.from.at),
        Duration::from_secs(300)
    );
    assert_eq!((growth.scans, growth.baseline.get()), (10, series[0]));
}

#[test]
fn the_baseline_falls_with_the_least_scan_and_the_first_one_is_no_fall() {
    let mut classic = Classic::new(0.0);
    let mut observe = |bytes| {
        let verdict = classic.observe(&Sample {
            unaccounted: Balance::new(bytes),
            ..Sample::quiet()
        });
        (verdict.is_baseline_lower, verdict.baseline.get())
    };

    assert_eq!(
        [500, 500, 600, 499, -7, 0].map(&mut observe),
        [
            (false, 500),
            (false, 500),
            (false, 500),
            (true, 499),
            (true, -7),
            (false, -7)
        ]
    );
}

#[test]
fn a_change_of_more_than_a_tenth_is_noticed_up_and_down() {
    let mut classic = Classic::new(0.0);
    let mut observe = |bytes| {
        let verdict = classic.observe(&Sample {
            unaccounted: Balance::new(bytes),
            ..Sample::quiet()
        });
        verdict.changed_from.map(Balance::get)
    };

    assert_eq!(
        [100, 110, 122, 110, 98, -98, -100, 0, 1].map(&mut observe),
        [
            None,
            None,
            Some(110),
            None,
            Some(110),
            Some(98),
            None,
            Some(-100),
            Some(0)
        ]
    );
}

#[test]
fn two_missing_scans_break_a_streak_and_one_does_not() {
    let late = |period: f64| {
        let delay = Duration::from_secs(30).mul_f64(period - 1.0);
        Machine::new(0.0).sees_through(|sample| sample.at = Uptime(sample.at.0 + delay))
    };

    assert!(late(2.5));
    assert!(!late(2.51));
}

#[test]
fn a_core_that_does_not_know_its_period_is_never_late() {
    assert!(Machine::new(0.0).sees_through(|sample| sample.period = Duration::ZERO));
}

#[test]
fn a_machine_that_changes_its_size_breaks_a_streak() {
    let resized = |bytes| Machine::new(0.0).sees_through(|sample| sample.total = Bytes::new(bytes));
    let total = 1000 << 20;

    assert!(resized(total + total / 200));
    assert!(resized(total - total / 200));
    assert!(!resized(total + total / 200 + 1));
    assert!(!resized(total - total / 200 - 1));
}

#[test]
fn a_change_of_the_huge_pages_breaks_a_streak() {
    assert!(!Machine::new(0.0).sees_through(|sample| sample.hugepages = Bytes::new(2 << 20)));
}

#[test]
fn a_break_forgets_what_came_before_but_not_the_baseline() {
    let mut machine = Machine::new(0.0);
    let first = [100, 100, 100, 300].map(|bytes| machine.scan(bytes));
    machine.scan_after(Duration::from_secs(3600), 900);
    let second = [900, 900, 2000].map(|bytes| machine.scan(bytes));

    assert_eq!(first[3], (false, true));
    assert_eq!(second, [(false, false), (false, false), (false, true)]);
    assert_eq!(machine.classic.baseline(), Some(Balance::new(100)));
}

/// The seed's two rules, read off its text, for a series without breaks.
fn seed_rules(series: &[i64]) -> Vec<(bool, bool)> {
    let doubled = |scan: usize| {
        scan >= 3
            && series[scan - 3] > 0
            && series[scan] / 2 >= series[scan - 3]
            && series[scan] != 2 * series[scan - 3]
    };
    let mut consecutive = 0;
    (0..series.len())
        .map(|scan| {
            let grew = scan > 0
                && series[scan - 1] > 0
                && 10 * (series[scan] - series[scan - 1]) > series[scan - 1];
            consecutive = if grew { consecutive + 1 } else { 0 };
            let slow = consecutive == 10;
            if slow {
                consecutive = 0;
            }
            (slow, doubled(scan) && !doubled(scan - 1))
        })
        .collect()
}

/// A series in which long growth and sudden jumps are likely.
fn series() -> impl Strategy<Value = Vec<i64>> {
    let step = prop_oneof![8 => 108..130_i64, 1 => 50..250_i64];
    (1_000..1_000_000_i64, prop::collection::vec(step, 0..120)).prop_map(|(first, steps)| {
        let grown = steps.iter().scan(first, |last, step| {
            *last = (*last * step / 100).min(1 << 50);
            Some(*last)
        });
        core::iter::once(first).chain(grown).collect()
    })
}

proptest! {
    #[test]
    fn without_a_minimum_it_is_the_seed_to_the_letter(series in series()) {
        prop_assert_eq!(reports(0.0, &series), seed_rules(&series));
    }

    #[test]
    fn a_machine_whose_unaccounted_memory_only_falls_is_never_reported(mut series: Vec<i64>) {
        series.sort_unstable_by(|a, b| b.cmp(a));

        prop_assert!(reports(0.0, &series).iter().all(|&report| report == (false, false)));
    }

    #[test]
    fn a_higher_minimum_never_makes_the_first_report_earlier(series in series(), percent in 0.0..10.0_f64) {
        let first = |percent| reports(percent, &series).iter().position(|&(slow, sudden)| slow || sudden);

        let (without, with) = (first(0.0), first(percent));

        prop_assert!(with.is_none() || without <= with);
    }

    #[test]
    fn no_numbers_make_it_panic_and_the_baseline_only_falls(
        scans in prop::collection::vec((any::<i64>(), any::<u64>(), any::<u64>(), any::<u64>()), 0..60),
    ) {
        let mut classic = Classic::new(1.0);
        let mut least = i64::MAX;
        for (unaccounted, total, hugepages, nanos) in scans {
            let verdict = classic.observe(&Sample {
                at: Uptime(Duration::from_nanos(nanos)),
                total: Bytes::new(total),
                hugepages: Bytes::new(hugepages),
                unaccounted: Balance::new(unaccounted),
                ..Sample::quiet()
            });
            least = least.min(unaccounted);
            prop_assert_eq!(verdict.baseline.get(), least);
        }
    }
}
