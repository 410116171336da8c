use proptest::prelude::*;

use super::*;

fn after(seconds: f64) -> Uptime {
    Uptime(Duration::from_secs_f64(seconds))
}

fn window(samples: &[(f64, f64)]) -> Window {
    let mut window = Window::new(samples.len());
    for &(seconds, value) in samples {
        window.push(after(seconds), value);
    }
    window
}

fn slope(samples: &[(f64, f64)]) -> Option<f64> {
    window(samples).line().map(|line| line.slope())
}

/// Whether two numbers are the same to within a millionth of `size`.
fn is_near(a: f64, b: f64, size: f64) -> bool {
    (a - b).abs() <= 1e-6 * size.abs().max(1e-6)
}

#[test]
fn fewer_than_two_moments_are_no_trend() {
    assert_eq!(slope(&[]), None);
    assert_eq!(slope(&[(5.0, 100.0)]), None);
    assert_eq!(slope(&[(5.0, 100.0), (5.0, 200.0)]), None);
}

#[test]
fn only_the_last_samples_count() {
    let mut window = Window::new(3);
    for (seconds, value) in [(0.0, 0.0), (1.0, 900.0), (2.0, 800.0), (3.0, 700.0)] {
        window.push(after(seconds), value);
    }

    assert_eq!(window.len(), 3);
    assert_eq!(window.span(), Duration::from_secs(2));
    assert_eq!(window.line().map(|line| line.slope()), Some(-100.0));
}

#[test]
fn a_late_scan_does_not_bend_the_line() {
    let line = [(0.0, 1000.0), (1.0, 990.0), (61.0, 390.0), (62.0, 380.0)];

    assert!(is_near(slope(&line).unwrap(), -10.0, 10.0));
}

#[test]
fn time_that_goes_backwards_starts_the_window_over() {
    let mut window = window(&[(100.0, 1.0), (200.0, 2.0)]);

    window.push(after(3.0), 50.0);

    assert_eq!(window.samples().collect::<Vec<_>>(), [(after(3.0), 50.0)]);
}

#[test]
fn a_gap_that_is_too_long_starts_the_window_over() {
    let mut window = window(&[(0.0, 1.0), (10.0, 2.0)]);

    window.forget_after_gap(after(30.0), Duration::from_secs(20));
    assert_eq!(window.len(), 2);

    window.forget_after_gap(after(30.1), Duration::from_secs(20));
    assert!(window.is_empty());
}

#[test]
fn what_is_not_a_number_is_no_sample() {
    let mut window = window(&[(0.0, 1.0)]);

    window.push(after(1.0), f64::NAN);

    assert_eq!(window.latest(), Some(1.0));
}

#[test]
fn a_level_line_reaches_nothing_but_where_it_is() {
    let line = window(&[(0.0, 5.0), (9.0, 5.0)]).line().unwrap();

    assert_eq!(line.time_to_reach(6.0, after(9.0)), None);
    assert_eq!(line.time_to_reach(5.0, after(9.0)), Some(Duration::ZERO));
}

#[test]
fn two_lines_meet_where_one_catches_up_with_the_other() {
    let all = window(&[(0.0, 100.0), (10.0, 80.0)]).line().unwrap();
    let fragmented = window(&[(0.0, 40.0), (10.0, 40.0)]).line().unwrap();

    let seconds = |now| {
        let time = fragmented.time_to_meet(&all, after(now))?;
        Some(time.as_secs_f64().round())
    };

    assert_eq!(seconds(10.0), Some(20.0));
    assert_eq!(seconds(31.0), None);
}

/// Samples of any time, in order.
fn samples() -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((0.1_f64..1e4, -1e12_f64..1e12), 2..20).prop_map(|steps| {
        let mut seconds = 0.0;
        let step = |(gap, value): (f64, f64)| {
            seconds += gap;
            (seconds, value)
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #[test]
    fn an_exact_line_is_found(samples in samples(), slope in -1e6_f64..1e6, start in -1e6_f64..1e6) {
        let exact: Vec<(f64, f64)> =
            samples.iter().map(|&(seconds, _)| (seconds, start + slope * seconds)).collect();
        let last = exact.last().unwrap().0;

        let line = window(&exact).line().unwrap();

        prop_assert!(is_near(line.slope(), slope, slope.abs() + start.abs()));
        prop_assert!(is_near(line.at(after(last)), start + slope * last, start.abs() + slope.abs() * last));
    }

    #[test]
    fn moving_all_samples_moves_the_line_and_leaves_its_slope(
        samples in samples(), later in 0_u32..1_000_000, more in -1e12_f64..1e12,
    ) {
        let moved: Vec<(f64, f64)> =
            samples.iter().map(|&(seconds, value)| (seconds + f64::from(later), value + more)).collect();

        let (line, other) = (window(&samples).line().unwrap(), window(&moved).line().unwrap());

        prop_assert!(is_near(line.slope(), other.slope(), 1e14));
        let (here, there) = (after(0.0), after(f64::from(later)));
        prop_assert!(is_near(line.at(here) + more, other.at(there), 1e14));
    }

    #[test]
    fn samples_in_another_unit_have_the_slope_in_that_unit(samples in samples(), unit in 1e-3_f64..1e5) {
        let scaled: Vec<(f64, f64)> = samples.iter().map(|&(seconds, value)| (seconds, value * unit)).collect();

        let (before, after) = (slope(&samples).unwrap(), slope(&scaled).unwrap());

        prop_assert!(is_near(before * unit, after, 1e13 * unit));
    }

    #[test]
    fn whatever_goes_in_only_numbers_come_out(
        samples in any::<Vec<(u64, u32, f64)>>(), value in any::<f64>(), now in any::<(u64, u32)>(), capacity in 0_usize..10,
    ) {
        let at = |seconds, nanos: u32| Uptime(Duration::new(seconds, nanos % 1_000_000_000));
        let mut window = Window::new(capacity);
        for (seconds, nanos, sample) in samples {
            window.push(at(seconds, nanos), sample);
            window.push(at(seconds, nanos.saturating_add(1)), -sample);
            let Some(line) = window.line() else { continue };
            let now = at(now.0, now.1);

            prop_assert!(line.slope().is_finite());
            prop_assert!(line.at(now).is_finite());
            let _ = line.time_to_reach(value, now);
            let _ = line.time_to_meet(&line, now);
        }
    }

    #[test]
    fn a_rate_is_a_number_and_not_negative(counts: Vec<(u64, u64)>) {
        let mut rate = Rate::default();
        for (nanos, count) in counts {
            if let Some(rate) = rate.next(Uptime(Duration::from_nanos(nanos)), count) {
                prop_assert!(rate.is_finite() && rate >= 0.0);
            }
        }
    }
}
