//! The module from the outside, on machines.

use core::time::Duration;

use adaptivemm_module_api::Tunable;
use adaptivemm_module_api::testing::{Action as Asked, Machine, Rig, Value, Verdict, Words};
use proptest::prelude::*;

use super::*;

const PERIOD: Duration = Duration::from_secs(30);

fn machine(scan: u32, dentries: u64, inodes: u64, pressure: i64) -> Machine {
    without_pressure(scan, dentries, inodes).tunable(PRESSURE, pressure)
}

fn without_pressure(scan: u32, dentries: u64, inodes: u64) -> Machine {
    Machine::new()
        .uptime(PERIOD * scan)
        .file(
            sample::DENTRY_STATE,
            format!("{dentries}\t{}\t45\t0\t7\t0\n", dentries / 2),
        )
        .file(sample::INODE_NR, format!("{inodes}\t12\n"))
}

/// A machine on which every request is carried out.
struct Obedient {
    rig: Rig,
    scans: u32,
    pressure: Tunable,
}

impl Obedient {
    fn new(pressure: i64, options: &[(&str, Value)]) -> Self {
        Self {
            rig: Rig::create::<CachePressure>(options).unwrap(),
            scans: 0,
            pressure: Tunable::new(pressure),
        }
    }

    fn words(&mut self, dentries: u64, inodes: u64) -> Words {
        self.scans += 1;
        let machine = without_pressure(self.scans, dentries, inodes);
        let words = self.rig.scan(&machine.tunable_of(PRESSURE, self.pressure));
        assert_eq!(words.verdict, Verdict::Good);
        self.pressure.value = asked(&words).unwrap_or(self.pressure.value);
        words
    }

    /// The values that were asked for while there were so many dentries, and half as many inodes.
    fn values(&mut self, dentries: impl IntoIterator<Item = u64>) -> Vec<i64> {
        let scan = |dentries| asked(&self.words(dentries, dentries / 2));
        dentries.into_iter().filter_map(scan).collect()
    }
}

fn asked(words: &Words) -> Option<i64> {
    let request = words.requests.first()?;
    assert_eq!((words.requests.len(), request.refused), (1, None));
    match &request.action {
        Asked::Set { tunable, value } if tunable == PRESSURE => Some(*value),
        _ => panic!("{request:?}"),
    }
}

fn growing(scans: usize) -> impl Iterator<Item = u64> {
    (0..).map(|scan| 100_000 + 10_000 * scan).take(scans)
}

#[test]
fn a_steady_machine_is_left_alone() {
    let steady = (0..300).map(|scan| 100_000 + scan % 7 * 500);

    assert_eq!(Obedient::new(100, &[]).values(steady), [0; 0]);
}

#[test]
fn objects_that_are_preferred_are_reclaimed_less_readily_while_they_grow() {
    let mut machine = Obedient::new(100, &[]);

    let words: Vec<Words> = growing(31)
        .map(|dentries| machine.words(dentries, 50_000))
        .collect();

    let values: Vec<_> = words.iter().map(asked).collect();
    let steps: Vec<_> = values.iter().flatten().collect();
    assert_eq!((steps, values[14]), (vec![&90, &81, &73], Some(90)));
    assert_eq!(
        words[14].requests[0].reason,
        "dentries +34.1 % (170000 to 240000), inodes +0.0 % (50000 to 50000) in 210 s, dead band 5.0 %: they grow, and \
         are to be kept; originally 100"
    );
}

#[test]
fn objects_that_shrink_are_reclaimed_more_readily() {
    let shrinking = growing(31).map(|dentries| 600_000 - dentries);

    assert_eq!(Obedient::new(100, &[]).values(shrinking), [110, 121, 133]);
}

#[test]
fn without_the_preference_it_is_the_other_way_round() {
    let pages = [("prefer-object-caching", false.into())];
    let shrinking = growing(31).map(|dentries| 600_000 - dentries);

    assert_eq!(
        Obedient::new(100, &pages).values(growing(31)),
        [110, 121, 133]
    );
    assert_eq!(Obedient::new(100, &pages).values(shrinking), [90, 81, 73]);
}

#[test]
fn the_original_value_is_back_when_nothing_trends_any_more() {
    let mut machine = Obedient::new(100, &[]);
    let _ = machine.values(growing(31));

    let back = machine.values([400_000; 100]);

    assert_eq!(back, [80, 88, 97, 100]);
}

#[test]
fn a_saw_tooth_does_not_make_it_oscillate() {
    for teeth in 2..100 {
        let mut saw = (0..).map(|scan| 100_000 + 200_000 * (scan % teeth) / teeth);
        let mut machine = Obedient::new(100, &[]);

        let first = machine.values(saw.by_ref().take(200));
        let later = machine.values(saw.take(2000));

        // Where a tooth is longer than 16 scans, its first side is a trend.
        assert!(
            first.len() <= 12 && later.is_empty(),
            "teeth of {teeth} scans: {first:?}, {later:?}"
        );
    }
}

#[test]
fn a_wave_does_not_make_it_oscillate() {
    // Beyond that the upper half is so flat that nothing trends there, and the tunable follows.
    for half in 8..50_i64 {
        let height = |scan: i64| 300_000 + 200_000 * (scan % (2 * half) - half).abs() / half;
        let mut wave = (0..).map(|scan| height(scan).unsigned_abs());
        let mut machine = Obedient::new(100, &[]);

        let first = machine.values(wave.by_ref().take(600));
        let later = machine.values(wave.take(2000));

        assert!(
            first.len() <= 24 && later.is_empty(),
            "waves of {} scans: {first:?}, {later:?}",
            2 * half
        );
    }
}

#[test]
fn a_value_that_the_administrator_sets_is_the_new_original() {
    let mut machine = Obedient::new(100, &[]);
    let _ = machine.values(growing(20));
    machine.pressure = Tunable::new(50);

    let words = machine.words(300_000, 150_000);
    let steady = machine.values([300_000; 50]);
    let grown = machine.values(growing(20).map(|dentries| 3 * dentries));
    let back = machine.values([870_000; 50]);

    assert_eq!(
        words.told(),
        [
            "info changed-by-others: vm.vfs_cache_pressure was changed externally; its original value is now 50, and no \
             longer 100"
        ]
    );
    assert_eq!((steady, grown), (vec![], vec![45, 40]));
    assert_eq!(back.last(), Some(&50));
}

#[test]
fn a_value_of_somebody_else_is_left_alone_until_the_administrator_says_otherwise() {
    let mut machine = Obedient::new(100, &[]);
    let _ = machine.values(growing(20));
    machine.pressure = Tunable::new(50).with_yielded(true);

    let yielded: Vec<_> = growing(50)
        .map(|dentries| machine.words(dentries, 1))
        .collect();
    machine.pressure.is_yielded = false;
    let resumed: Vec<_> = growing(20)
        .map(|dentries| machine.words(dentries, 1))
        .collect();

    let told = |words: &[Words]| words.iter().flat_map(Words::told).collect::<Vec<_>>();
    assert!(yielded.iter().all(|words| words.requests.is_empty()));
    assert_eq!(
        told(&yielded),
        [
            "info yielded: vm.vfs_cache_pressure was changed externally to 50; tuning is paused until `adaptivemmd resume`"
        ]
    );
    assert!(
        yielded[49].status.ends_with(
            "; it was changed externally, and tuning is paused until `adaptivemmd resume`"
        )
    );
    assert_eq!(
        told(&resumed),
        ["info resumed: tuning of vm.vfs_cache_pressure resumed; its original value is now 50"]
    );
    assert_eq!(resumed.iter().filter_map(asked).collect::<Vec<_>>(), [45]);
}

#[test]
fn a_module_that_is_made_anew_goes_back_to_the_value_of_the_administrator() {
    let mut machine = Obedient::new(100, &[]);
    machine.pressure.value = 73;

    assert_eq!(machine.values([400_000; 100]), [80, 88, 97, 100]);
}

#[test]
fn what_was_weighed_is_told_with_a_request() {
    let mut machine = Obedient::new(100, &[]);
    let mut details = Vec::new();
    for dentries in growing(31).chain([400_000; 30]) {
        let words = machine.words(dentries, 50_000);
        details.extend(words.requests.into_iter().map(|request| request.details));
    }

    let lines: Vec<_> = details[1].lines().collect();
    assert_eq!(
        lines,
        [
            "dentries +24.6 % (250000 to 320000) in 210 s: growing, by more than the dead band of 5.0 %",
            "inodes +0.0 % (50000 to 50000) in 210 s: no trend, less than the dead band of 5.0 %",
            "that was so in 8 scans in a row, and 8 are needed",
            "dentries and inodes are preferred: growth lowers the value, shrinking raises it",
            "steps were taken before at 290000 to 290000 dentries and inodes; there are 370000 now",
            "the value was 90, originally 100; a tenth, between 3 and 1000, makes 81",
        ]
    );
    assert!(
        details[3].ends_with("\nthe value was 73, originally 100; a tenth back towards that is 80"),
        "{details:#?}"
    );
}

#[test]
fn a_value_that_the_kernel_does_not_take_is_asked_for_ever_more_rarely_and_that_is_told_once() {
    let mut rig = Rig::create::<CachePressure>(&[]).unwrap();

    let words: Vec<Words> = (0..400)
        .map(|scan| {
            rig.scan(&machine(
                scan,
                100_000 * 11_u64.pow(2) + 1_200_000 * u64::from(scan),
                50_000,
                100,
            ))
        })
        .collect();

    let asked = words.iter().filter_map(asked).collect::<Vec<_>>();
    assert!(
        asked.len() <= 7 && asked.iter().all(|&value| value == 90),
        "{asked:?}"
    );
    let told: Vec<_> = words.iter().flat_map(Words::told).collect();
    assert!(told.len() <= asked.len(), "{told:?}");
    assert_eq!(
        told[0],
        "info not-taken: vm.vfs_cache_pressure is still 100 after a request for another value; requests become rarer \
         until one takes effect"
    );
}

#[test]
fn a_value_out_of_the_bounds_is_left_alone_and_that_is_told_once() {
    let mut machine = Obedient::new(0, &[]);

    let told: Vec<_> = growing(50)
        .map(|dentries| machine.words(dentries, 50_000))
        .inspect(|words| assert_eq!(asked(words), None))
        .flat_map(|words| words.told())
        .collect();

    assert_eq!(
        told,
        ["info out-of-bounds: vm.vfs_cache_pressure is 0; only values from 3 to 1000 are tuned"]
    );
}

#[test]
fn a_suspend_starts_the_trend_again() {
    let mut machine = Obedient::new(100, &[]);
    let _ = machine.values(growing(14));
    machine.scans += 100;

    assert_eq!(
        machine.values(growing(14).map(|dentries| 2 * dentries)),
        [0; 0]
    );
}

#[test]
fn a_missing_file_is_named() {
    let verdict = |machine: &Machine| {
        Rig::create::<CachePressure>(&[])
            .unwrap()
            .scan(machine)
            .verdict
    };
    let failed = |text: &str| Verdict::Failed(text.to_owned());

    assert_eq!(
        verdict(&Machine::new()),
        failed("there is no vm.vfs_cache_pressure")
    );
    assert_eq!(
        verdict(&Machine::new().tunable(PRESSURE, 100)),
        failed("there is no /proc/sys/fs/dentry-state")
    );
    assert_eq!(
        verdict(&machine(1, 1, 1, 100).unreadable(sample::INODE_NR, 13)),
        failed("cannot read /proc/sys/fs/inode-nr: Permission denied (os error 13)")
    );
    assert_eq!(
        verdict(&machine(1, 1, 1, 100).file(sample::INODE_NR, "-1 0\n")),
        failed("/proc/sys/fs/inode-nr does not begin with a number")
    );
}

#[test]
fn every_scan_has_its_numbers_and_says_how_things_stand() {
    let mut machine = Obedient::new(100, &[]);

    let words: Vec<Words> = growing(8)
        .map(|dentries| machine.words(dentries, 50_000))
        .collect();

    assert_eq!(
        [words[0].status.as_str(), words[7].status.as_str()],
        [
            "vm.vfs_cache_pressure 100 (originally 100); 100000 dentries, 50000 inodes, too few scans for a trend",
            "vm.vfs_cache_pressure 100 (originally 100); 170000 dentries, 50000 inodes, growing",
        ]
    );
    let names: Vec<_> = words[7]
        .metrics
        .iter()
        .map(|metric| metric.0.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "dentries",
            "inodes",
            "pressure_percent",
            "dentries_change_percent",
            "inodes_change_percent"
        ]
    );
    assert_eq!(words[0].metrics.len(), 3);
}

proptest! {
    #[test]
    fn a_value_is_never_out_of_the_bounds_and_moves_by_a_tenth_at_most(
        original in -10_i64..1100,
        prefer in any::<bool>(),
        slopes in prop::collection::vec((-50_i64..50, any::<bool>()), 1..12),
    ) {
        let mut machine = Obedient::new(original, &[("prefer-object-caching", prefer.into())]);
        let mut objects = 1_000_000_i64;
        for (slope, is_yielded) in slopes {
            if is_yielded {
                machine.pressure = Tunable::new(machine.pressure.value);
            }
            machine.pressure.is_yielded = is_yielded;
            for _ in 0..40 {
                objects = (objects + objects * slope / 1000).max(100);
                let before = machine.pressure.value;
                if let Some(value) = asked(&machine.words(objects.unsigned_abs(), 1000)) {
                    prop_assert!((3..=1000).contains(&value) && !is_yielded, "{}", value);
                    prop_assert!((value - before).abs() <= (before / 10 + 1), "{} after {}", value, before);
                }
            }
        }
    }

    #[test]
    fn growth_never_makes_preferred_objects_easier_to_reclaim(
        original in 3_i64..1000,
        steps in prop::collection::vec(0_u64..100_000, 20..100),
    ) {
        let counts = steps.into_iter().scan(1_000_000, |count, step| {
            *count += step;
            Some(*count)
        });
        let values = Obedient::new(original, &[]).values(counts);
        prop_assert!(values.into_iter().all(|value| value <= original));
    }

    #[test]
    fn no_file_makes_it_panic(text in "([0-9]{1,25}|[ \t\n-]|\\PC){0,20}") {
        let machine = machine(1, 1, 1, 100).file(sample::DENTRY_STATE, text);
        let words = Rig::create::<CachePressure>(&[]).unwrap().scan(&machine);
        prop_assert!(!matches!(words.verdict, Verdict::Panicked(_)));
    }
}
