//! The detector of leaks that are older than the daemon: too much memory is accounted for by nothing.
//!
//! What is lost stays lost; what is in use comes and goes, within a week at the latest. So much memory that is missing
//! is worth a note, and a warning if it was never less. How it came is for the other detectors to say.

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Bytes, Uptime};

use crate::horizon::Grade;

/// As many scans in a row rule out a passing peak.
pub(crate) const SCANS: u32 = 3;

/// Speaks up once for a note and once for a warning, when the exact accounting has lacked much memory for several scans.
#[derive(Debug)]
pub(crate) struct Level {
    percent: f64,
    pub(crate) since: Uptime,
    pub(crate) scans: u32,
    /// The worst that it has said.
    pub(crate) told: Grade,
}

/// Memory that has been missing for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Excess {
    pub(crate) grade: Grade,
    /// What may be missing.
    pub(crate) limit: Bytes,
    /// The least that was missing, for as long as that is remembered.
    pub(crate) least: Balance,
    pub(crate) scans: u32,
    pub(crate) lasted: Duration,
}

impl Level {
    /// A detector that speaks up from this share of `MemTotal`.
    pub(crate) const fn new(percent: f64) -> Self {
        Self {
            percent,
            since: Uptime(Duration::ZERO),
            scans: 0,
            told: Grade::Nothing,
        }
    }

    /// Looks at what the exact accounting lacks, and at the least that it has lacked before, for as long as that is
    /// remembered.
    pub(crate) fn observe(
        &mut self,
        at: Uptime,
        unaccounted: Balance,
        least: impl FnOnce() -> Balance,
        total: Bytes,
    ) -> Option<Excess> {
        let limit = total.percent(self.percent);
        if unaccounted < limit.balance() {
            self.scans = 0;
            return None;
        }
        if self.scans == 0 {
            self.since = at;
        }
        self.scans = SCANS.min(self.scans + 1);
        if self.scans < SCANS || self.told == Grade::Warning {
            return None;
        }
        let least = least().min(unaccounted);
        let grade = if least < limit.balance() {
            Grade::Note
        } else {
            Grade::Warning
        };
        if grade <= self.told {
            return None;
        }
        self.told = grade;
        Some(Excess {
            grade,
            limit,
            least,
            scans: SCANS,
            lasted: at.since(self.since),
        })
    }

    /// Forgets the scans so far: the exact accounting is interrupted.
    pub(crate) const fn start_again(&mut self) {
        self.scans = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a detector of 10 % says on a machine of 1000 bytes, scanned every second, of what is missing and was missing
    /// at least.
    fn grades(scans: &[(i64, i64)]) -> Vec<Option<Grade>> {
        let mut level = Level::new(10.0);
        (0..)
            .map(|secs| Uptime(Duration::from_secs(secs)))
            .zip(scans)
            .map(|(at, &(missing, least))| {
                let [missing, least] = [missing, least].map(Balance::new);
                level.observe(at, missing, || least, Bytes::new(1000))
            })
            .map(|excess| excess.map(|excess| excess.grade))
            .collect()
    }

    #[test]
    fn a_tenth_of_memory_missing_for_three_scans_is_noted_once() {
        let scans = [100, 100, 100, 100, 0, 900, 900, 900, 900].map(|missing| (missing, 0));

        let mut expected = [None; 9];
        expected[2] = Some(Grade::Note);
        assert_eq!(grades(&scans), expected);
    }

    #[test]
    fn it_is_warned_of_once_if_it_was_never_less() {
        assert_eq!(
            grades(&[(120, 110); 6]),
            [None, None, Some(Grade::Warning), None, None, None]
        );
        let scans = [
            (120, 99),
            (120, 99),
            (120, 99),
            (120, 100),
            (99, 99),
            (120, 99),
        ];
        assert_eq!(
            grades(&scans),
            [
                None,
                None,
                Some(Grade::Note),
                Some(Grade::Warning),
                None,
                None
            ]
        );
    }

    #[test]
    fn what_is_said_has_the_numbers() {
        let mut level = Level::new(10.0);
        let scan = |secs| {
            let at = Uptime(Duration::from_secs(secs));
            level.observe(
                at,
                Balance::new(120),
                || Balance::new(130),
                Bytes::new(1000),
            )
        };
        let excess = Excess {
            grade: Grade::Warning,
            limit: Bytes::new(100),
            least: Balance::new(120),
            scans: 3,
            lasted: Duration::from_secs(2),
        };

        assert_eq!([0, 1, 2].map(scan), [None, None, Some(excess)]);
    }

    #[test]
    fn a_byte_less_or_a_scan_less_is_not_reported() {
        assert_eq!(grades(&[(99, 99); 9]), [None; 9]);
        let scans = [100, 100, 99, 100, 100, -5].map(|missing| (missing, missing));
        assert_eq!(grades(&scans), [None; 6]);
    }

    #[test]
    fn an_interruption_starts_the_count_again() {
        let mut level = Level::new(10.0);
        let missing = Balance::new(500);
        let observe = |level: &mut Level| {
            level.observe(Uptime::default(), missing, || missing, Bytes::new(1000))
        };
        let _ = (observe(&mut level), observe(&mut level));
        level.start_again();

        assert_eq!([observe(&mut level), observe(&mut level)], [None, None]);
        assert_eq!(observe(&mut level).map(|excess| excess.scans), Some(3));
    }
}
