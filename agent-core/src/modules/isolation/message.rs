//! The messages between the daemon and the process of a module.
//!
//! Nothing here outlives a version: both sides are the same program.

use std::io;
use std::path::PathBuf;

use adaptivemm_module_api::Severity;
use serde::{Deserialize, Serialize};

use super::frame::{garbage, whole};
use crate::base::bounded::few;
use crate::base::clean_text::{self, Lines, MAX_LINE};
use crate::config::Value;
use crate::kernel::WireSnapshot;
use crate::modules::abi::{CallResult, Description, MAX_MODULES};
use crate::modules::output::{
    Action, Finding, MAX_METRICS, MAX_NUMBERS, MAX_UNPUBLISHED, MAX_WORDS, ModuleOutput, Number,
    Request,
};
use crate::modules::permit::Answer;
use crate::modules::permit::Permit;

/// More shared objects than any module brings in.
const MAX_OBJECTS: usize = 256;

impl Confinement {
    /// Returns what this kernel lacks, and what that means for modules that run in a process of their own.
    #[must_use]
    pub fn lacks(self) -> Vec<&'static str> {
        let mut lacks = Vec::new();
        if !self.has_landlock {
            lacks.push(
                "this kernel has no Landlock, or lsm= leaves it out: while its library is loaded, a module in a process of \
                 its own can read whatever the user of that process can; where that user is root, as in the service, the \
                 module is refused",
            );
        }
        if !self.has_filter {
            lacks.push(
                "this kernel or this processor cannot filter system calls: a module in a process of its own is refused, \
                 and one that runs in the daemon is not",
            );
        }
        lacks
    }
}

/// The first word of the process: which modules there are, or why there are none.
pub(super) type Greeting = Result<Offer, String>;

/// The modules that there are, and what is to be known of the process that holds them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Offer {
    /// The descriptions of the modules.
    #[serde(deserialize_with = "few::<_, _, MAX_MODULES>")]
    pub modules: Vec<Description>,
    /// The shared objects that were mapped to load them.
    #[serde(deserialize_with = "few::<_, _, MAX_OBJECTS>")]
    pub objects: Vec<PathBuf>,
    /// The means that keep the process from more than to compute.
    pub confinement: Confinement,
}

/// The means of the kernel to confine a process, beyond limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// True if it may read libraries only.
    pub(crate) has_landlock: bool,
    /// True if its system calls are filtered.
    pub(crate) has_filter: bool,
}

/// An order of the daemon.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order<'a> {
    /// Creates an instance.
    Create {
        module: &'a str,
        values: Vec<(String, Value)>,
        permit: Permit,
        /// The state that an earlier instance kept.
        state: &'a [u8],
    },
    /// Let it look at a snapshot.
    #[serde(borrow)]
    Scan(WireSnapshot<'a>),
}

/// The result of [`Order::Create`]: done, wrong options, or something else.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Created {
    Done,
    Options(#[serde(deserialize_with = "few::<_, _, MAX_NUMBERS>")] Vec<(String, String)>),
    Broken(String),
}

/// The output of a module in one scan, as it comes from its process.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told<'a> {
    pub(super) scan: u64,
    verdict: u8,
    #[serde(borrow, deserialize_with = "few::<_, _, MAX_WORDS>")]
    findings: Vec<ToldFinding<'a>>,
    #[serde(borrow, deserialize_with = "few::<_, _, MAX_WORDS>")]
    requests: Vec<ToldRequest<'a>>,
    #[serde(borrow, deserialize_with = "few::<_, _, MAX_METRICS>")]
    metrics: Vec<(&'a str, f64)>,
    status: &'a str,
    #[serde(borrow, deserialize_with = "few::<_, _, MAX_NUMBERS>")]
    problems: Vec<(&'a str, &'a str)>,
    dropped: u32,
    strays: u32,
    #[serde(borrow, deserialize_with = "few::<_, _, MAX_WORDS>")]
    refused: Vec<(&'a str, &'a str)>,
    #[serde(borrow, deserialize_with = "few::<_, _, MAX_UNPUBLISHED>")]
    unpublished: Vec<(&'a str, &'a str)>,
    kept: Option<&'a [u8]>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ToldFinding<'a> {
    severity: u8,
    verbosity: u8,
    code: &'a str,
    text: &'a str,
    details: &'a str,
    #[serde(borrow, deserialize_with = "few::<_, _, MAX_NUMBERS>")]
    numbers: Vec<(&'a str, f64)>,
    incident: &'a str,
    ends_incident: bool,
    is_leak: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct ToldRequest<'a> {
    action: ToldAction<'a>,
    reason: &'a str,
    details: &'a str,
    #[serde(borrow, deserialize_with = "few::<_, _, MAX_NUMBERS>")]
    numbers: Vec<(&'a str, f64)>,
}

#[derive(Debug, Serialize, Deserialize)]
enum ToldAction<'a> {
    Set(&'a str, i64),
    CompactNode(u32),
}

/// Reads a greeting, and checks what it says.
///
/// # Errors
///
/// Returns an error if it makes no sense.
pub(super) fn checked(greeting: Greeting) -> io::Result<Result<Offer, String>> {
    match greeting {
        Err(why) => Ok(Err(clean_text::line(why.as_bytes()))),
        Ok(offer) => {
            for module in &offer.modules {
                module.check().map_err(|why| garbage(&why))?;
            }
            Ok(Ok(offer))
        }
    }
}

/// Reads what a process says first, as the daemon does.
///
/// # Errors
///
/// Returns an error if it makes no sense.
pub fn greeting_from_bytes(bytes: &[u8]) -> io::Result<Result<Vec<Description>, String>> {
    let greeting = checked(whole(bytes)?)?;
    Ok(greeting.map(|offer| offer.modules))
}

/// Reads an answer, as the daemon does, and takes its output as far as `permit` allows.
///
/// # Errors
///
/// Returns an error if it makes no sense.
pub fn answer_from_bytes(
    bytes: &[u8],
    permit: &Permit,
    output: &mut ModuleOutput,
) -> io::Result<CallResult> {
    whole::<Told<'_>>(bytes)?.take(permit, output)
}

impl<'a> Told<'a> {
    /// Collects everything that was said, in the process.
    pub(super) fn from_output(scan: u64, verdict: CallResult, output: &'a ModuleOutput) -> Self {
        Self {
            scan,
            verdict: code_of(verdict),
            findings: output
                .findings
                .iter()
                .map(ToldFinding::from_finding)
                .collect(),
            requests: output
                .requests
                .iter()
                .map(ToldRequest::from_request)
                .collect(),
            metrics: told_numbers(output.metrics()),
            status: &output.status,
            problems: told_pairs(&output.problems),
            dropped: saturated(output.dropped),
            strays: saturated(output.strays),
            refused: told_pairs(&output.refused),
            unpublished: told_pairs(&output.unpublished),
            kept: output.kept(),
        }
    }

    /// Takes the output, in the daemon, by the same rules as for a module in its own process.
    pub(super) fn take(self, permit: &Permit, output: &mut ModuleOutput) -> io::Result<CallResult> {
        let verdict = verdict_of(self.verdict).ok_or_else(|| garbage("an unknown verdict"))?;
        output.dropped += self.dropped as usize;
        output.strays += self.strays as usize;
        for finding in self.findings {
            output.add_finding(|| finding.cleaned());
        }
        for request in self.requests {
            let request = request.cleaned();
            // The process has asked the same permit; one that did not heed the answer forges.
            if permit.answer(&request.action) == Answer::Taken {
                output.add_request(|| request);
            } else {
                return Err(garbage(&format!(
                    "a request that was refused: {}",
                    request.action
                )));
            }
        }
        for (name, value) in self.metrics {
            output.add_metric(name.as_bytes(), value);
        }
        clean_text::append(
            self.status.as_bytes(),
            MAX_LINE,
            Lines::One,
            &mut output.status,
        );
        for (key, text) in self.problems {
            output.add_problem(|| {
                (
                    clean_text::name(key.as_bytes()),
                    clean_text::line(text.as_bytes()),
                )
            });
        }
        for (what, why) in self.refused {
            output.add_refused(|| {
                (
                    clean_text::line(what.as_bytes()),
                    clean_text::line(why.as_bytes()),
                )
            });
        }
        for (name, why) in self.unpublished {
            output.add_unpublished(|| {
                (
                    clean_text::name(name.as_bytes()),
                    clean_text::line(why.as_bytes()),
                )
            });
        }
        // The process has refused more; one that did not forges.
        if !self.kept.is_none_or(|state| output.keep(state)) {
            return Err(garbage("more state than is kept"));
        }
        Ok(verdict)
    }
}

impl<'a> ToldFinding<'a> {
    fn from_finding(finding: &'a Finding) -> Self {
        Self {
            severity: finding.severity.number(),
            verbosity: finding.verbosity,
            code: &finding.code,
            text: &finding.text,
            details: &finding.details,
            numbers: told_numbers(&finding.numbers),
            incident: &finding.incident,
            ends_incident: finding.ends_incident,
            is_leak: finding.is_leak,
        }
    }

    fn cleaned(self) -> Finding {
        Finding {
            severity: Severity::from_number(self.severity.into()),
            verbosity: self.verbosity.min(5),
            code: clean_text::name(self.code.as_bytes()),
            text: clean_text::line(self.text.as_bytes()),
            details: clean_text::details(self.details.as_bytes()),
            numbers: cleaned_numbers(self.numbers),
            incident: clean_text::name(self.incident.as_bytes()),
            ends_incident: self.ends_incident,
            is_leak: self.is_leak,
        }
    }
}

impl<'a> ToldRequest<'a> {
    fn from_request(request: &'a Request) -> Self {
        let action = match &request.action {
            Action::Set { tunable, value } => ToldAction::Set(tunable, *value),
            Action::CompactNode { node } => ToldAction::CompactNode(*node),
        };
        Self {
            action,
            reason: &request.reason,
            details: &request.details,
            numbers: told_numbers(&request.numbers),
        }
    }

    fn cleaned(self) -> Request {
        let action = match self.action {
            ToldAction::Set(tunable, value) => Action::Set {
                tunable: clean_text::name(tunable.as_bytes()),
                value,
            },
            ToldAction::CompactNode(node) => Action::CompactNode { node },
        };
        Request {
            action,
            reason: clean_text::line(self.reason.as_bytes()),
            details: clean_text::details(self.details.as_bytes()),
            numbers: cleaned_numbers(self.numbers),
        }
    }
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn told_pairs(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(first, second)| (first.as_str(), second.as_str()))
        .collect()
}

fn told_numbers(numbers: &[Number]) -> Vec<(&str, f64)> {
    numbers
        .iter()
        .map(|number| (number.name.as_str(), number.value))
        .collect()
}

fn cleaned_numbers(numbers: Vec<(&str, f64)>) -> Vec<Number> {
    numbers
        .into_iter()
        .map(|(name, value)| Number {
            name: clean_text::name(name.as_bytes()),
            value,
        })
        .collect()
}

fn code_of(verdict: CallResult) -> u8 {
    match verdict {
        CallResult::Good => 0,
        CallResult::Failed => 1,
        CallResult::Panicked | CallResult::Died => 2,
    }
}

fn verdict_of(code: u8) -> Option<CallResult> {
    [CallResult::Good, CallResult::Failed, CallResult::Panicked]
        .get(usize::from(code))
        .copied()
}

#[cfg(test)]
mod tests;
