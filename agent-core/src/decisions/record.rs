//! The record of a decision: a line of JSON in the decision log. Its names are stable.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::samples::Samples;
use super::window::Window;
use crate::actions::request_outcome::RequestOutcome;
use crate::kernel::Snapshot;
use crate::modules::output::Action;
use crate::modules::output::numbers::numbers;

/// The version of these records.
pub const VERSION: u32 = 1;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// A request, and what became of it.
    Decision(Box<Decision>),
    /// The follow-up of a decision.
    #[serde(rename = "aftermath")]
    FollowUp(Box<FollowUp>),
}

/// A request, what became of it, and all that led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The version of the record.
    pub v: u32,
    /// The number, which no other decision has.
    pub id: u64,
    /// The time in RFC 3339, UTC; not in a replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The time since boot.
    pub uptime_seconds: f64,
    /// The boot ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// The module that asked.
    pub module: String,
    /// The action, as in the log.
    pub action: String,
    /// The tunable that was to be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunable: Option<String>,
    /// Its value before, or the one that was set externally.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Its value before the daemon first changed it, which is restored at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<i64>,
    /// The value that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// The node that was to be compacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// The outcome, in kebab-case.
    #[serde(alias = "fate")]
    pub outcome: String,
    /// The outcome in words.
    #[serde(alias = "fate_text")]
    pub outcome_text: String,
    /// True if the machine was changed.
    pub changed: bool,
    /// The reason, in one line.
    pub reason: String,
    /// The numbers behind it.
    pub numbers: Map<String, Value>,
    /// The alternatives that were weighed and rejected.
    #[serde(default)]
    pub details: Vec<String>,
    /// The page size of the machine.
    pub page_size_bytes: u64,
    /// The numbers of the last scans.
    pub samples: Samples,
}

/// The time after a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FollowUp {
    /// The version of the record.
    pub v: u32,
    /// The number of the decision.
    pub id: u64,
    /// The time in RFC 3339, UTC; not in a replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The time since boot.
    pub uptime_seconds: f64,
    /// The module that had asked.
    pub module: String,
    /// The action, as in the log.
    pub action: String,
    /// True if the daemon ended before the time was over.
    pub cut_short: bool,
    /// The machine until the decision.
    pub before: Window,
    /// The machine since then.
    pub after: Window,
    /// The value that the tunable has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_now: Option<i64>,
    /// Events meanwhile: that a compaction ended, or that the value was changed externally.
    #[serde(default)]
    pub meanwhile: Vec<String>,
    /// Other decisions that changed something in the same time; not all, if they are many.
    #[serde(default)]
    pub others: Vec<u64>,
    /// The effect on the time that is lost waiting for memory.
    pub effect: Effect,
    /// The effect with its numbers, on one line.
    pub text: String,
}

/// The effect of a decision, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Programs wait less for memory than before, or there are more large blocks.
    Better,
    /// About the same.
    Unchanged,
    /// Programs wait more for memory than before, or there are fewer large blocks.
    Worse,
    /// They did not wait before, and do not now.
    Quiet,
    /// The kernel does not say.
    Unknown,
}

impl Decision {
    /// Makes the record of a request and its outcome, with what was seen until then.
    pub(super) fn from_outcome(
        id: u64,
        settled: &RequestOutcome,
        snapshot: &Snapshot,
        samples: Samples,
    ) -> Self {
        let RequestOutcome {
            module,
            request,
            outcome,
            ..
        } = settled;
        let (tunable, value, node) = match &request.action {
            Action::Set { tunable, value } => (Some(tunable.clone()), Some(*value), None),
            Action::CompactNode { node } => (None, None, Some(*node)),
        };
        let tunables = &mut snapshot.tunables.iter();
        let set = tunables.find(|known| Some(known.name) == tunable.as_deref());
        Self {
            v: VERSION,
            id,
            time: None,
            uptime_seconds: seconds(snapshot.uptime.0),
            boot_id: None,
            module: module.clone(),
            action: request.action.to_string(),
            tunable,
            before: outcome.before().map(str::to_owned),
            original: set.and_then(|tunable| tunable.original),
            value,
            node,
            outcome: outcome.code().to_owned(),
            outcome_text: outcome.to_string(),
            changed: outcome.is_change(),
            reason: request.reason.clone(),
            numbers: numbers(&request.numbers),
            details: request.details.lines().map(str::to_owned).collect(),
            page_size_bytes: snapshot.page_size.bytes().get(),
            samples,
        }
    }
}

impl Effect {
    /// Returns the code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Unchanged => "unchanged",
            Self::Worse => "worse",
            Self::Quiet => "quiet",
            Self::Unknown => "unknown",
        }
    }
}

impl Record {
    /// The number of the decision.
    #[must_use]
    pub fn id(&self) -> u64 {
        match self {
            Self::Decision(decision) => decision.id,
            Self::FollowUp(follow_up) => follow_up.id,
        }
    }
}

/// Seconds as they are printed: to the millisecond.
pub(super) fn seconds(duration: Duration) -> f64 {
    let whole = Duration::from_secs(duration.as_secs()).as_secs_f64();
    whole + f64::from(duration.subsec_millis()) / 1000.0
}
