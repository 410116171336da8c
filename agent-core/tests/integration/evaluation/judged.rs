//! Whether what was said is right.

use std::collections::BTreeMap;

use adaptivemm_module_api::Severity;

use super::labels::{Kind, Label};
use super::replayed::Said;

/// The findings of the detectors, and what they are called in a table.
pub(crate) const DETECTORS: [(&str, &str); 5] = [
    ("slow-leak", "slow"),
    ("sudden-leak", "sudden"),
    ("trend-leak", "trend"),
    ("jump-leak", "jump"),
    ("level-leak", "level"),
];

/// How a trace was judged at one pace.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) label: Label,
    pub(crate) stretch: u64,
    pub(crate) heard: [Heard; DETECTORS.len()],
    /// Whether a leak is one to warn of: if it goes on, all that is available is used up within 24 times as long. Of a
    /// slower one a note is enough.
    pub(crate) is_due: bool,
    /// Seconds from the beginning of the leak to the first warning of it.
    pub(crate) warned: Option<u64>,
    /// The same, to the first note or warning.
    pub(crate) told: Option<u64>,
    /// Incidents that somebody was warned of and that are none: of a trace without a leak, before it began, or a
    /// second one of the same growth.
    pub(crate) false_incidents: usize,
}

/// What a detector said, aloud or as more evidence of what another one had said.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Heard {
    /// Seconds from the beginning of the leak.
    pub(crate) found: Option<u64>,
    pub(crate) false_alarms: usize,
    /// Whether the first that it said right was a note, and no warning.
    pub(crate) is_note: bool,
}

impl Judged {
    pub(crate) fn of(label: &Label, stretch: u64, said: &Said) -> Self {
        // It is known to within two frames.
        let begins = (label.begins_ms * stretch).saturating_sub(2 * said.period_ms);
        let is_right = |t_ms: u64| label.kind == Kind::Leak && t_ms >= begins;
        let since = |t_ms: u64| t_ms.saturating_sub(label.begins_ms * stretch) / 1000;
        let mut heard = [Heard::default(); DETECTORS.len()];
        let mut incidents = BTreeMap::new();
        for (t_ms, finding) in &said.findings {
            let detector = DETECTORS.iter().position(|(code, _)| finding.code == *code);
            let is_aside = finding.text.starts_with("More evidence ");
            let Some(detector) =
                detector.filter(|_| is_aside || finding.severity <= Severity::Notice)
            else {
                continue;
            };
            heard[detector].add(
                is_right(*t_ms).then(|| since(*t_ms)),
                finding.severity == Severity::Notice,
            );
            if finding.severity == Severity::Warning {
                incidents.entry(&finding.incident).or_insert(*t_ms);
            }
        }
        let right: Vec<u64> = incidents
            .values()
            .copied()
            .filter(|&t_ms| is_right(t_ms))
            .collect();
        let warned = right.iter().min().map(|&t_ms| since(t_ms));
        let told = heard.iter().filter_map(|heard| heard.found).min();
        Self {
            label: label.clone(),
            stretch,
            heard,
            is_due: is_due(label, said.available),
            warned,
            told,
            false_incidents: incidents.len() - usize::from(warned.is_some()),
        }
    }

    pub(crate) fn is_leak(&self) -> bool {
        self.label.kind == Kind::Leak
    }

    pub(crate) fn is_missed(&self) -> bool {
        let found = if self.is_due { self.warned } else { self.told };
        self.is_leak() && found.is_none()
    }
}

#[expect(clippy::cast_precision_loss, reason = "some gigabytes")]
fn is_due(label: &Label, available: f64) -> bool {
    label.kind == Kind::Leak && label.lost_kib as f64 * 1024.0 * 24.0 >= available
}

impl Heard {
    fn add(&mut self, right: Option<u64>, is_note: bool) {
        let Some(seconds) = right else {
            self.false_alarms += 1;
            return;
        };
        if self.found.is_none() {
            (self.found, self.is_note) = (Some(seconds), is_note);
        }
    }
}

/// Warnings over several runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Score {
    /// Leaks to be warned of, and how many of them were.
    pub(crate) leaks: usize,
    pub(crate) found: usize,
    /// Slower ones, and how many of them were noted or warned of.
    pub(crate) slower: usize,
    pub(crate) noted: usize,
    /// Slower ones that were warned of.
    pub(crate) early: usize,
    pub(crate) benign: usize,
    pub(crate) false_incidents: usize,
}

impl Score {
    pub(crate) fn of<'a>(runs: impl IntoIterator<Item = &'a Judged>) -> Self {
        runs.into_iter().fold(Self::default(), |sum, run| Self {
            leaks: sum.leaks + usize::from(run.is_due),
            found: sum.found + usize::from(run.is_due && !run.is_missed()),
            slower: sum.slower + usize::from(run.is_leak() && !run.is_due),
            noted: sum.noted + usize::from(!run.is_due && run.told.is_some()),
            early: sum.early + usize::from(!run.is_due && run.warned.is_some()),
            benign: sum.benign + usize::from(!run.is_leak()),
            false_incidents: sum.false_incidents + run.false_incidents,
        })
    }

    /// Of those that were warned of, the share that is a leak.
    pub(crate) fn precision(self) -> f64 {
        let right = self.found + self.early;
        share(right, right + self.false_incidents)
    }

    /// Of the leaks to be warned of, the share that was.
    pub(crate) fn recall(self) -> f64 {
        share(self.found, self.leaks)
    }
}

/// All of nothing.
#[expect(clippy::cast_precision_loss, reason = "some hundred runs")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}
