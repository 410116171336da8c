//! The request for evidence, and the answer of a source.

use std::time::Duration;

use adaptivemm_module_api::units::PageSize;
use serde::{Deserialize, Serialize};

use super::comparison::{Level, SourceStatus};
use super::holdings::Holding;
use super::kind::SourceKind;
use crate::base::clock::Moment;
use crate::config::EvidenceBudget;
use crate::kernel::Root;

/// The answer of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    /// The source.
    pub kind: SourceKind,
    /// The outcome of looking into it.
    pub standing: SourceStatus,
    /// The processor time that it took.
    pub cpu_us: u64,
    /// The largest holdings.
    pub held: Vec<Holding>,
    /// The most that somebody holds who is left out of `held` because there were too many; else 0.
    #[serde(default)]
    pub least: u64,
}

/// The reason for which evidence is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The daemon has started.
    Start,
    /// Now and then, so that there is something to compare with.
    Routine,
    /// A module has become suspicious.
    Suspicion,
    /// A module has reported something.
    Incident,
}

impl Trigger {
    /// Returns the name in a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Routine => "routine",
            Self::Suspicion => "suspicion",
            Self::Incident => "incident",
        }
    }

    /// Returns true if the texts are kept as they were: not all the time, as they are large.
    pub(super) const fn keeps_raw(self) -> bool {
        matches!(self, Self::Suspicion | Self::Incident)
    }
}

/// The evidence that is to be taken.
#[derive(Debug)]
pub struct EvidenceRequest<'a> {
    /// The machine.
    pub root: &'a Root,
    /// The size of its base page.
    pub page_size: PageSize,
    /// The present time.
    pub at: Moment,
    /// The reason for which it is taken.
    pub why: Trigger,
    /// The classes of memory as the module memleak has them; those that are missing are taken from meminfo.
    pub levels: Vec<Level>,
    /// The limits of what it may cost.
    pub budget: EvidenceBudget,
    /// True if all pages are to be counted, which takes 25 to 50 ms per GB whatever the budget.
    pub wants_census: bool,
}

/// The text of a kernel file as it was read, cut where it is very long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawText {
    /// The file, as on a live machine.
    pub path: String,
    /// The content of the file.
    pub text: Vec<u8>,
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
