//! What a module said in one scan, in buffers that go back and forth between the core and its thread.

pub(crate) mod clean;
mod secret;

use adaptivemm_module_api::{MAX_STATE, Severity};

use clean::{Lines, MAX_NAME};
pub(crate) use secret::{discreet, masked};

/// The most findings and requests that are taken from one module in one scan.
pub(crate) const MAX_WORDS: usize = 64;
/// How a problem starts that a module did not put into words.
pub(crate) const NO_REASON: &str = "no reason given";
/// The most numbers that are taken with one finding or request, and the most problems of one call.
pub(crate) const MAX_NUMBERS: usize = 64;
/// The most metrics that are taken from one module in one scan.
pub(crate) const MAX_METRICS: usize = 256;

/// Everything that a module said in one scan.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// What it saw.
    pub findings: Vec<Finding>,
    /// What it wants done.
    pub requests: Vec<Request>,
    metrics: Vec<Number>,
    metrics_used: usize,
    /// One line on how things stand; empty if it said nothing.
    pub status: String,
    /// What it keeps for the next instance, and whether it said so: nothing at all is to be forgotten.
    kept: Vec<u8>,
    has_kept: bool,
    /// Why a call failed: an option of the configuration (or nothing), and a sentence.
    pub problems: Vec<(String, String)>,
    /// Words beyond what is taken in one scan.
    pub dropped: usize,
    /// Words that came outside of the call or from another thread, and were dropped.
    pub strays: usize,
    /// Requests that were refused at once: what was asked for, and why it is not done.
    pub refused: Vec<(String, String)>,
}

/// Something seen.
#[derive(Debug, Clone, PartialEq)]
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
    pub numbers: Vec<Number>,
    /// The incident that it belongs to, as its module calls it; empty if it is none.
    pub incident: String,
}

/// Something asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What to do.
    pub action: Action,
    /// Why, in one line for people.
    pub reason: String,
    /// Further lines, separated by line feeds: what was weighed and what was rejected.
    pub details: String,
    /// The numbers behind it.
    pub numbers: Vec<Number>,
}

/// Something that can be done to the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A number with its unit in its name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Number {
    /// In `snake_case`.
    pub name: String,
    /// Exact for whole numbers below 2^53.
    pub value: f64,
}

impl Number {
    /// One whose name can become any other without asking for memory: metrics come and go, and others take their place.
    pub(crate) fn with_room() -> Self {
        Self {
            name: String::with_capacity(MAX_NAME),
            value: 0.0,
        }
    }
}

impl Words {
    /// Forgets what was said, and keeps the buffers.
    pub fn clear(&mut self) {
        self.keep_problems();
        self.problems.clear();
    }

    /// Forgets everything but why a call failed: whoever broke down half-way did not mean the rest.
    pub(crate) fn keep_problems(&mut self) {
        self.findings.clear();
        self.requests.clear();
        self.metrics_used = 0;
        self.status.clear();
        self.has_kept = false;
        self.dropped = 0;
        self.strays = 0;
        self.refused.clear();
    }

    /// The numbers of this scan, in the order in which the module named them.
    #[must_use]
    pub fn metrics(&self) -> &[Number] {
        &self.metrics[..self.metrics_used]
    }

    /// Takes a number, with its name cleaned.
    pub(crate) fn add_metric(&mut self, name: &[u8], value: f64) {
        if self.metrics_used == MAX_METRICS {
            self.dropped += 1;
            return;
        }
        if self.metrics_used == self.metrics.len() {
            self.metrics.push(Number::with_room());
        }
        let metric = &mut self.metrics[self.metrics_used];
        // Nearly always it has the name that stood here in the scan before, and that is clean.
        if metric.name.as_bytes() != name {
            metric.name.clear();
            clean::append(name, MAX_NAME, Lines::One, &mut metric.name);
        }
        metric.value = value;
        self.metrics_used += 1;
    }

    /// What it keeps for the next instance; empty if that is to start afresh. `None` if it said nothing of it.
    #[must_use]
    pub fn kept(&self) -> Option<&[u8]> {
        self.has_kept.then_some(&*self.kept)
    }

    /// Gives away what it keeps for the next instance. The buffer may be exchanged for another one.
    pub(crate) fn take_kept(&mut self) -> Option<&mut Vec<u8>> {
        std::mem::take(&mut self.has_kept).then_some(&mut self.kept)
    }

    /// Takes what is to be kept, unless it is too much.
    pub(crate) fn keep(&mut self, state: &[u8]) -> bool {
        let is_taken = state.len() <= MAX_STATE;
        if is_taken {
            self.kept.clear();
            self.kept.extend_from_slice(state);
            self.has_kept = true;
        }
        is_taken
    }

    /// Takes a problem, unless there are too many.
    pub(crate) fn add_problem(&mut self, problem: impl FnOnce() -> (String, String)) {
        if self.problems.len() < MAX_NUMBERS {
            self.problems.push(problem());
        }
    }

    /// Takes a finding, unless there are too many. Then it is not even made: whoever says too much is not
    /// to cost much.
    pub(crate) fn add_finding(&mut self, finding: impl FnOnce() -> Finding) {
        if self.findings.len() < MAX_WORDS {
            self.findings.push(finding());
        } else {
            self.dropped += 1;
        }
    }

    /// Takes note of a request that was refused, unless there are too many.
    pub(crate) fn add_refused(&mut self, refused: impl FnOnce() -> (String, String)) {
        if self.refused.len() < MAX_WORDS {
            self.refused.push(refused());
        }
    }

    /// Takes a request, unless there are too many.
    pub(crate) fn add_request(&mut self, request: impl FnOnce() -> Request) {
        if self.requests.len() < MAX_WORDS {
            self.requests.push(request());
        } else {
            self.dropped += 1;
        }
    }
}

impl Action {
    /// What it is done to, whatever the value.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::Set { tunable, .. } => tunable.clone(),
            Self::CompactNode { node } => format!("node {node}"),
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Set { tunable, value } => write!(f, "{tunable} = {value}"),
            Self::CompactNode { node } => write!(f, "compact node {node}"),
        }
    }
}
