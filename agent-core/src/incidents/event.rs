//! The events of the incident writer, as data: the log makes lines of them.

use std::io;
use std::path::PathBuf;

use adaptivemm_module_api::Severity;

use super::best_explanation;
use super::evidence::{Certainty, Comparison, Explanation, SourceStatus};

/// An owner that the kernel counts exactly for so much of a growth is the one. A service that is charged is not yet the
/// program in it.
const SURE_PERCENT: f64 = 50.0;

/// An event to be logged.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentMessage {
    /// The module whose incident it is, or `core`.
    pub module: String,
    /// The event.
    pub event: IncidentEvent,
    /// The time at which the incident was opened, if it is not over.
    pub open_since: Option<String>,
}

/// Something that happened to an incident, or to what is kept for the next one.
#[derive(Debug, Clone, PartialEq)]
pub enum IncidentEvent {
    /// An incident was recorded, for the first time or again.
    Recorded {
        /// The name of the incident.
        id: String,
        /// The attribution of the growth; `None` if the incident is not about memory of the kernel.
        attribution: Option<Attribution>,
    },
    /// An incident cannot be written, so that all that is known of it is in the log.
    NotRecorded {
        /// The name of the incident.
        id: String,
        /// The directory of all incidents.
        directory: PathBuf,
        /// The reason.
        error: String,
        /// The attribution of the growth.
        attribution: Attribution,
    },
    /// An incident was open when an earlier daemon ended.
    StillOpen {
        /// The name of the incident.
        id: String,
        /// The time at which it was opened.
        since: String,
    },
    /// The module has said that an incident is over.
    Over {
        /// The name of the incident.
        id: String,
    },
    /// A part of what is kept cannot be written, or not be removed.
    Failed {
        /// The part.
        part: StoredPart,
        /// The reason.
        error: String,
    },
}

/// A part of what the writer keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredPart {
    /// Evidence, to compare later evidence with.
    Evidence,
    /// The metrics of a module, for the next daemon.
    MetricHistory,
    /// The scans after this incident was opened.
    ScansAfter(String),
    /// The record of this incident.
    Incident(String),
    /// Incidents that are to make room for newer ones.
    OldIncidents,
}

/// The attribution of a growth to an owner, as far as that is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribution {
    /// There is no earlier evidence to compare with.
    NotCompared,
    /// The evidence was compared with earlier evidence.
    Compared {
        /// The best explanation, if there is one worth telling.
        best: Option<Box<Explanation>>,
        /// True if nobody is named for sure, and the daemon lacks a right to look further, which root has.
        needs_root: bool,
    },
}

impl IncidentEvent {
    /// Returns how much the event matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Recorded { .. } | Self::StillOpen { .. } | Self::Over { .. } => Severity::Info,
            Self::NotRecorded { .. } => Severity::Error,
            Self::Failed { .. } => Severity::Warning,
        }
    }

    /// Returns the incident whose state the event tells.
    #[must_use]
    pub fn incident(&self) -> Option<&str> {
        match self {
            Self::Recorded { id, .. }
            | Self::NotRecorded { id, .. }
            | Self::StillOpen { id, .. }
            | Self::Over { id } => Some(id),
            Self::Failed { .. } => None,
        }
    }
}

impl IncidentMessage {
    /// Returns a message about a part that could not be kept, if there was an error.
    pub(super) fn from_result(result: io::Result<()>, part: StoredPart) -> Option<Self> {
        let error = result.err()?.to_string();
        Some(Self {
            module: "core".to_owned(),
            event: IncidentEvent::Failed { part, error },
            open_since: None,
        })
    }
}

impl Attribution {
    pub(super) fn from_comparison(comparison: Option<&Comparison>) -> Self {
        let Some(comparison) = comparison else {
            return Self::NotCompared;
        };
        let best = best_explanation(comparison);
        let mut sources = comparison.sources.iter();
        Self::Compared {
            needs_root: !best.is_some_and(is_sure)
                && sources.any(|source| matches!(source.standing, SourceStatus::Denied { .. })),
            best: best.cloned().map(Box::new),
        }
    }
}

fn is_sure(explanation: &Explanation) -> bool {
    explanation.certainty == Certainty::Exact && explanation.share_percent >= SURE_PERCENT
}
