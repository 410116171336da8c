//! Tells the journal what happened in a scan: transitions, not states.

use adaptivemm_module_api::Severity;

use crate::actuator::Outcome;
use crate::agent::{Deed, Fate, Round};
use crate::bus::{Ending, Member, Reason};
use crate::journal::{Entry, Journal, Pass, Repeats};
use crate::loader::Verdict;

/// Remembers what was told, so that a condition that lasts is told once an hour.
#[derive(Debug, Default)]
pub struct Reporter {
    repeats: Repeats,
    /// Files that could not be read in the last scan.
    unreadable: Vec<String>,
}

/// A condition that may last.
struct Condition<'a> {
    severity: Severity,
    verbosity: u8,
    module: &'a str,
    code: &'a str,
    text: &'a str,
}

impl Reporter {
    /// Has told nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells what happened in one scan.
    pub fn report(&mut self, round: &Round<'_>, journal: &mut Journal) {
        self.files(round, journal);
        self.steadiness(round, journal);
        for member in round.members {
            self.ending(member, round, journal);
            self.words(member, journal);
        }
        for deed in &round.deeds {
            self.deed(deed, round, journal);
        }
    }

    /// Files that came or went. A file that is not there is a fact of this kernel, an error is news.
    fn files(&mut self, round: &Round<'_>, journal: &mut Journal) {
        for (path, _, result) in round.snapshot.readings() {
            let known = self
                .unreadable
                .iter()
                .position(|unreadable| unreadable == path);
            match (result, known) {
                (Ok(()), Some(index)) => {
                    self.unreadable.swap_remove(index);
                    Self::write(
                        journal,
                        Severity::Info,
                        0,
                        "core",
                        &format!("{path} can be read again"),
                    );
                }
                (Err(error), None) => {
                    self.unreadable.push(path.to_owned());
                    let severity = if error.is_missing() {
                        Severity::Notice
                    } else {
                        Severity::Error
                    };
                    let text =
                        format!("cannot read {path}: {error}; what depends on it is left out");
                    Self::write(journal, severity, 0, "core", &text);
                }
                (Ok(()), None) | (Err(_), Some(_)) => {}
            }
        }
    }

    fn steadiness(&mut self, round: &Round<'_>, journal: &mut Journal) {
        if !round.snapshot.steady {
            let text = "memory moves faster than its files can be read; sums over them may be off by megabytes";
            Self::write(journal, Severity::Debug, 4, "core", text);
        }
    }

    fn ending(&mut self, member: &Member, round: &Round<'_>, journal: &mut Journal) {
        let name = member.name();
        let problem = member
            .words()
            .problems
            .first()
            .map_or("no reason given", |(_, text)| text);
        let (code, text) = match member.ending() {
            Ending::Answered(Verdict::Good) => {
                self.back_to_normal(name, journal);
                return;
            }
            Ending::Silent => return,
            Ending::Answered(Verdict::Failed | Verdict::Panicked) => {
                ("failed", format!("cannot do its work: {problem}"))
            }
            Ending::Late(missed) => {
                let text = format!(
                    "is still busy with an earlier scan; it has missed {} in a row",
                    missed + 1
                );
                ("late", text)
            }
            Ending::Quarantined(reason) => ("quarantined", quarantine(reason, problem)),
        };
        let severity = Severity::Error;
        self.condition(
            round,
            journal,
            &Condition {
                severity,
                verbosity: 0,
                module: name,
                code,
                text: &text,
            },
        );
    }

    fn back_to_normal(&mut self, name: &str, journal: &mut Journal) {
        let failed = self.repeats.over(name, "failed");
        let late = self.repeats.over(name, "late");
        if failed || late {
            Self::write(journal, Severity::Info, 0, name, "does its work again");
        }
    }

    fn words(&mut self, member: &Member, journal: &mut Journal) {
        let words = member.words();
        for finding in &words.findings {
            let entry = Entry {
                severity: finding.severity,
                verbosity: finding.verbosity,
                module: member.name(),
                text: &finding.text,
                details: &finding.details,
            };
            journal.write(&entry);
        }
        if words.dropped > 0 {
            let text = format!(
                "said too much in one scan: {} words were dropped",
                words.dropped
            );
            Self::write(journal, Severity::Warning, 0, member.name(), &text);
        }
        if !words.status.is_empty() && journal.verbosity() >= 2 {
            Self::write(journal, Severity::Info, 2, member.name(), &words.status);
        }
    }

    fn deed(&mut self, deed: &Deed, round: &Round<'_>, journal: &mut Journal) {
        let Deed {
            module,
            request,
            fate,
        } = deed;
        let text = format!("{}: {fate} ({})", request.action, request.reason);
        let (severity, verbosity, lasts) = match fate {
            Fate::CarriedOut(Outcome::Done { .. } | Outcome::Simulated { .. }) => {
                (Severity::Notice, 0, false)
            }
            Fate::CarriedOut(Outcome::AlreadySo) => (Severity::Debug, 1, false),
            Fate::CarriedOut(Outcome::Yielded { .. }) | Fate::Advised | Fate::NotOwner => {
                (Severity::Notice, 0, true)
            }
            Fate::Failed(_) => (Severity::Error, 0, true),
        };
        if lasts {
            let code = format!("{} {}", request.action, fate.code());
            self.condition(
                round,
                journal,
                &Condition {
                    severity,
                    verbosity,
                    module,
                    code: &code,
                    text: &text,
                },
            );
        } else {
            Self::write(journal, severity, verbosity, module, &text);
        }
    }

    fn condition(&mut self, round: &Round<'_>, journal: &mut Journal, condition: &Condition<'_>) {
        let Condition {
            severity,
            verbosity,
            module,
            code,
            text,
        } = *condition;
        match self.repeats.pass(module, code, round.snapshot.uptime.0) {
            Pass::Suppress => {}
            Pass::Write { suppressed: 0 } => {
                Self::write(journal, severity, verbosity, module, text)
            }
            Pass::Write { suppressed } => {
                let text = format!("{text} (and {suppressed} times more since this was last said)");
                Self::write(journal, severity, verbosity, module, &text);
            }
        }
    }

    fn write(journal: &mut Journal, severity: Severity, verbosity: u8, module: &str, text: &str) {
        journal.write(&Entry {
            severity,
            verbosity,
            module,
            text,
            details: "",
        });
    }
}

fn quarantine(reason: Reason, problem: &str) -> String {
    let what_now = "it is not asked any more until it is reloaded";
    match reason {
        Reason::Panicked => format!("broke down, {what_now}: {problem}"),
        Reason::Hung(scans) => format!("did not answer for {scans} scans, {what_now}"),
        Reason::Died => format!("lost its thread, {what_now}"),
    }
}
