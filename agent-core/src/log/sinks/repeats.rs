//! Transitions, not states: which events say nothing new.

use std::collections::BTreeMap;
use std::time::Duration;

/// The shortest time between two mentions of a condition that persists.
const REMINDER: Duration = Duration::from_secs(60 * 60);

/// Far more conditions than a machine can have, few enough to look through. A module that invents
/// codes cannot make us remember more.
const MOST: usize = 1024;

/// The conditions that hold at the moment, and when each was last mentioned.
///
/// Knows no clock, so that a replay says what the daemon would have said.
#[derive(Debug, Clone, Default)]
pub struct Repeats {
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    module: String,
    code: String,
    seen: Duration,
    written: Duration,
    suppressed: u64,
}

/// The decision to write an event or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// It is new, or was not mentioned for an hour.
    Write {
        /// The number of times that it was seen and not written since it was last written.
        suppressed: u64,
    },
    /// It was written less than an hour ago.
    Suppress,
}

impl Repeats {
    /// No conditions yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `module` saw the condition `code`.
    pub fn pass(&mut self, module: &str, code: &str, uptime: Duration) -> Pass {
        let Some(index) = self.position(module, code) else {
            self.remember(module, code, uptime);
            return Pass::Write { suppressed: 0 };
        };
        let condition = &mut self.conditions[index];
        condition.seen = uptime;
        if uptime.saturating_sub(condition.written) < REMINDER {
            condition.suppressed = condition.suppressed.saturating_add(1);
            return Pass::Suppress;
        }
        condition.written = uptime;
        let suppressed = std::mem::take(&mut condition.suppressed);
        Pass::Write { suppressed }
    }

    /// Notes that the condition has ended. `false` if it was not known to hold, so that
    /// “back to normal” is said once.
    pub fn over(&mut self, module: &str, code: &str) -> bool {
        let index = self.position(module, code);
        if let Some(index) = index {
            self.conditions.swap_remove(index);
        }
        index.is_some()
    }

    /// Returns true if the condition is known to hold.
    #[must_use]
    pub fn knows(&self, module: &str, code: &str) -> bool {
        self.position(module, code).is_some()
    }

    fn position(&self, module: &str, code: &str) -> Option<usize> {
        self.conditions
            .iter()
            .position(|known| known.module == module && known.code == code)
    }

    fn remember(&mut self, module: &str, code: &str, uptime: Duration) {
        if self.conditions.len() >= MOST {
            self.forget_oldest();
        }
        self.conditions.push(Condition {
            module: module.to_owned(),
            code: code.to_owned(),
            seen: uptime,
            written: uptime,
            suppressed: 0,
        });
    }

    /// Forgets the condition that was not seen for the longest time, of those of the module that has most: one that
    /// invents codes pushes out its own.
    fn forget_oldest(&mut self) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for condition in &self.conditions {
            *counts.entry(&condition.module).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        let Some(most) = most.map(|(module, _)| module.to_owned()) else {
            return;
        };
        let ages = self.conditions.iter().enumerate();
        let ages = ages.filter(|(_, known)| known.module == most);
        if let Some((oldest, _)) = ages.min_by_key(|(_, known)| known.seen) {
            self.conditions.swap_remove(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NEW: Pass = Pass::Write { suppressed: 0 };

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    #[test]
    fn a_condition_that_persists_is_mentioned_once_an_hour_with_a_count() {
        let mut repeats = Repeats::new();

        let passes =
            [0, 1, 30, 59, 60, 61, 119, 200].map(|at| repeats.pass("memleak", "slab", minutes(at)));

        assert_eq!(
            passes,
            [
                NEW,
                Pass::Suppress,
                Pass::Suppress,
                Pass::Suppress,
                Pass::Write { suppressed: 3 },
                Pass::Suppress,
                Pass::Suppress,
                Pass::Write { suppressed: 2 },
            ]
        );
    }

    #[test]
    fn each_module_has_its_own_conditions() {
        let mut repeats = Repeats::new();

        let passes = [("a", "x"), ("a", "y"), ("b", "x")]
            .map(|(module, code)| repeats.pass(module, code, minutes(1)));

        assert_eq!(passes, [NEW; 3]);
    }

    #[test]
    fn back_to_normal_is_said_once_and_the_next_time_is_new() {
        let mut repeats = Repeats::new();
        repeats.pass("memleak", "slab", minutes(0));

        let ended = [
            repeats.over("memleak", "slab"),
            repeats.over("memleak", "slab"),
        ];

        assert_eq!(ended, [true, false]);
        assert_eq!(repeats.pass("memleak", "slab", minutes(1)), NEW);
    }

    #[test]
    fn a_clock_that_goes_back_does_not_repeat() {
        let mut repeats = Repeats::new();
        repeats.pass("memleak", "slab", minutes(100));

        assert_eq!(repeats.pass("memleak", "slab", minutes(1)), Pass::Suppress);
    }

    #[test]
    fn of_too_many_conditions_the_one_not_seen_for_longest_is_forgotten_of_the_module_that_has_most()
     {
        let mut repeats = Repeats::new();
        repeats.pass("memleak", "quiet", minutes(0));
        repeats.pass("rogue", "lasting", minutes(1));
        repeats.pass("rogue", "first", minutes(1));
        repeats.pass("rogue", "lasting", minutes(2));

        for invented in 0..MOST - 2 {
            repeats.pass("rogue", &invented.to_string(), minutes(3));
        }

        assert!(!repeats.over("rogue", "first"));
        assert!(repeats.over("rogue", "lasting"));
        assert!(repeats.over("memleak", "quiet"));
    }

    proptest! {
        // Each case fills the memory, which takes a while.
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn never_remembers_more_than_it_may(codes in prop::collection::vec(any::<u16>(), 0..2000)) {
            let mut repeats = Repeats::new();
            for (at, code) in (0..).zip(codes) {
                repeats.pass("rogue", &code.to_string(), minutes(at));
            }

            prop_assert!(repeats.conditions.len() <= MOST);
        }
    }

    proptest! {
        #[test]
        fn every_event_is_written_or_counted(gaps in prop::collection::vec(0_u64..90, 1..200)) {
            let mut repeats = Repeats::new();
            let mut told = 0;
            let mut at = 0;
            for gap in &gaps {
                at += gap;
                if let Pass::Write { suppressed } = repeats.pass("memleak", "slab", minutes(at)) {
                    told += suppressed + 1;
                }
            }
            at += 60;

            let last = repeats.pass("memleak", "slab", minutes(at));

            prop_assert_eq!(last, Pass::Write { suppressed: gaps.len() as u64 - told });
        }
    }
}
