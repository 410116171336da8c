use proptest::prelude::*;

use super::*;

const MIB: i64 = 1 << 20;

/// What the detector sees on a machine of 1000 MiB that is scanned every 5 minutes.
struct Machine {
    trend: Trend,
    sample: Sample<'static>,
}

impl Machine {
    fn starting_at(secs: u64) -> Self {
        let choices = Choices {
            least: Bytes::from_kib(32 << 10),
            horizons_left: 24,
        };
        Self {
            trend: Trend::new(choices),
            sample: Sample {
                at: Uptime(Duration::from_secs(secs)),
                ..Sample::quiet()
            },
        }
    }

    fn scan(&mut self, levels: &[(Series, i64)]) -> Seen {
        for &(series, mib) in levels {
            self.sample
                .levels
                .set(series, Some(Balance::new(mib * MIB)));
        }
        let seen = self.trend.observe(&self.sample);
        self.sample.at.0 += Duration::from_secs(300);
        seen
    }

    /// The first that is said of levels that rise by so many MiB per scan.
    fn first(&mut self, steps: &[(Series, i64)], scans: i64) -> Option<(i64, Rising)> {
        (0..scans).find_map(|scan| {
            let levels: Vec<_> = steps
                .iter()
                .map(|&(series, step)| (series, 100 + step * scan))
                .collect();
            self.scan(&levels).rising.map(|rising| (scan, rising))
        })
    }
}

#[test]
fn until_a_day_is_known_a_rise_over_an_hour_must_be_four_times_as_fast() {
    // 600 MiB last for 6 h.
    let fast = Machine::starting_at(0)
        .first(&[(Series::Slab, 9)], 200)
        .unwrap();
    let slow = Machine::starting_at(0)
        .first(&[(Series::Slab, 8)], 200)
        .unwrap();

    assert_eq!((fast.0, fast.1.horizon), (14, 0));
    assert_eq!((slow.0, slow.1.horizon), (15 * 6, 1));
}

#[test]
fn a_rise_over_hours_must_go_beyond_the_highest_floor_of_the_day() {
    let with_evenings = |height| {
        let mut machine = Machine::starting_at(0);
        for scan in 0..(2 * 288) {
            machine.scan(&[(Series::Slab, if scan % 288 < 100 { height } else { 100 })]);
        }
        machine.first(&[(Series::Slab, 30)], 40)
    };

    assert_eq!(with_evenings(100).map(|(scan, _)| scan), Some(10));
    assert_eq!(with_evenings(600).map(|(scan, _)| scan), Some(20));
    assert_eq!(with_evenings(2000).map(|(scan, _)| scan), None);
}

#[test]
fn a_note_is_told_over_a_day_or_a_week_only() {
    let mut machine = Machine::starting_at(0);
    machine.sample.available = Bytes::new(1 << 50);

    let (_, rising) = machine.first(&[(Series::Slab, 40)], 1000).unwrap();

    assert_eq!((rising.horizon, rising.alarm.grade), (2, Grade::Note));
}

#[test]
fn series_that_rise_at_the_same_time_are_one_and_led_by_the_one_that_rose_most() {
    let steps = [
        (Series::Unaccounted, 10),
        (Series::Slab, 20),
        (Series::Stacks, 0),
    ];
    let (_, rising) = Machine::starting_at(0).first(&steps, 100).unwrap();

    assert_eq!(rising.series, Series::Slab);
    assert_eq!(
        rising.members,
        Members::of(Series::Unaccounted).and(Members::of(Series::Slab))
    );
}

#[test]
fn the_scan_in_which_a_rise_was_first_seen_is_kept_as_evidence() {
    let mut machine = Machine::starting_at(0);
    machine.first(&[(Series::Slab, 20)], 100).unwrap();

    let first = &machine.trend.firsts[0];
    assert_eq!(first.reading.at, Uptime(Duration::from_secs(12 * 300)));
    assert_eq!(
        first.reading.levels.get(Series::Slab),
        Some(Balance::new(340 * MIB))
    );
}

#[test]
fn both_ends_of_a_horizon_are_known_for_all_series() {
    let mut machine = Machine::starting_at(0);
    machine
        .first(&[(Series::Slab, 20), (Series::PerCpu, 1)], 100)
        .unwrap();

    let (before, now) = machine.trend.ends(0);
    assert_eq!(now.rise(&before, Series::Slab), Balance::new(220 * MIB));
    assert_eq!(now.rise(&before, Series::PerCpu), Balance::new(11 * MIB));
    assert_eq!(before.get(Series::Vmalloc), None);
}

#[test]
fn large_machines_must_rise_by_more() {
    let mut machine = Machine::starting_at(0);
    machine.sample.total = Bytes::new(1 << 40);

    assert_eq!(
        machine.first(&[(Series::Slab, 93)], 30),
        None,
        "1023 MiB in an hour"
    );
    assert!(machine.first(&[(Series::Slab, 94)], 30).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn days_later_the_same_is_seen(
        steps in prop::collection::vec(-20_i64..40, 300),
        days in 0_u64..1000,
    ) {
        let seen = |start: u64| {
            let mut machine = Machine::starting_at(start);
            let mut level = 0;
            let scan = |step: &i64| {
                level += step;
                machine.scan(&[(Series::Slab, level)]).rising
            };
            steps.iter().map(scan).collect::<Vec<_>>()
        };

        prop_assert_eq!(seen(0), seen(days * 7 * 86_400));
    }
}
