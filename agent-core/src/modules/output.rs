//! The output of a module in one scan, in buffers that go back and forth between the core and its thread.

pub(crate) mod numbers;

use adaptivemm_module_api::{MAX_STATE, Severity};

use crate::base::clean_text;
use crate::base::clean_text::MAX_NAME;

/// The most findings and requests that are taken from one module in one scan.
pub(crate) const MAX_WORDS: usize = 64;
/// The beginning of a problem that a module did not put into words.
pub const NO_REASON: &str = "no reason given";
/// The most numbers that are taken with one finding or request, and the most problems of one call.
pub(crate) const MAX_NUMBERS: usize = 64;
/// The most metrics that are taken from one module in one scan.
pub(crate) const MAX_METRICS: usize = 256;

/// The most metrics that are told of one scan that are not published: one is enough to find the others.
pub(crate) const MAX_UNPUBLISHED: usize = 16;
/// The endings that no name of a metric has: for whoever reads metrics, these are parts of a histogram.
const RESERVED: [&str; 3] = ["bucket", "count", "sum"];

/// Everything that a module said in one scan.
#[derive(Debug, Clone, Default)]
pub struct ModuleOutput {
    /// The findings of the module.
    pub findings: Vec<Finding>,
    /// The requests of the module.
    pub requests: Vec<Request>,
    metrics: Vec<Number>,
    metrics_used: usize,
    /// One line on how things stand; empty if it said nothing.
    pub status: String,
    /// The state that it keeps for the next instance, and whether it said so: no bytes at all mean that it is to be
    /// forgotten.
    kept: Vec<u8>,
    has_kept: bool,
    /// Metrics that are not published: what they were called, and why that is no name.
    pub unpublished: Vec<(String, String)>,
    /// The reasons why a call failed: an option of the configuration (or nothing), and a sentence.
    pub problems: Vec<(String, String)>,
    /// The number of messages that were dropped, as they were more than are taken in one scan.
    pub dropped: usize,
    /// The number of messages that came outside of the call or from another thread, and were dropped.
    pub strays: usize,
    /// Requests that were refused at once: what was asked for, and why it is not done.
    pub refused: Vec<(String, String)>,
}

/// A finding of a module.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The severity of the finding.
    pub severity: Severity,
    /// The smallest verbosity at which it is logged.
    pub verbosity: u8,
    /// The kind of finding, for programs.
    pub code: String,
    /// The finding in one line for people.
    pub text: String,
    /// Further lines, separated by line feeds.
    pub details: String,
    /// The numbers behind the finding.
    pub numbers: Vec<Number>,
    /// The incident that it belongs to, as its module calls it; empty if it is none.
    pub incident: String,
    /// Whether that is over.
    pub ends_incident: bool,
    /// Whether it is about a leak.
    pub is_leak: bool,
}

/// A request of a module.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The action that is asked for.
    pub action: Action,
    /// The reason, in one line for people.
    pub reason: String,
    /// Further lines, separated by line feeds: what was weighed and what was rejected.
    pub details: String,
    /// The numbers behind the request.
    pub numbers: Vec<Number>,
}

/// Something that can be done to the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Give a tunable a value.
    Set {
        /// The name of the tunable, as sysctl has it.
        tunable: String,
        /// The new value of the tunable.
        value: i64,
    },
    /// Compact the memory of a node.
    CompactNode {
        /// The number of the node.
        node: u32,
    },
}

/// A number with its unit in its name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Number {
    /// The name, in `snake_case`.
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

impl ModuleOutput {
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
        self.unpublished.clear();
    }

    /// The numbers of this scan, in the order in which the module named them.
    #[must_use]
    pub fn metrics(&self) -> &[Number] {
        &self.metrics[..self.metrics_used]
    }

    /// Takes a number, unless its name is none that everybody can read. Whether the name is one.
    pub(crate) fn add_metric(&mut self, name: &[u8], value: f64) -> bool {
        if self.metrics_used == MAX_METRICS {
            self.dropped += 1;
            return true;
        }
        // Nearly always it has the name that stood here in the scan before, and that is good.
        let known = self.metrics.get(self.metrics_used);
        let is_known = known.is_some_and(|metric| metric.name.as_bytes() == name);
        if !is_known {
            match metric_name(name) {
                Ok(name) => self.name_metric(name),
                Err(why) => {
                    self.add_unpublished(|| (clean_text::name(name), why.to_owned()));
                    return false;
                }
            }
        }
        self.metrics[self.metrics_used].value = value;
        self.metrics_used += 1;
        true
    }

    fn name_metric(&mut self, name: &str) {
        if self.metrics_used == self.metrics.len() {
            self.metrics.push(Number::with_room());
        }
        let metric = &mut self.metrics[self.metrics_used];
        metric.name.clear();
        metric.name.push_str(name);
    }

    /// Takes note of a metric that is not published, unless there are too many.
    pub(crate) fn add_unpublished(&mut self, metric: impl FnOnce() -> (String, String)) {
        if self.unpublished.len() < MAX_UNPUBLISHED {
            self.unpublished.push(metric());
        }
    }

    /// Returns the state that it keeps for the next instance; empty if that is to begin without one. `None` if it said
    /// nothing of it.
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
    /// Returns what the action is done to, whatever the value.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::Set { tunable, .. } => tunable.clone(),
            Self::CompactNode { node } => format!("node {node}"),
        }
    }
}

fn is_word_of_name(word: &[u8]) -> bool {
    let mut bytes = word.iter();
    !word.is_empty() && bytes.all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
}

/// Checks the name of a metric: it is in `snake_case`, as programs of others parse it.
///
/// # Errors
///
/// Returns why it is none.
fn metric_name(name: &[u8]) -> Result<&str, &'static str> {
    let text = std::str::from_utf8(name).unwrap_or("");
    match name {
        [] => Err("its name is empty"),
        _ if name.len() > MAX_NAME => Err("its name is longer than 64 bytes"),
        [first, ..] if !first.is_ascii_lowercase() => {
            Err("its name does not start with a lower-case letter")
        }
        _ if !name.split(|byte| *byte == b'_').all(is_word_of_name) => {
            Err("its name is not in snake_case")
        }
        _ if RESERVED.contains(&text.rsplit('_').next().unwrap_or(text)) => {
            Err("its name ends with a suffix of histograms")
        }
        _ => Ok(text),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_whose_name_others_could_not_read_is_refused_when_it_is_said() {
        let mut output = ModuleOutput::default();
        let long = "x".repeat(65);
        let bad: [(&[u8], &str); 15] = [
            (b"", "its name is empty"),
            (long.as_bytes(), "its name is longer than 64 bytes"),
            (
                b"1st_bytes",
                "its name does not start with a lower-case letter",
            ),
            (
                b"_bytes",
                "its name does not start with a lower-case letter",
            ),
            (b"Bytes", "its name does not start with a lower-case letter"),
            (b"free bytes", "its name is not in snake_case"),
            (b"free-bytes", "its name is not in snake_case"),
            (b"freeBytes", "its name is not in snake_case"),
            (b"free__bytes", "its name is not in snake_case"),
            (b"free_", "its name is not in snake_case"),
            (b"quote\"", "its name is not in snake_case"),
            (b"line\nfeed 1", "its name is not in snake_case"),
            (b"free\xff", "its name is not in snake_case"),
            (b"scan_count", "its name ends with a suffix of histograms"),
            (b"sum", "its name ends with a suffix of histograms"),
        ];

        assert!(output.add_metric(b"free_bytes", 1.0));
        for (name, _) in bad {
            assert!(!output.add_metric(name, 2.0));
        }
        assert!(output.add_metric(b"zone0_seen_total", 3.0));

        let taken: Vec<_> = output
            .metrics()
            .iter()
            .map(|n| (n.name.as_str(), n.value))
            .collect();
        assert_eq!(taken, [("free_bytes", 1.0), ("zone0_seen_total", 3.0)]);
        let told: Vec<_> = output
            .unpublished
            .iter()
            .map(|(_, why)| why.as_str())
            .collect();
        assert_eq!(told, bad.map(|(_, why)| why));
        assert!(
            output
                .unpublished
                .iter()
                .all(|(name, _)| !name.contains('\n'))
        );
    }
}
