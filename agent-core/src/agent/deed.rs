//! What became of the requests of one scan.

use std::fmt;

use crate::actuator::Outcome;
use crate::words::Request;

/// A request and what became of it.
#[derive(Debug)]
pub struct Deed {
    /// Who asked.
    pub module: String,
    /// For what.
    pub request: Request,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was carried out, as far as it could be.
    CarriedOut(Outcome),
    /// It could not be carried out.
    Failed(String),
    /// It was only said, as the module is to advise.
    Advised,
    /// Another module owns the tunable.
    NotOwner,
}

impl Fate {
    /// For programs, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CarriedOut(Outcome::Done { .. }) => "done",
            Self::CarriedOut(Outcome::Simulated { .. }) => "simulated",
            Self::CarriedOut(Outcome::Begun) => "begun",
            Self::CarriedOut(Outcome::AlreadySo) => "already-so",
            Self::CarriedOut(Outcome::Busy) => "busy",
            Self::CarriedOut(Outcome::Yielded { .. }) => "yielded",
            Self::CarriedOut(Outcome::TooOften { .. }) => "too-often",
            Self::Failed(_) => "failed",
            Self::Advised => "advised",
            Self::NotOwner => "not-owner",
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CarriedOut(outcome) => write!(f, "{outcome}"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Advised => f.write_str("advised, not done"),
            Self::NotOwner => f.write_str("refused: another module owns it"),
        }
    }
}
