use adaptivemm_module_api::Tunable;
use proptest::prelude::*;

use super::*;

fn scale(value: i64) -> Scale {
    Scale::new(value).unwrap()
}

fn untouched(value: i64) -> Setting {
    Setting {
        value: scale(value),
        original: scale(value),
        is_yielded: false,
    }
}

fn up_to(ceiling: i64) -> Bounds {
    Bounds {
        ceiling: scale(ceiling),
        affordable: Some(Scale::LARGEST),
    }
}

/// A kernel that takes what is asked for, up to a limit, and a scan every second.
struct Machine {
    knob: Knob,
    value: Scale,
    original: Scale,
    is_yielded: bool,
    limit: i64,
    seconds: u64,
    writes: usize,
}

impl Machine {
    fn new(value: i64) -> Self {
        Self {
            knob: Knob::new(untouched(value)),
            value: scale(value),
            original: scale(value),
            is_yielded: false,
            limit: 3000,
            seconds: 0,
            writes: 0,
        }
    }

    fn scan(&mut self, need: Option<i64>, bounds: Bounds) -> (Option<Seen>, Option<Step>) {
        self.seconds += 1;
        let at = Uptime(Duration::from_secs(self.seconds));
        let found = Setting {
            value: self.value,
            original: self.original,
            is_yielded: self.is_yielded,
        };
        let seen = self.knob.see(at, found);
        let step = self.knob.choose(at, need.map(scale), bounds);
        if let Some(step) = step {
            self.writes += 1;
            if step.value().get() <= self.limit {
                self.value = step.value();
            }
        }
        (seen, step)
    }

    fn scans(&mut self, count: usize, need: Option<i64>) {
        for _ in 0..count {
            let _ = self.scan(need, up_to(700));
        }
    }
}

#[test]
fn the_value_is_the_need() {
    let mut machine = Machine::new(10);

    assert_eq!(
        machine.scan(Some(345), up_to(700)).1,
        Some(Step::Raise(scale(345)))
    );
    assert_eq!(machine.scan(Some(345), up_to(700)).1, None);
}

#[test]
fn a_need_that_is_hardly_larger_is_not_worth_a_write() {
    let mut machine = Machine::new(100);

    machine.scans(5, Some(112));
    assert_eq!(machine.value, scale(100));

    machine.scans(1, Some(113));
    assert_eq!(machine.value, scale(113));
}

#[test]
fn the_original_value_is_back_within_a_minute_at_a_scan_per_second() {
    let mut machine = Machine::new(10);
    machine.scans(5, Some(700));
    assert_eq!(machine.value, scale(700));

    machine.scans(52, None);

    assert_eq!(machine.value, scale(10));
}

#[test]
fn it_is_not_lowered_in_a_short_pause() {
    let mut machine = Machine::new(10);
    for _ in 0..20 {
        machine.scans(3, Some(300));
        machine.scans(7, None);
    }

    assert_eq!((machine.value, machine.writes), (scale(300), 1));
}

#[test]
fn a_need_that_comes_back_again_and_again_is_met_by_one_value() {
    let mut machine = Machine::new(10);
    for _ in 0..20 {
        machine.scans(3, Some(300));
        machine.scans(30, None);
    }
    let before = machine.writes;

    for _ in 0..20 {
        machine.scans(3, Some(300));
        machine.scans(30, None);
    }

    assert_eq!((machine.value, machine.writes - before), (scale(300), 0));
}

#[test]
fn a_value_of_the_administrator_above_the_ceiling_is_left_alone() {
    let mut machine = Machine::new(1500);

    machine.scans(100, Some(3000));
    machine.scans(100, None);

    assert_eq!((machine.value, machine.writes), (scale(1500), 0));
}

#[test]
fn a_value_that_somebody_else_sets_is_the_original_one_from_then_on() {
    let mut machine = Machine::new(10);
    machine.scans(2, Some(300));
    (machine.value, machine.original) = (scale(50), scale(50));

    let (seen, _) = machine.scan(None, up_to(700));
    machine.scans(100, None);

    let changed = Seen::Changed {
        from: scale(10),
        to: scale(50),
    };
    assert_eq!((seen, machine.value), (Some(changed), scale(50)));
}

#[test]
fn while_it_is_yielded_nothing_is_asked_for_whatever_is_set() {
    let mut machine = Machine::new(10);
    machine.scans(2, Some(300));
    machine.is_yielded = true;
    let mut see = |value: i64| {
        (machine.value, machine.original) = (scale(value), scale(value));
        machine.scan(Some(700), up_to(700))
    };

    let seen = [50, 60, 60].map(&mut see);
    let writes = machine.writes;
    machine.is_yielded = false;
    let resumed = machine.scan(Some(300), up_to(700));

    let yielded = Seen::Yielded { to: scale(50) };
    assert_eq!(seen, [(Some(yielded), None), (None, None), (None, None)]);
    assert_eq!(writes, 1);
    assert_eq!(
        resumed,
        (
            Some(Seen::Resumed {
                original: scale(60)
            }),
            Some(Step::Raise(scale(300)))
        )
    );
}

#[test]
fn a_value_that_was_raised_before_is_given_back() {
    let mut machine = Machine::new(300);
    machine.original = scale(10);
    machine.knob = Knob::new(Setting {
        original: scale(10),
        ..untouched(300)
    });

    machine.scans(60, None);

    assert_eq!(machine.value, scale(10));
}

#[test]
fn a_value_below_the_original_is_that_of_somebody_else() {
    let tunable = |value, original| Tunable::new(value).with_original(original);

    let original = |tunable| Setting::from_tunable(tunable).map(|setting| setting.original.get());

    assert_eq!(
        [
            tunable(300, 10),
            tunable(10, 300),
            tunable(10, 0),
            tunable(0, 10)
        ]
        .map(original),
        [Some(10), Some(10), Some(10), None]
    );
}

#[test]
fn a_kernel_that_takes_no_more_than_1000_is_asked_for_that() {
    let mut machine = Machine::new(10);
    machine.limit = 1000;

    let asked: Vec<_> = (0..4)
        .filter_map(|_| machine.scan(Some(2500), up_to(3000)).1)
        .collect();

    assert_eq!(asked, [Step::Raise(scale(2500)), Step::Raise(scale(1000))]);
    assert_eq!(machine.value, scale(1000));
}

#[test]
fn what_has_no_effect_is_asked_for_less_and_less_often() {
    let mut machine = Machine::new(10);
    machine.limit = 0;

    machine.scans(4 * 3600, Some(300));

    // After 1, 2, 4, 8, 16, 32 minutes, and then every hour.
    assert_eq!(machine.writes, 9);
}

#[test]
fn a_ceiling_that_comes_down_takes_the_value_with_it() {
    let mut machine = Machine::new(10);
    machine.scans(2, Some(700));

    assert_eq!(
        machine.scan(Some(700), up_to(350)).1,
        Some(Step::Cap(scale(350)))
    );
    let _ = machine.scan(Some(700), up_to(350));
    assert_eq!(
        machine.scan(Some(700), up_to(700)).1,
        Some(Step::Raise(scale(700)))
    );
}

#[test]
fn nothing_is_raised_that_memory_does_not_allow() {
    let mut knob = Knob::new(untouched(10));
    let bounds = |affordable| Bounds {
        ceiling: scale(700),
        affordable,
    };
    let at = Uptime::default();

    assert_eq!(knob.choose(at, Some(scale(300)), bounds(None)), None);
    assert_eq!(
        knob.choose(at, Some(scale(300)), bounds(Scale::new(120))),
        Some(Step::Raise(scale(120)))
    );
}

proptest! {
    #[test]
    fn no_value_is_below_the_original_or_above_the_ceiling(
        original in 1_i64..3000,
        scans in prop::collection::vec((prop::option::of(1_i64..3000), 1_i64..3000, prop::option::of(1_i64..3000)), 1..300),
    ) {
        let mut machine = Machine::new(original);
        for (need, ceiling, affordable) in scans {
            let bounds = Bounds { ceiling: scale(ceiling), affordable: affordable.map(scale) };
            let before = machine.value;
            let Some(step) = machine.scan(need, bounds).1 else { continue };
            let value = step.value();

            prop_assert!(value.get() >= original);
            prop_assert!(value <= scale(ceiling.max(original)));
            prop_assert!(value != before);
            prop_assert_eq!(value > before, matches!(step, Step::Raise(_)));
        }
    }

    #[test]
    fn more_need_is_never_met_with_less(
        original in 1_i64..1000, past in prop::collection::vec(prop::option::of(1_i64..3000), 0..60),
        need in 1_i64..3000, more in 0_i64..3000, ceiling in 1_i64..3000,
    ) {
        let mut machine = Machine::new(original);
        for need in past {
            let _ = machine.scan(need, up_to(ceiling));
        }
        let value = |need: i64| {
            let mut machine = Machine { ..machine };
            let _ = machine.scan(Some(need.min(3000)), up_to(ceiling));
            machine.value
        };

        prop_assert!(value(need + more) >= value(need));
    }
}
