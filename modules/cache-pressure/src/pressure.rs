//! The tunable: its steps, its original value, and the requests that had no effect.

use adaptivemm_module_api::Tunable;

/// The smallest value: below, the kernel hardly ever reclaims a dentry.
pub(crate) const MIN: i64 = 3;

/// The largest value: above, the kernel looks for more dentries than there are.
pub(crate) const MAX: i64 = 1000;

/// The number of scans after which a request without effect is repeated; it doubles each time.
const FIRST_WAIT: u32 = 8;
const LONGEST_WAIT: u32 = 1024;

/// `vm.vfs_cache_pressure` as it is, and the value that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pressure {
    tunable: Tunable,
    asked: Option<i64>,
    /// The number of scans before the next request.
    pause: u32,
    wait: u32,
}

/// A change of the owner of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was changed externally, and is left alone.
    Yielded { to: i64 },
    /// The administrator lets it be changed again.
    Resumed { original: i64 },
    /// It has another original value.
    Changed { from: i64, to: i64 },
}

/// One step of 10 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Lower,
    Raise,
    /// A step back to the original.
    Return,
}

impl Pressure {
    /// The tunable as it was found.
    pub(crate) const fn new(found: Tunable) -> Self {
        Self {
            tunable: found,
            asked: None,
            pause: 0,
            wait: 0,
        }
    }

    pub(crate) const fn original(&self) -> i64 {
        self.tunable.original
    }

    pub(crate) const fn is_original(&self) -> bool {
        self.tunable.value == self.tunable.original
    }

    /// True if it was changed externally, and is left alone.
    pub(crate) const fn is_yielded(&self) -> bool {
        self.tunable.is_yielded
    }

    /// True if this module tunes from this value. 0, for one, means that nothing is ever reclaimed, and an administrator
    /// who chose that did not want it tuned.
    pub(crate) const fn is_tuned(&self) -> bool {
        MIN <= self.tunable.original && self.tunable.original <= MAX
    }

    /// True if the last request had no effect, and it is too early to repeat it.
    pub(crate) const fn is_pausing(&self) -> bool {
        self.pause > 0
    }

    /// Looks at the tunable, once in every scan.
    pub(crate) fn see(&mut self, found: Tunable) -> Option<Seen> {
        let before = self.tunable;
        let asked = self.asked.take();
        self.pause = self.pause.saturating_sub(1);
        if (found.original, found.is_yielded) != (before.original, before.is_yielded) {
            *self = Self::new(found);
            let (from, to) = (before.original, found.original);
            return match (before.is_yielded, found.is_yielded) {
                (true, true) => None,
                (false, true) => Some(Seen::Yielded { to: found.value }),
                (true, false) => Some(Seen::Resumed { original: to }),
                (false, false) => Some(Seen::Changed { from, to }),
            };
        }
        if found.value != before.value {
            *self = Self::new(found);
        } else if asked.is_some() {
            self.wait = (self.wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
            self.pause = self.wait;
        }
        None
    }

    /// Returns the value after a step, which is about to be asked for; `None` if there is no room for a step, or it is
    /// too early.
    pub(crate) fn step(&mut self, step: Step) -> Option<i64> {
        if !self.is_tuned() || self.is_yielded() || self.is_pausing() {
            return None;
        }
        let Tunable {
            value, original, ..
        } = self.tunable;
        let next = match step {
            Step::Lower => lowered(value),
            Step::Raise => raised(value),
            Step::Return if value > original => lowered(value).max(original),
            Step::Return => raised(value).min(original),
        };
        self.asked = (next != value).then_some(next);
        self.asked
    }
}

fn lowered(value: i64) -> i64 {
    (value - tenth(value)).max(MIN)
}

fn raised(value: i64) -> i64 {
    (value + tenth(value)).min(MAX)
}

/// A tenth, rounded, and at least 1: a value of 3 would never change otherwise.
fn tenth(value: i64) -> i64 {
    ((value + 5) / 10).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes after `value` in these steps, all taken.
    fn steps(original: i64, steps: &[Step]) -> Vec<i64> {
        let mut pressure = Pressure::new(Tunable::new(original));
        let take = |&step: &Step| {
            let next = pressure.step(step);
            let value = next.unwrap_or(pressure.tunable.value);
            let found = Tunable::new(value).with_original(original);
            assert_eq!(pressure.see(found), None);
            value
        };
        steps.iter().map(take).collect()
    }

    #[test]
    fn steps_are_a_tenth_and_stay_within_the_bounds() {
        assert_eq!(steps(100, &[Step::Lower; 3]), [90, 81, 73]);
        assert_eq!(steps(950, &[Step::Raise; 3]), [1000, 1000, 1000]);
        assert_eq!(steps(100, &[Step::Lower; 60])[59], 3);
    }

    #[test]
    fn small_values_can_be_left_again() {
        assert_eq!(steps(3, &[Step::Raise; 4]), [4, 5, 6, 7]);
        assert_eq!(steps(6, &[Step::Lower; 4]), [5, 4, 3, 3]);
    }

    #[test]
    fn the_way_back_ends_at_the_original() {
        let mut there_and_back = [Step::Return; 80];
        there_and_back[..40].fill(Step::Lower);

        let values = steps(100, &there_and_back);

        assert_eq!((values[39], values[79]), (3, 100));
        assert!(values[40..].windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn a_value_out_of_the_bounds_is_not_tuned() {
        assert_eq!(
            [0, 2, 1001].map(|value| steps(value, &[Step::Raise, Step::Lower])),
            [[0, 0], [2, 2], [1001, 1001]]
        );
    }

    #[test]
    fn what_is_not_taken_is_asked_for_ever_more_rarely() {
        let mut pressure = Pressure::new(Tunable::new(100));

        let scans: Vec<usize> = (0..100)
            .filter(|_| {
                assert_eq!(pressure.see(Tunable::new(100)), None);
                pressure.step(Step::Lower).is_some()
            })
            .collect();

        assert_eq!(scans, [0, 9, 26, 59]);
    }

    #[test]
    fn a_value_of_somebody_else_is_seen_once_and_left_alone() {
        let mut pressure = Pressure::new(Tunable::new(100));
        let yielded = |value| Tunable::new(value).with_yielded(true);

        let seen = [50, 60, 60].map(|value| {
            let seen = pressure.see(yielded(value));
            (seen, pressure.step(Step::Lower))
        });
        let resumed = pressure.see(Tunable::new(60));

        let first = Some(Seen::Yielded { to: 50 });
        assert_eq!(seen, [(first, None), (None, None), (None, None)]);
        assert_eq!(resumed, Some(Seen::Resumed { original: 60 }));
        assert_eq!(pressure.step(Step::Lower), Some(54));
    }
}
