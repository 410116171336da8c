//! The detector of leaks that are older than the daemon: too much memory is accounted for by nothing.

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Bytes, Uptime};

/// As many scans in a row rule out a passing peak.
pub(crate) const SCANS: u32 = 3;

/// Speaks up once, when the exact accounting has lacked much memory for several scans.
#[derive(Debug)]
pub(crate) struct Level {
    percent: f64,
    pub(crate) since: Uptime,
    pub(crate) scans: u32,
    pub(crate) is_reported: bool,
}

/// Memory that has been missing for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Excess {
    /// What may be missing.
    pub(crate) limit: Bytes,
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
            is_reported: false,
        }
    }

    /// Looks at what the exact accounting lacks.
    pub(crate) fn observe(
        &mut self,
        at: Uptime,
        unaccounted: Balance,
        total: Bytes,
    ) -> Option<Excess> {
        let limit = total.percent(self.percent);
        if self.is_reported || unaccounted < limit.balance() {
            self.scans = 0;
            return None;
        }
        if self.scans == 0 {
            self.since = at;
        }
        self.scans += 1;
        self.is_reported = self.scans == SCANS;
        self.is_reported.then(|| Excess {
            limit,
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

    /// What a detector of 10 % says on a machine of 1000 bytes, scanned every second.
    fn excesses(unaccounted: &[i64]) -> Vec<Option<Excess>> {
        let mut level = Level::new(10.0);
        (0..)
            .map(|secs| Uptime(Duration::from_secs(secs)))
            .zip(unaccounted)
            .map(|(at, &bytes)| level.observe(at, Balance::new(bytes), Bytes::new(1000)))
            .collect()
    }

    #[test]
    fn a_tenth_of_memory_missing_for_three_scans_is_reported_once() {
        let excess = Excess {
            limit: Bytes::new(100),
            scans: 3,
            lasted: Duration::from_secs(2),
        };

        assert_eq!(
            excesses(&[100, 100, 100, 100, 0, 900, 900, 900, 900]),
            [None, None, Some(excess), None, None, None, None, None, None]
        );
    }

    #[test]
    fn a_byte_less_or_a_scan_less_is_not_reported() {
        assert_eq!(excesses(&[99; 9]), [None; 9]);
        assert_eq!(excesses(&[100, 100, 99, 100, 100, -5]), [None; 6]);
    }

    #[test]
    fn an_interruption_starts_the_count_again() {
        let mut level = Level::new(10.0);
        let observe = |level: &mut Level| {
            level.observe(Uptime::default(), Balance::new(500), Bytes::new(1000))
        };
        let _ = (observe(&mut level), observe(&mut level));
        level.start_again();

        assert_eq!([observe(&mut level), observe(&mut level)], [None, None]);
        assert_eq!(observe(&mut level).map(|excess| excess.scans), Some(3));
    }
}
