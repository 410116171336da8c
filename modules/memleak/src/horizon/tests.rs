use proptest::prelude::*;

use super::*;

const MIB: i64 = 1 << 20;
const STRETCH: Duration = Duration::from_secs(300);

/// Of 32 MiB or more, with 10 GiB to lose, within a day.
const BOUNDS: Bounds = Bounds {
    least: Balance::new(32 * MIB),
    available: Bytes::new(10 << 30),
    limit: Duration::from_secs(24 * 3600),
    to_exceed: None,
    to_warn: OFTEN,
};

/// A horizon that sees one level per stretch.
struct Watched {
    horizon: Horizon,
    bounds: Bounds,
    stretches: u64,
}

impl Watched {
    fn new() -> Self {
        Self {
            horizon: Horizon::new(STRETCH),
            bounds: BOUNDS,
            stretches: 0,
        }
    }

    fn see(&mut self, mib: i64) -> Option<Grade> {
        let at = Uptime(STRETCH * u32::try_from(self.stretches).unwrap());
        self.stretches += 1;
        let has_closed = self.horizon.observe(at, Balance::new(mib * MIB), true);
        let judged = has_closed.then(|| self.horizon.judge(at, &self.bounds).1);
        judged.flatten().map(|alarm| alarm.grade)
    }

    /// The stretches, counted from 0, with which an alarm came.
    fn when(&mut self, levels: impl IntoIterator<Item = i64>) -> Vec<(usize, Grade)> {
        let alarms = levels.into_iter().map(|mib| self.see(mib)).enumerate();
        alarms
            .filter_map(|(index, grade)| Some((index, grade?)))
            .collect()
    }
}

/// So much more in each stretch.
fn line(step: i64, stretches: i64) -> impl Iterator<Item = i64> {
    (0..stretches).map(move |stretch| stretch * step)
}

#[test]
fn a_rise_is_told_with_the_third_close_that_sees_it() {
    assert_eq!(Watched::new().when(line(40, 15)), [(14, Grade::Warning)]);
    assert_eq!(Watched::new().when(line(40, 14)), []);
}

#[test]
fn where_there_is_time_a_warning_takes_a_fourth_close_and_a_note_does_not() {
    let mut watched = Watched::new();
    watched.bounds.to_warn = MOSTLY;
    assert_eq!(
        watched.when(line(40, 17)),
        [(14, Grade::Note), (15, Grade::Warning)]
    );

    watched.bounds.available = Bytes::new(1 << 50);
    watched.horizon = Horizon::new(STRETCH);
    watched.stretches = 0;
    assert_eq!(watched.when(line(40, 17)), [(14, Grade::Note)]);
}

#[test]
fn a_rise_by_less_than_the_least_is_none() {
    let mut watched = Watched::new();
    watched.bounds.least = Balance::new(440 * MIB);
    assert_eq!(watched.when(line(40, 15)), [(14, Grade::Warning)]);

    let mut watched = Watched::new();
    watched.bounds.least = Balance::new(440 * MIB + 1);
    assert_eq!(watched.when(line(40, 100)), []);
}

#[test]
fn what_lasts_for_longer_than_the_limit_is_a_note() {
    let mut watched = Watched::new();
    watched.bounds.available = Bytes::new(288 * (40 << 20));
    assert_eq!(watched.when(line(40, 15)), [(14, Grade::Warning)]);

    let mut watched = Watched::new();
    watched.bounds.available = Bytes::new(289 * (40 << 20));
    assert_eq!(watched.when(line(40, 15)), [(14, Grade::Note)]);
}

#[test]
fn what_is_no_higher_than_on_other_days_is_no_rise() {
    let mut watched = Watched::new();
    watched.bounds.to_exceed = Some(Balance::new(14 * 40 * MIB));

    assert_eq!(watched.when(line(40, 30)), [(18, Grade::Warning)]);
}

#[test]
fn a_rise_is_told_again_after_a_day_if_it_rose_by_half_as_much_again() {
    let day = 288;
    assert_eq!(
        Watched::new().when(line(40, 15 + 2 * day)),
        [14, 14 + 288, 14 + 576].map(|stretch| (stretch, Grade::Warning))
    );

    let slow = (0..1000).map(|stretch| if stretch < 15 { 40 * stretch } else { 600 });
    let then = (0..15).map(|stretch| 600 + 13 * stretch);
    assert_eq!(
        Watched::new().when(slow.chain(then)),
        [(14, Grade::Warning)]
    );
}

#[test]
fn a_note_is_told_again_after_a_week_and_as_a_warning_at_once() {
    let week = 7 * 288;
    let notes = |stretches| {
        let mut watched = Watched::new();
        watched.bounds.available = Bytes::new(1 << 50);
        watched.when(line(40, stretches))
    };
    assert_eq!(notes(14 + week), [(14, Grade::Note)]);
    assert_eq!(notes(15 + week).len(), 2);

    let mut watched = Watched::new();
    watched.bounds.available = Bytes::new(1 << 50);
    assert_eq!(watched.when(line(40, 15)), [(14, Grade::Note)]);
    watched.bounds.available = Bytes::new(1 << 30);
    assert_eq!(
        watched.when((15..30).map(|stretch| stretch * 40)),
        [(2, Grade::Warning)]
    );
}

#[test]
fn a_rise_that_went_back_by_half_is_told_again_when_it_comes_again() {
    let twice = |floor| {
        let back = core::iter::repeat_n(floor, 20);
        let again = (0..20).map(move |stretch| floor + stretch * 40);
        let alarms = Watched::new().when(line(40, 15).chain(back).chain(again));
        let warnings = alarms.iter().filter(|&&(_, grade)| grade == Grade::Warning);
        warnings.count()
    };

    assert_eq!(twice(13 * 40 - 220), 1, "exactly half is left");
    assert_eq!(twice(13 * 40 - 221), 2);
}

#[test]
fn a_stretch_that_nobody_saw_starts_the_ring_again() {
    let mut watched = Watched::new();
    assert_eq!(watched.when(line(40, 13)), []);
    watched.stretches += 1;

    assert_eq!(watched.when(line(40, 14)), []);
    assert_eq!(watched.when([14 * 40]), [(0, Grade::Warning)]);
}

#[test]
fn a_stretch_keeps_the_least_of_its_steady_scans_or_of_all_if_there_was_none() {
    let floor = |scans: &[(i64, bool)]| {
        let mut horizon = Horizon::new(STRETCH);
        for &(level, is_steady) in scans {
            horizon.observe(Uptime::default(), Balance::new(level), is_steady);
        }
        horizon.observe(Uptime(STRETCH), Balance::new(0), true);
        horizon.ring.floors().to_vec()
    };

    assert_eq!(
        floor(&[(5, true), (3, true), (4, true), (1, false)]),
        [Balance::new(3)]
    );
    assert_eq!(floor(&[(5, false), (4, false)]), [Balance::new(4)]);
}

proptest! {
    #[test]
    fn any_numbers_at_any_time_are_judged(
        scans in prop::collection::vec((0_u64..20_000, any::<i64>(), any::<u64>()), 0..60),
    ) {
        let mut horizon = Horizon::new(STRETCH);
        for (secs, level, available) in scans {
            let at = Uptime(Duration::from_secs(secs));
            horizon.observe(at, Balance::new(level), true);
            let _ = horizon.judge(at, &Bounds { available: Bytes::new(available), ..BOUNDS });
        }
    }

    #[test]
    fn more_memory_that_grows_as_much_more_is_judged_the_same(
        levels in prop::collection::vec(0_i64..400, 12..60),
        times in 1_i64..50,
    ) {
        let scaled = |times: i64| {
            let mut watched = Watched::new();
            watched.bounds.least = Balance::new(32 * MIB * times);
            watched.bounds.available = Bytes::new((10 << 30) * times.unsigned_abs());
            watched.when(levels.iter().map(|level| level * times))
        };

        prop_assert_eq!(scaled(1), scaled(times));
    }

    #[test]
    fn what_never_rises_is_never_told(mut levels in prop::collection::vec(any::<i32>(), 0..80)) {
        levels.sort_unstable_by(|one, other| other.cmp(one));

        prop_assert_eq!(Watched::new().when(levels.into_iter().map(i64::from)), []);
    }
}
