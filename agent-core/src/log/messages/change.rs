//! A change of the machine, or one that was asked for, in fields for programs.

use crate::actions::request_outcome::Fate;
use crate::actions::{Notice, Outcome};
use crate::log::sinks::Event;
use crate::modules::output::Action;

/// What was to be changed, and what came of it.
pub(super) struct Change {
    pub(super) event: Event,
    tunable: String,
    node: String,
    old: String,
    new: String,
    decision: String,
}

impl Change {
    /// Of a request.
    pub(super) fn of(action: &Action, fate: &Fate, decision: Option<u64>) -> Self {
        let (tunable, new, node) = match action {
            Action::Set { tunable, value } => (tunable.clone(), value.to_string(), String::new()),
            Action::CompactNode { node } => (String::new(), String::new(), node.to_string()),
        };
        Self {
            event: match fate {
                Fate::CarriedOut(Outcome::Done { .. }) => Event::Changed,
                Fate::CarriedOut(Outcome::Begun) => Event::Compacting,
                Fate::Failed(_) => Event::Failed,
                Fate::CarriedOut(_) | Fate::Advised | Fate::NotOwner => Event::NotDone,
            },
            tunable,
            node,
            old: fate.before().unwrap_or_default().to_owned(),
            new,
            decision: decision.map_or_else(String::new, |id| id.to_string()),
        }
    }

    /// Of what was noticed, without anybody having asked.
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

    /// Its fields; those that do not apply are empty, and left out when they are written.
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
