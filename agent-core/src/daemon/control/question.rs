//! The questions that everybody may ask, and their answers.

use serde_json::{Value, json};

use crate::status::{Summary, exposition};

/// A question about how things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// The status, on one screen.
    Status,
    /// The modules.
    Modules,
    /// The last decisions: all that are remembered, or fewer.
    Decisions(Option<u64>),
    /// The last incidents.
    Incidents,
    /// The numbers.
    Metrics,
}

impl Question {
    /// The parameters of the reply.
    /// `summary` is what this client may see.
    pub(super) fn answer(self, summary: &Summary) -> Value {
        match self {
            Self::Status => json!(summary),
            Self::Modules => json!({ "modules": summary.modules }),
            Self::Decisions(most) => {
                let decisions = &summary.decisions;
                let most = most.map_or(decisions.len(), |most| {
                    usize::try_from(most).unwrap_or(usize::MAX)
                });
                let first = decisions.len().saturating_sub(most);
                json!({ "decisions": decisions[first..] })
            }
            Self::Incidents => json!({ "incidents": summary.incidents }),
            Self::Metrics => json!({ "text": exposition(summary) }),
        }
    }
}
