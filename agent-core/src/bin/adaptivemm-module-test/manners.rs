//! How a module speaks, whatever it is shown.

use std::collections::BTreeSet;

use super::report::{Level, Report};
use agent_core::modules::output::{ModuleOutput, Number};

/// More is not told of one kind.
const MOST: usize = 10;

/// What was wrong with the words of a module, each told once.
#[derive(Debug, Default)]
pub(super) struct Manners {
    refused: BTreeSet<String>,
    names: BTreeSet<String>,
    unpublished: BTreeSet<String>,
    dropped: usize,
    strays: usize,
}

impl Manners {
    /// Takes note of the words of one scan.
    pub(super) fn note(&mut self, output: &ModuleOutput) {
        for (what, why) in &output.refused {
            note(&mut self.refused, || {
                format!("it asked for `{what}`, which is {why}")
            });
        }
        for finding in &output.findings {
            let code = &finding.code;
            if !is_joined(code, '-') {
                note(&mut self.names, || {
                    format!("the code {code:?} is not in kebab-case")
                });
            }
            let incident = &finding.incident;
            if !incident.is_empty() && !is_joined(incident, '-') {
                note(&mut self.names, || {
                    format!("the incident {incident:?} is not in kebab-case")
                });
            }
            self.numbers(&finding.numbers);
        }
        output
            .requests
            .iter()
            .for_each(|request| self.numbers(&request.numbers));
        self.numbers(output.metrics());
        for (name, why) in &output.unpublished {
            note(&mut self.unpublished, || {
                format!("the metric {name:?} is not published: {why}")
            });
        }
        self.dropped += output.dropped;
        self.strays += output.strays;
    }

    fn numbers(&mut self, numbers: &[Number]) {
        for Number { name, value } in numbers {
            if !value.is_finite() {
                note(&mut self.names, || {
                    format!(
                        "the number {name:?} was {value}; one that is not known is better left out"
                    )
                });
            }
            if !is_joined(name, '_') {
                note(&mut self.names, || {
                    format!("the name {name:?} of a number is not in snake_case")
                });
            }
        }
    }

    pub(super) fn judge(self, module: &str, report: &mut Report) {
        let all = |texts: BTreeSet<String>, level| {
            texts.into_iter().map(move |text| (level, text)).collect()
        };
        report.judge(
            all(self.refused, Level::Fail),
            module,
            "requests",
            "none was refused",
        );
        let mut output: Vec<(Level, String)> = all(self.names, Level::Warning);
        output.extend(all(self.unpublished, Level::Fail));
        if self.dropped > 0 {
            let text = format!(
                "{} words were beyond what is taken in one scan, and were dropped",
                self.dropped
            );
            output.push((Level::Fail, text));
        }
        if self.strays > 0 {
            let text = format!(
                "{} words came outside of the call, or from another thread",
                self.strays
            );
            output.push((Level::Fail, text));
        }
        report.judge(
            output,
            module,
            "words",
            "well named, and no more than are taken",
        );
    }
}

fn note(texts: &mut BTreeSet<String>, text: impl FnOnce() -> String) {
    if texts.len() < MOST {
        texts.insert(text());
    }
}

/// Lower-case words and digits with `joint` between them.
fn is_joined(name: &str, joint: char) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joint)
}
