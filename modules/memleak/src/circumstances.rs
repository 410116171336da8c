//! What else happened to a machine, so that nobody chases a growth that has a known cause.

use core::time::Duration;

use adaptivemm_module_api::units::{Bytes, Uptime};

use crate::sample::Sample;
use crate::span::span;

/// Changes that follow each other within this time are one.
const SAME_CHANGE: Duration = Duration::from_secs(3600);

/// The last of each kind of event that moves much memory by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Circumstances {
    pub(crate) scanned: Option<Uptime>,
    pub(crate) pause: Option<Pause>,
    pub(crate) hugepages: Amount,
    pub(crate) total: Amount,
    pub(crate) balloon: Amount,
}

/// A time without scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pause {
    pub(crate) until: Uptime,
    pub(crate) lasted: Duration,
}

/// An amount that somebody sets, and its last change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) now: Option<Bytes>,
    pub(crate) change: Option<Change>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Change {
    pub(crate) from: Bytes,
    pub(crate) to: Bytes,
    pub(crate) at: Uptime,
}

impl Circumstances {
    pub(crate) fn observe(&mut self, sample: &Sample<'_>) {
        let at = sample.at;
        if let Some(before) = self.scanned.replace(at) {
            let lasted = at.since(before);
            // No period is known to a core that says 0.
            let is_late = lasted.saturating_mul(2) > sample.period.saturating_mul(5);
            if is_late && !sample.period.is_zero() {
                self.pause = Some(Pause { until: at, lasted });
            }
        }
        self.hugepages.observe(at, sample.hugepages);
        self.total.observe(at, sample.total);
        self.balloon.observe(at, sample.balloon);
    }

    /// All that happened since then, a clause each.
    pub(crate) fn since(&self, from: Uptime, now: Uptime) -> Vec<String> {
        let mut clauses = Vec::new();
        let amounts = [
            ("the huge pages changed", self.hugepages),
            ("MemTotal changed", self.total),
            ("the balloon of the virtual machine changed", self.balloon),
        ];
        for (what, amount) in amounts {
            if let Some(Change { from, to, at }) = amount.change.filter(|change| change.at >= from)
            {
                clauses.push(format!(
                    "{what} from {from} to {to} {} ago",
                    span(now.since(at))
                ));
            }
        }
        if let Some(Pause { until, lasted }) = self.pause.filter(|pause| pause.until >= from) {
            clauses.push(format!(
                "nothing was scanned for {} until {} ago (a suspend, or the daemon was stopped)",
                span(lasted),
                span(now.since(until))
            ));
        }
        clauses
    }
}

impl Amount {
    fn observe(&mut self, at: Uptime, now: Bytes) {
        let Some(before) = self.now.replace(now).filter(|&before| before != now) else {
            return;
        };
        let is_same = |change: &Change| at.since(change.at) <= SAME_CHANGE;
        let from = self
            .change
            .filter(is_same)
            .map_or(before, |change| change.from);
        self.change = Some(Change { from, to: now, at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(minutes: u64, hugepages_mib: u64, balloon_mib: u64) -> Sample<'static> {
        Sample {
            at: Uptime(Duration::from_secs(minutes * 60)),
            period: Duration::from_secs(60),
            hugepages: Bytes::from_kib(hugepages_mib << 10),
            balloon: Bytes::from_kib(balloon_mib << 10),
            ..Sample::quiet()
        }
    }

    fn clauses(samples: &[Sample<'_>], since_minutes: u64) -> Vec<String> {
        let mut circumstances = Circumstances::default();
        for sample in samples {
            circumstances.observe(sample);
        }
        let from = Uptime(Duration::from_secs(since_minutes * 60));
        circumstances.since(from, samples[samples.len() - 1].at)
    }

    #[test]
    fn a_quiet_machine_has_none() {
        assert_eq!(
            clauses(&[sample(0, 64, 8), sample(1, 64, 8), sample(3, 64, 8)], 0),
            [""; 0]
        );
    }

    #[test]
    fn each_is_told_with_its_time_until_it_is_too_old() {
        let samples = [
            sample(0, 64, 0),
            sample(1, 128, 0),
            sample(2, 128, 0),
            sample(10, 128, 512),
        ];

        assert_eq!(
            clauses(&samples, 1),
            [
                "the huge pages changed from 64.0 MiB to 128.0 MiB 540 s ago",
                "the balloon of the virtual machine changed from 0 B to 512.0 MiB 0 s ago",
                "nothing was scanned for 480 s until 0 s ago (a suspend, or the daemon was stopped)",
            ]
        );
        assert_eq!(clauses(&samples, 2).len(), 2);
    }

    #[test]
    fn a_change_in_small_steps_is_one() {
        let samples: Vec<_> = (0..100).map(|minute| sample(minute, 0, minute)).collect();

        assert_eq!(
            clauses(&samples, 0),
            ["the balloon of the virtual machine changed from 0 B to 99.0 MiB 0 s ago"]
        );
    }
}
