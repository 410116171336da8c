//! What a module said, as a test keeps it.

use core::fmt;

use crate::out::{Refused, Severity};

/// Everything that a module said in one scan.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct Words {
    /// How the scan ended.
    pub verdict: Verdict,
    /// What it saw.
    pub findings: Vec<Finding>,
    /// What it asked for, taken or refused.
    pub requests: Vec<Request>,
    /// Its numbers, in the order in which it named them.
    pub metrics: Vec<(String, f64)>,
    /// How things stand; empty if it did not say.
    pub status: String,
    /// What it kept for the next instance, to be handed to [`Rig::create_after`](super::Rig::create_after).
    pub kept: Option<Vec<u8>>,
}

/// How a scan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The module did its work.
    Good,
    /// It could not, for this reason.
    Failed(String),
    /// It panicked, with this message. The daemon puts it into quarantine and forgets its other words.
    Panicked(String),
}

/// Something seen.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The smallest verbosity at which it is logged.
    pub verbosity: u8,
    /// What kind, for programs.
    pub code: String,
    /// One line for people.
    pub text: String,
    /// Further lines, separated by line feeds.
    pub details: String,
    /// The numbers behind it.
    pub numbers: Vec<(String, f64)>,
    /// The incident that it belongs to; empty if it is none.
    pub incident: String,
    /// Whether that is over.
    pub ends_incident: bool,
    /// Whether it is about a leak.
    pub is_leak: bool,
}

/// Something asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// What to do.
    pub action: Action,
    /// Why, in one line for people.
    pub reason: String,
    /// Further lines, separated by line feeds: what was weighed and what was rejected.
    pub details: String,
    /// The numbers behind it.
    pub numbers: Vec<(String, f64)>,
    /// Why it was not taken, if so. Only what is in `writes` is taken; the daemon also refuses a tunable that
    /// it does not know, and a value out of the tunable's range.
    pub refused: Option<Refused>,
}

/// Something that can be done to a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Give a tunable a value.
    Set {
        /// As sysctl names it.
        tunable: String,
        /// The new value.
        value: i64,
    },
    /// Compact the memory of a node.
    CompactNode {
        /// Its number.
        node: u32,
    },
}

impl Words {
    /// Before anything is said.
    pub(super) const fn new() -> Self {
        Self {
            verdict: Verdict::Good,
            findings: Vec::new(),
            requests: Vec::new(),
            metrics: Vec::new(),
            status: String::new(),
            kept: None,
        }
    }

    /// The findings, a line each: `warning much-dirty: 200.0 MiB wait to be written`.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        self.findings.iter().map(ToString::to_string).collect()
    }

    /// The last value of a metric in this scan.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        let mut metrics = self.metrics.iter().rev();
        metrics
            .find(|metric| metric.0 == name)
            .map(|metric| metric.1)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity, self.code, self.text)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set { tunable, value } => write!(f, "{tunable} = {value}"),
            Self::CompactNode { node } => write!(f, "compact node {node}"),
        }
    }
}
