//! Whether the kernel's files can be believed, and the word when that changes.

use core::mem::discriminant;

use adaptivemm_module_api::{Finding, Out, ScanError, Severity};

use crate::accounting::{Contradiction, Exact};
use crate::sample::Sample;

/// How far the files of a scan carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sources {
    /// All the way.
    Agree(Exact),
    /// To the seed's formula only.
    Incomplete(ScanError),
    /// Nowhere: whatever they are taken to say may be wrong.
    Disagree(Contradiction),
}

impl Sources {
    /// The sources of `sample`, after those of the scan before.
    pub(crate) fn of(sample: &Sample<'_>, before: &Self) -> Self {
        let exact = match &sample.exact {
            Ok(exact) => *exact,
            Err(reason) => return Self::Incomplete(reason.clone()),
        };
        // Memory that moves while the files are read makes them differ, too; that is no reason to
        // doubt them, though no reason to trust them again either.
        let is_telling = sample.is_steady || matches!(before, Self::Disagree(_));
        match exact.contradiction(sample.total) {
            Some(contradiction) if is_telling => Self::Disagree(contradiction),
            Some(_) | None => Self::Agree(exact),
        }
    }

    /// Says how things changed, unless they are as they were.
    pub(crate) fn say_change_from(&self, before: &Self, out: &mut Out<'_>) {
        if let Some((severity, code, text)) = self.change_from(before) {
            out.finding(&Finding::new(severity, code, &text));
        }
    }

    fn change_from(&self, before: &Self) -> Option<(Severity, &'static str, String)> {
        if discriminant(self) == discriminant(before) {
            return None;
        }
        Some(match (self, before) {
            (Self::Disagree(contradiction), _) => (
                Severity::Warning,
                "sources-disagree",
                format!(
                    "The kernel's files disagree: {contradiction}; no leak is looked for until they agree"
                ),
            ),
            (Self::Incomplete(reason), _) => (
                Severity::Info,
                "no-exact-accounting",
                format!(
                    "Memory is not exactly accounted for: {reason}; leaks are looked for with the classic formula only"
                ),
            ),
            (Self::Agree(_), Self::Disagree(_)) => (
                Severity::Info,
                "sources-agree",
                "The kernel's files agree again; leaks are looked for".to_owned(),
            ),
            (Self::Agree(_), Self::Incomplete(_) | Self::Agree(_)) => (
                Severity::Info,
                "exact-accounting",
                "Memory is exactly accounted for again".to_owned(),
            ),
        })
    }
}

impl Default for Sources {
    /// Nothing speaks against them before the first scan.
    fn default() -> Self {
        Self::Agree(Exact::default())
    }
}

#[cfg(test)]
mod tests {
    use adaptivemm_module_api::units::Bytes;

    use super::*;

    /// 1000 MiB by `MemTotal`, and as much as this by the zones.
    fn sample(managed_mib: u64) -> Sample<'static> {
        let exact = Exact {
            managed: Bytes::from_kib(managed_mib << 10),
            ..Exact::default()
        };
        Sample {
            exact: Ok(exact),
            ..Sample::quiet()
        }
    }

    /// The texts of the findings of a machine that is scanned like this.
    fn told(samples: &[Sample<'_>]) -> Vec<String> {
        let mut before = Sources::default();
        let mut told = Vec::new();
        for sample in samples {
            let sources = Sources::of(sample, &before);
            if let Some((severity, code, text)) = sources.change_from(&before) {
                told.push(format!("{severity} {code}: {text}"));
            }
            before = sources;
        }
        told
    }

    #[test]
    fn a_contradiction_is_told_once_and_so_is_its_end() {
        let samples = [1000, 2000, 2000, 2000, 1000, 1000].map(sample);

        assert_eq!(
            told(&samples),
            [
                "warning sources-disagree: The kernel's files disagree: the zones of /proc/zoneinfo manage 2.0 GiB, \
                 but MemTotal is 1000.0 MiB, as in a container; no leak is looked for until they agree",
                "info sources-agree: The kernel's files agree again; leaks are looked for",
            ]
        );
    }

    #[test]
    fn a_missing_file_is_told_once_and_so_is_its_return() {
        let without = |path| Sample {
            exact: Err(ScanError::new(path)),
            ..Sample::quiet()
        };
        let samples = [
            without("there is no /proc/vmstat"),
            without("there is no /proc/zoneinfo"),
            sample(1000),
            sample(1000),
        ];

        assert_eq!(
            told(&samples),
            [
                "info no-exact-accounting: Memory is not exactly accounted for: there is no /proc/vmstat; \
                 leaks are looked for with the classic formula only",
                "info exact-accounting: Memory is exactly accounted for again",
            ]
        );
    }

    #[test]
    fn an_unsteady_scan_is_no_reason_to_doubt_and_none_to_trust_again() {
        let unsteady = Sample {
            is_steady: false,
            ..sample(2000)
        };

        assert_eq!(told(&[unsteady.clone(), unsteady.clone()]), [""; 0]);
        assert_eq!(told(&[sample(2000), unsteady, sample(2000)]).len(), 1);
    }
}
