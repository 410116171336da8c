//! The detector of leaks that come at once: much more memory is missing than in the hour before, or since the daemon
//! started, and stays so.

use adaptivemm_module_api::units::{Balance, Bytes};

/// As many scans in a row must see it.
pub(crate) const SCANS: usize = 3;

/// What an administrator chose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choices {
    pub(crate) least: Bytes,
    pub(crate) least_percent: f64,
}

/// Compares the least of the last scans with the least of the last hour.
#[derive(Debug, Clone)]
pub(crate) struct Jump {
    choices: Choices,
    /// The latest last; the last `kept` are valid.
    pub(crate) recent: [Balance; SCANS],
    pub(crate) kept: usize,
    /// The level that was told, until the memory is no longer missing.
    pub(crate) told: Option<Balance>,
}

/// Memory that is missing at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leap {
    pub(crate) from: Balance,
    pub(crate) to: Balance,
    /// A smaller one is none.
    pub(crate) least: Balance,
}

impl Leap {
    pub(crate) const fn amount(&self) -> Balance {
        self.to.since(self.from)
    }
}

impl Jump {
    pub(crate) fn new(choices: Choices) -> Self {
        Self {
            choices,
            recent: [Balance::default(); SCANS],
            kept: 0,
            told: None,
        }
    }

    /// Looks at what the exact accounting lacks, after what it lacked at least in the hour before.
    pub(crate) fn observe(
        &mut self,
        unaccounted: Balance,
        lowest_of_hour: Option<Balance>,
        total: Bytes,
    ) -> Option<Leap> {
        self.recent.rotate_left(1);
        self.recent[SCANS - 1] = unaccounted;
        self.kept = SCANS.min(self.kept + 1);
        let to = self.recent.into_iter().min().unwrap_or_default();
        let from = lowest_of_hour.filter(|_| self.kept == SCANS)?;
        let least = self.least(total);
        let leap = Leap { from, to, least };
        if leap.amount() < least {
            self.told = None;
            return None;
        }
        let is_news = self.told.is_none_or(|told| to.since(told) >= least);
        is_news.then(|| {
            self.told = Some(to);
            leap
        })
    }

    /// What is much memory on a machine of this size.
    pub(crate) fn least(&self, total: Bytes) -> Balance {
        let share = total.percent(self.choices.least_percent);
        self.choices.least.max(share).balance()
    }

    /// Forgets the scans so far: the next cannot be compared with them.
    pub(crate) const fn start_again(&mut self) {
        self.kept = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: i64 = 1 << 20;

    fn jump() -> Jump {
        Jump::new(Choices {
            least: Bytes::from_kib(256 << 10),
            least_percent: 5.0,
        })
    }

    /// The scans, counted from 0, in which a machine of so much memory is said to have lost some at once.
    /// It lacked 100 MiB in the hour before.
    fn when(total_gib: u64, mib: &[i64]) -> Vec<usize> {
        let mut jump = jump();
        let mut told = |mib: i64| {
            let (now, before) = (Balance::new(mib * MIB), Balance::new(100 * MIB));
            jump.observe(now, Some(before), Bytes::new(total_gib << 30))
        };
        (0..mib.len())
            .filter(|&scan| told(mib[scan]).is_some())
            .collect()
    }

    #[test]
    fn three_scans_with_much_more_missing_are_a_jump() {
        assert_eq!(when(1, &[100, 356, 356, 356, 356]), [3]);
        assert_eq!(when(1, &[100, 355, 355, 355, 355]), []);
        assert_eq!(when(1, &[100, 400, 400, 100, 400, 400]), []);
    }

    #[test]
    fn a_large_machine_must_lose_a_twentieth() {
        assert_eq!(when(10, &[100, 612, 612, 612]), [3]);
        assert_eq!(when(10, &[100, 611, 611, 611]), []);
    }

    #[test]
    fn it_is_told_again_after_as_much_again_or_when_it_was_over() {
        assert_eq!(when(1, &[400, 400, 400, 655, 655, 656, 656, 656]), [2, 7]);
        assert_eq!(when(1, &[400, 400, 400, 100, 400, 400, 400]), [2, 6]);
    }

    #[test]
    fn nothing_is_told_before_anything_is_known_or_right_after_an_interruption() {
        let mut jump = jump();
        let observe = |jump: &mut Jump, before| {
            jump.observe(Balance::new(900 * MIB), before, Bytes::new(1 << 30))
                .is_some()
        };
        let before = Some(Balance::new(0));

        assert_eq!(
            [None; 4].map(|before| observe(&mut jump, before)),
            [false; 4]
        );
        jump.start_again();
        assert_eq!(
            [before; 3].map(|before| observe(&mut jump, before)),
            [false, false, true]
        );
    }

    proptest! {
        #[test]
        fn any_numbers_are_compared(levels in prop::collection::vec(any::<(i64, i64, u64)>(), 0..20)) {
            let mut jump = jump();
            for (now, before, total) in levels {
                let _ = jump.observe(Balance::new(now), Some(Balance::new(before)), Bytes::new(total));
            }
        }
    }
}
