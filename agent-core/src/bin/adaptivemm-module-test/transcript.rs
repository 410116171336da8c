//! Everything that a module said in a scan, as text that can be compared.

use super::stage::Answer;
use agent_core::modules::output::{Finding, ModuleOutput, Number, Request};

/// What was said at one moment, a line for each word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transcript {
    pub(super) t_ms: u64,
    lines: Vec<String>,
}

impl Transcript {
    pub(super) fn of(t_ms: u64, answer: &Answer, output: &ModuleOutput) -> Self {
        let mut lines: Vec<String> = output.findings.iter().map(finding).collect();
        lines.extend(output.requests.iter().map(request));
        lines.extend(
            output
                .metrics()
                .iter()
                .map(|Number { name, value }| format!("metric {name} {value}")),
        );
        lines.push(format!("status {}", output.status));
        lines.extend(
            output
                .problems
                .iter()
                .map(|(key, text)| format!("problem {key}: {text}")),
        );
        lines.push(format!("answer {answer:?}"));
        Self { t_ms, lines }
    }

    /// The first line that is not the same.
    fn difference<'t>(&'t self, other: &'t Self) -> Option<(&'t str, &'t str)> {
        let line = |lines: &'t [String], index: usize| {
            lines.get(index).map_or("nothing more", String::as_str)
        };
        (0..self.lines.len().max(other.lines.len()))
            .map(|index| (line(&self.lines, index), line(&other.lines, index)))
            .find(|(once, again)| once != again)
    }
}

/// Where two runs of the same trace first differ, in a sentence.
pub(super) fn difference(first: &[Transcript], second: &[Transcript]) -> Option<String> {
    let both = first.iter().zip(second).enumerate();
    let mut differing = both.filter_map(|(index, (first, second))| {
        let (once, again) = first.difference(second)?;
        Some(format!(
            "the same trace gave other words in a second process: in scan {} ({} ms) first `{once}`, then `{again}`",
            index + 1,
            first.t_ms
        ))
    });
    differing.next()
}

fn finding(finding: &Finding) -> String {
    let Finding {
        severity,
        verbosity,
        code,
        text,
        details,
        numbers,
        incident,
        ends_incident,
        is_leak,
    } = finding;
    format!(
        "finding {}/{verbosity} {code} {incident} {ends_incident} {is_leak}: {text} {} {details:?}",
        severity.name(),
        told(numbers)
    )
}

fn request(request: &Request) -> String {
    format!(
        "request {} ({}) {}",
        request.action,
        request.reason,
        told(&request.numbers)
    )
}

fn told(numbers: &[Number]) -> String {
    let told = numbers
        .iter()
        .map(|Number { name, value }| format!("{name}={value}"));
    told.collect::<Vec<_>>().join(" ")
}
