//! A change of the machine, or one that was asked for, in fields for programs.

use crate::actions::request_outcome::Outcome;
use crate::actions::{ActionOutcome, Notice};
use crate::log::sinks::Event;
use crate::modules::output::Action;

/// A change, and its outcome.
pub(super) struct Change {
    pub(super) event: Event,
    tunable: String,
    node: String,
    old: String,
    new: String,
    decision: String,
}

impl Change {
    /// Makes the change of a request.
    pub(super) fn from_request(action: &Action, outcome: &Outcome, decision: Option<u64>) -> Self {
        let (tunable, new, node) = match action {
            Action::Set { tunable, value } => (tunable.clone(), value.to_string(), String::new()),
            Action::CompactNode { node } => (String::new(), String::new(), node.to_string()),
        };
        Self {
            event: match outcome {
                Outcome::CarriedOut(ActionOutcome::Done { .. }) => Event::Changed,
                Outcome::CarriedOut(ActionOutcome::Begun) => Event::Compacting,
                Outcome::Failed(_) => Event::Failed,
                Outcome::CarriedOut(_) | Outcome::Advised | Outcome::NotOwner => Event::NotDone,
            },
            tunable,
            node,
            old: outcome.before().unwrap_or_default().to_owned(),
            new,
            decision: decision.map_or_else(String::new, |id| id.to_string()),
        }
    }

    /// Makes the change of a notice, without anybody having asked.
    pub(super) fn noticed(notice: &Notice) -> Self {
        let change = |event, tunable: &str| Self {
            event,
            tunable: tunable.to_owned(),
            node: String::new(),
            old: String::new(),
            new: String::new(),
            decision: String::new(),
        };
        match notice {
            Notice::Yielded {
                tunable,
                found,
                original,
                ..
            } => Self {
                old: original.clone(),
                new: found.to_string(),
                ..change(Event::Yielded, tunable)
            },
            Notice::Resumed { tunable } => change(Event::Resumed, tunable),
            Notice::Compacted { node, .. } => Self {
                node: node.to_string(),
                ..change(Event::Compacted, "")
            },
        }
    }

    /// Returns its fields; those that do not apply are empty, and left out when they are written.
    pub(super) fn fields<'a>(
        &'a self,
        reason: &'a str,
        code: &'a str,
    ) -> [(&'static str, &'a str); 7] {
        [
            ("TUNABLE", &self.tunable),
            ("NODE", &self.node),
            ("OLD", &self.old),
            ("NEW", &self.new),
            ("REASON", reason),
            ("CODE", code),
            ("DECISION_ID", &self.decision),
        ]
    }
}
