//! The outcomes of the requests of one scan.

use std::fmt;

use crate::actions::ActionOutcome;
use crate::modules::output::Request;

/// A request and its outcome.
#[derive(Debug)]
pub struct RequestOutcome {
    /// The module that asked.
    pub module: String,
    /// The request.
    pub request: Request,
    /// The outcome.
    pub outcome: Outcome,
    /// The number under which it is explained; `None` if there was nothing to decide.
    pub decision: Option<u64>,
}

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out, as far as it could be.
    CarriedOut(ActionOutcome),
    /// It could not be carried out.
    Failed(String),
    /// It was only said, as the module is to advise.
    Advised,
    /// Another module owns the tunable.
    NotOwner,
}

impl Outcome {
    /// Returns the code for programs, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CarriedOut(ActionOutcome::Done { .. }) => "done",
            Self::CarriedOut(ActionOutcome::Simulated { .. }) => "simulated",
            Self::CarriedOut(ActionOutcome::Begun) => "begun",
            Self::CarriedOut(ActionOutcome::AlreadySo) => "already-so",
            Self::CarriedOut(ActionOutcome::Busy) => "busy",
            Self::CarriedOut(ActionOutcome::Yielded { .. }) => "yielded",
            Self::CarriedOut(ActionOutcome::TooOften { .. }) => "too-often",
            Self::Failed(_) => "failed",
            Self::Advised => "advised",
            Self::NotOwner => "not-owner",
        }
    }

    /// Returns true if there was something to decide: what is so already, or is being done, is not asked about again.
    pub(crate) fn is_decision(&self) -> bool {
        !matches!(
            self,
            Self::CarriedOut(ActionOutcome::AlreadySo | ActionOutcome::Busy)
        )
    }

    /// Returns true if the machine was changed.
    pub(crate) fn is_change(&self) -> bool {
        matches!(
            self,
            Self::CarriedOut(ActionOutcome::Done { .. } | ActionOutcome::Begun)
        )
    }

    /// Returns true if the machine would have been changed.
    pub(crate) fn is_simulated(&self) -> bool {
        matches!(self, Self::CarriedOut(ActionOutcome::Simulated { .. }))
    }

    /// The value that the tunable had, if it was looked at.
    pub(crate) fn before(&self) -> Option<&str> {
        match self {
            Self::CarriedOut(ActionOutcome::Done { before }) => Some(before),
            Self::CarriedOut(ActionOutcome::Simulated { before }) => before.as_deref(),
            Self::CarriedOut(ActionOutcome::Yielded { found }) => Some(found),
            Self::CarriedOut(
                ActionOutcome::Begun
                | ActionOutcome::AlreadySo
                | ActionOutcome::Busy
                | ActionOutcome::TooOften { .. },
            )
            | Self::Failed(_)
            | Self::Advised
            | Self::NotOwner => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CarriedOut(outcome) => write!(f, "{outcome}"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Advised => f.write_str("advised, not done"),
            Self::NotOwner => f.write_str("refused: another module owns it"),
        }
    }
}
