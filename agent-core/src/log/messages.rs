//! Makes the lines of the log about a scan: transitions, not states.

mod breakdown;
mod change;
mod decision;
mod gaps;
mod incident;
mod restored;
mod share;

use std::time::Duration;

use adaptivemm_module_api::Severity;

use crate::actions::request_outcome::Outcome;
use crate::actions::request_outcome::RequestOutcome;
use crate::actions::{ActionOutcome, Notice, Restored};
use crate::base::news::News;
use crate::kernel::tunables;
use crate::log::sinks::{Entry, Event, Logger, Pass, Repeats};
use crate::modules::abi::CallResult;
use crate::modules::output::{Finding, NO_REASON};
use crate::modules::pool::{LateFinding, ModuleHandle, Reason, ScanResult};
use crate::scan::Round;

pub(crate) use breakdown::{breakdown, quarantine};
use change::Change;
pub use decision::report_follow_ups;
use decision::why;
pub use gaps::Gaps;
pub(crate) use incident::incident_text;
pub use restored::report_restored;
use restored::restored_level;
use share::Shares;

/// The code of external changes to a tunable, by convention of all modules; they may come again and again, with another
/// value each time.
const BY_OTHERS: &str = "changed-by-others";

/// Remembers what was told, so that a condition that lasts is told once an hour.
#[derive(Debug, Default)]
pub struct Reporter {
    repeats: Repeats,
    /// The share of the log that each module has left.
    shares: Shares,
    /// Files that could not be read in the last scan.
    unreadable: Vec<String>,
    /// The files that were never recorded; in a replay only.
    gaps: Option<Gaps>,
    /// The files and modules whose trouble was logged at a higher verbosity only, as the trace lacks their files.
    hushed: Vec<String>,
}

impl Reporter {
    /// Creates a reporter that has told nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a reporter for a replay, whose trace may lack what modules need.
    #[must_use]
    pub fn for_replay(gaps: Gaps) -> Self {
        Self {
            gaps: Some(gaps),
            ..Self::default()
        }
    }

    /// Modules begin anew: what they say is news, though it was said before.
    pub fn begin_anew(&mut self) {
        self.shares.forget_all();
    }

    /// Returns what the trace of a replay lacks.
    pub fn gaps(&mut self) -> Option<&mut Gaps> {
        self.gaps.as_mut()
    }

    /// Tells what happened in one scan.
    pub fn report(&mut self, round: &Round<'_>, journal: &mut Logger) {
        let uptime = round.snapshot.uptime.0;
        for News { is_bad, text } in &round.news {
            let (severity, event) = if *is_bad {
                (Severity::Warning, Event::Trouble)
            } else {
                (Severity::Info, Event::TroubleOver)
            };
            journal.write(&Entry::new(severity, "core", text).event(event));
        }
        self.files(round, journal);
        if !round.snapshot.steady {
            let text = "memory changes faster than it can be read; sums may be off by megabytes";
            journal.write(&Entry::new(Severity::Debug, "core", text).from_verbosity(4));
        }
        for handle in round.handles {
            self.ending(handle, uptime, journal);
            self.output(handle, uptime, journal);
        }
        for restored in &round.restored {
            self.restored(restored, uptime, journal);
        }
        for notice in &round.notices {
            self.notice(notice, uptime, journal);
        }
        for settled in &round.outcomes {
            self.settled(settled, uptime, journal);
        }
        report_follow_ups(&round.records, journal);
    }

    /// Files that came or went. A file that is not there is a fact of this kernel, an error is news.
    fn files(&mut self, round: &Round<'_>, journal: &mut Logger) {
        for (path, _, result) in round.snapshot.readings() {
            let known = self
                .unreadable
                .iter()
                .position(|unreadable| unreadable == path);
            match (result, known) {
                (Ok(()), Some(index)) => {
                    self.unreadable.swap_remove(index);
                    let text = format!("{path} can be read again");
                    let entry = Entry::new(Severity::Info, "core", &text).event(Event::Readable);
                    let entry = entry.from_verbosity(self.unhush(path));
                    journal.write(&entry.fields(&[("FILE", path)]));
                }
                (Err(_), None) if self.gaps.as_ref().is_some_and(|gaps| gaps.has(path)) => {
                    self.unreadable.push(path.to_owned());
                    self.hushed.push(path.to_owned());
                    let text = format!(
                        "the trace does not contain {path}; what depends on it is left out"
                    );
                    let entry = Entry::new(Severity::Debug, "core", &text);
                    journal.write(&entry.from_verbosity(1));
                }
                (Err(error), None) if round.is_optional(path) => {
                    self.unreadable.push(path.to_owned());
                    let text =
                        format!("cannot read {path}: {error}; decisions are explained without it");
                    let entry = Entry::new(Severity::Debug, "core", &text);
                    journal.write(&entry.from_verbosity(1));
                }
                (Err(error), None) => {
                    self.unreadable.push(path.to_owned());
                    let text =
                        format!("cannot read {path}: {error}; what depends on it is left out");
                    let fields = [("FILE", path)];
                    let entry = |severity| {
                        let entry = Entry::new(severity, "core", &text).event(Event::Unreadable);
                        entry.fields(&fields)
                    };
                    journal.write(&match error.is_missing() {
                        // Its module says what that means; most kernels lack some tunable.
                        true if tunables::at(path).is_some() => {
                            entry(Severity::Debug).from_verbosity(1)
                        }
                        true => entry(Severity::Notice),
                        false => entry(Severity::Error),
                    });
                }
                (Ok(()), None) | (Err(_), Some(_)) => {}
            }
        }
    }

    fn ending(&mut self, handle: &ModuleHandle, uptime: Duration, journal: &mut Logger) {
        let problem = handle.output().problems.first();
        let problem = problem.map_or(NO_REASON, |(_, text)| text);
        let (code, event, text) = match handle.ending() {
            // That it is idle was told when it was to be started.
            ScanResult::Silent | ScanResult::Quarantined(Reason::Idle, _) => return,
            ScanResult::Answered(CallResult::Good) => {
                self.back_to_normal(handle.name(), journal);
                return;
            }
            ScanResult::Answered(CallResult::Failed) if self.lacks(handle.name()) => {
                self.blind(handle.name(), problem, uptime, journal);
                return;
            }
            ScanResult::Answered(CallResult::Failed | CallResult::Panicked | CallResult::Died) => {
                let text = format!("unavailable: {problem}");
                ("failed", Event::ModuleFailed, text)
            }
            ScanResult::Late(missed) => {
                let scans = missed + 1;
                let text = format!("did not answer in time; consecutive scans missed: {scans}");
                ("late", Event::ModuleLate, text)
            }
            ScanResult::Restarting(reason) => {
                let text = format!("{}; it is started again", breakdown(reason, problem));
                ("restarting", Event::ModuleRestarted, text)
            }
            ScanResult::Quarantined(reason, pause) => {
                let text = format!("quarantined {}", quarantine(reason, pause, problem));
                ("quarantined", Event::ModuleQuarantined, text)
            }
        };
        let fields = [("REASON", problem)];
        let entry = Entry::new(Severity::Error, handle.name(), &text).event(event);
        self.condition(code, &entry.fields(&fields), uptime, journal);
    }

    /// Returns the verbosity from which the end of something is told: that of its beginning.
    fn unhush(&mut self, name: &str) -> u8 {
        let before = self.hushed.len();
        self.hushed.retain(|hushed| hushed != name);
        u8::from(self.hushed.len() < before)
    }

    /// Returns true if a module cannot see all that it needs because nobody recorded it.
    fn lacks(&self, module: &str) -> bool {
        let gaps = self.gaps.as_ref();
        gaps.is_some_and(|gaps| !gaps.missing(module).is_empty())
    }

    /// A module cannot do its work on a trace that lacks something.
    fn blind(&mut self, module: &str, problem: &str, uptime: Duration, journal: &mut Logger) {
        let Some(gaps) = &self.gaps else { return };
        let missing = gaps.missing(module).join(", ");
        let text = format!("unavailable: {problem}; the trace does not contain {missing}");
        let entry = if gaps.is_asked() {
            Entry::new(Severity::Notice, module, &text)
        } else {
            self.hushed.push(module.to_owned());
            Entry::new(Severity::Debug, module, &text).from_verbosity(1)
        };
        self.condition("failed", &entry, uptime, journal);
    }

    fn back_to_normal(&mut self, module: &str, journal: &mut Logger) {
        let failed = self.repeats.over(module, "failed");
        let late = self.repeats.over(module, "late");
        // It was started anew.
        let restarting = self.repeats.over(module, "restarting");
        let quarantined = self.repeats.over(module, "quarantined");
        if failed || late || restarting || quarantined {
            // What it says from now on it may say because it was started anew.
            self.shares.forget(module);
            let entry = Entry::new(Severity::Info, module, "recovered");
            let entry = entry.from_verbosity(self.unhush(module));
            journal.write(&entry.event(Event::ModuleRecovered));
        }
    }

    fn output(&mut self, handle: &ModuleHandle, uptime: Duration, journal: &mut Logger) {
        let output = handle.output();
        for late in handle.late_findings() {
            let size = late.finding.text.len() + late.finding.details.len();
            if self.may_say(handle.name(), size, uptime, journal) {
                report_late(handle.name(), late, uptime, journal);
            }
        }
        for finding in &output.findings {
            self.finding(handle.name(), finding, uptime, journal);
        }
        if output.dropped > 0 {
            let text = format!(
                "exceeded the output limit; {} dropped in this scan",
                messages(output.dropped)
            );
            let entry = Entry::new(Severity::Warning, handle.name(), &text);
            let entry = entry.event(Event::ModuleMisbehaved);
            self.condition("too-much", &entry, uptime, journal);
        }
        if output.strays > 0 {
            let text = format!(
                "used its sink outside a call or from another thread; {} dropped",
                messages(output.strays)
            );
            let entry = Entry::new(Severity::Warning, handle.name(), &text);
            let entry = entry.event(Event::ModuleMisbehaved);
            self.condition("stray", &entry, uptime, journal);
        }
        if let Some((name, why)) = output.unpublished.first() {
            let text = format!("the metric {name:?} is not published: {why}");
            let entry = Entry::new(Severity::Warning, handle.name(), &text);
            let entry = entry.event(Event::ModuleMisbehaved);
            self.condition("unpublished", &entry, uptime, journal);
        }
        if let Some((what, why)) = output.refused.first() {
            let text = format!("{what}: refused, because it is {why}");
            let entry = Entry::new(Severity::Debug, handle.name(), &text).from_verbosity(3);
            self.condition("refused", &entry, uptime, journal);
        }
        if !output.status.is_empty() {
            journal.write(
                &Entry::new(Severity::Info, handle.name(), &output.status).from_verbosity(2),
            );
        }
    }

    /// Tells what a module has found: the same once an hour, and no more than its share. Who asks for more than that has
    /// chosen to.
    fn finding(&mut self, module: &str, finding: &Finding, uptime: Duration, journal: &mut Logger) {
        let fields = [("CODE", finding.code.as_str())];
        let mut entry = finding_entry(module, finding).fields(&fields);
        // What nobody is woken by is one line; who wants to know more asks for it.
        if finding.severity > Severity::Warning && journal.verbosity() == 0 {
            entry = entry.details("");
        }
        if finding.verbosity > 0 {
            journal.write(&entry);
            return;
        }
        if finding.code == BY_OTHERS {
            self.condition(BY_OTHERS, &entry, uptime, journal);
            return;
        }
        match self.shares.pass(module, finding, uptime) {
            share::Admission::Write { repeated: 0 } => journal.write(&entry),
            share::Admission::Write { repeated } => write_again(&entry, repeated, journal),
            share::Admission::Repeated => {}
            share::Admission::TooMuch => self.too_much(module, uptime, journal),
        }
    }

    /// Returns true if a module may have another line of this size in the log. A refusal is logged once an hour.
    pub(crate) fn may_say(
        &mut self,
        module: &str,
        size: usize,
        uptime: Duration,
        journal: &mut Logger,
    ) -> bool {
        let may = self.shares.allows(module, size, uptime);
        if !may {
            self.too_much(module, uptime, journal);
        }
        may
    }

    fn too_much(&mut self, module: &str, uptime: Duration, journal: &mut Logger) {
        let text = "exceeded its share of the log; the messages beyond it are dropped";
        let entry = Entry::new(Severity::Warning, module, text).event(Event::ModuleMisbehaved);
        self.condition("more-than-its-share", &entry, uptime, journal);
    }

    /// Tells what was noticed of a tunable: what happens again and again once an hour.
    fn notice(&mut self, notice: &Notice, uptime: Duration, journal: &mut Logger) {
        let (code, tunable) = match notice {
            Notice::Yielded { tunable, .. } => ("yielded", tunable),
            Notice::Resumed { tunable } => ("resumed", tunable),
            Notice::Compacted { .. } => {
                report_notice(notice, journal);
                return;
            }
        };
        let pass = self
            .repeats
            .pass("core", &format!("{code} {tunable}"), uptime);
        if code == "resumed" && pass != Pass::Suppress {
            // Whoever changes it after that is news, too.
            self.repeats.over("core", &format!("yielded {tunable}"));
        }
        match pass {
            Pass::Suppress => {}
            Pass::Write { suppressed: 0 } => report_notice(notice, journal),
            Pass::Write { suppressed } => {
                let text = notice.to_string();
                let change = Change::noticed(notice);
                let fields = change.fields("", "");
                let entry = Entry::new(Severity::Notice, "core", &text).event(change.event);
                write_again(&entry.fields(&fields), suppressed, journal);
            }
        }
    }

    fn settled(&mut self, settled: &RequestOutcome, uptime: Duration, journal: &mut Logger) {
        let RequestOutcome {
            module,
            request,
            outcome,
            decision,
        } = settled;
        let id = decision.map_or_else(String::new, |id| format!(" [decision {id}]"));
        let reason = why(request);
        let text = format!("{}: {outcome} ({reason}){id}", request.action);
        let change = Change::from_request(&request.action, outcome, *decision);
        let fields = change.fields(&reason, outcome.code());
        let entry = |severity| {
            let entry = Entry::new(severity, module, &text).event(change.event);
            entry.fields(&fields).numbers(&request.numbers)
        };
        let lasting = match outcome {
            Outcome::CarriedOut(ActionOutcome::Done { .. } | ActionOutcome::Begun) => {
                journal.write(&entry(Severity::Notice));
                return;
            }
            Outcome::CarriedOut(ActionOutcome::AlreadySo | ActionOutcome::Busy) => {
                journal.write(&entry(Severity::Debug).from_verbosity(1));
                return;
            }
            // What is not done is asked for in the next scan again, perhaps with another value.
            Outcome::CarriedOut(ActionOutcome::Simulated { .. }) => {
                let code = format!("{} simulated", request.action.target());
                self.condition(&code, &entry(Severity::Notice), uptime, journal);
                return;
            }
            // Whose it is was told when it was noticed.
            Outcome::CarriedOut(ActionOutcome::Yielded { .. }) => {
                entry(Severity::Debug).from_verbosity(1)
            }
            Outcome::CarriedOut(ActionOutcome::TooOften { .. })
            | Outcome::Advised
            | Outcome::NotOwner => entry(Severity::Notice),
            Outcome::Failed(_) => entry(Severity::Error),
        };
        let code = format!("{} {}", request.action, outcome.code());
        let size = text.len();
        if !self.repeats.knows(module, &code) && !self.may_say(module, size, uptime, journal) {
            return;
        }
        self.condition(&code, &lasting, uptime, journal);
    }

    fn restored(&mut self, restored: &Restored, uptime: Duration, journal: &mut Logger) {
        if restored.result.is_ok() {
            report_restored(restored, journal);
            return;
        }
        let text = restored.to_string();
        let code = format!("restore {}", restored.tunable);
        let fields = [
            ("TUNABLE", restored.tunable.as_str()),
            ("NEW", &restored.original),
        ];
        let (severity, event) = restored_level(restored);
        let entry = Entry::new(severity, "core", &text).event(event);
        self.condition(&code, &entry.fields(&fields), uptime, journal);
    }

    /// Tells of something that may last: when it begins, and then once an hour.
    fn condition(&mut self, code: &str, entry: &Entry<'_>, uptime: Duration, journal: &mut Logger) {
        match self.repeats.pass(entry.module, code, uptime) {
            Pass::Suppress => {}
            Pass::Write { suppressed: 0 } => journal.write(entry),
            Pass::Write { suppressed } => write_again(entry, suppressed, journal),
        }
    }
}

/// The number of messages, in words.
fn messages(count: usize) -> String {
    match count {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    }
}

/// Writes something that was seen so many times and not written since it last was.
fn write_again(entry: &Entry<'_>, suppressed: u64, journal: &mut Logger) {
    let text = format!(
        "{} (and {suppressed} more times since last logged)",
        entry.text
    );
    journal.write(&Entry {
        text: &text,
        ..*entry
    });
}

/// Returns the log entry of a finding, without its fields.
fn finding_entry<'a>(module: &'a str, finding: &'a Finding) -> Entry<'a> {
    let event = match finding.severity {
        _ if finding.is_leak => Event::Leak,
        Severity::Error | Severity::Warning => Event::Warning,
        _ => Event::Finding,
    };
    Entry::new(finding.severity, module, &finding.text)
        .from_verbosity(finding.verbosity)
        .details(&finding.details)
        .event(event)
        .numbers(&finding.numbers)
}

/// Tells what a module said after the deadline of its scan, with the time that it is about.
pub fn report_late(module: &str, late: &LateFinding, now: Duration, journal: &mut Logger) {
    let LateFinding { seen, finding } = late;
    let ago = now.saturating_sub(seen.0).as_secs_f64();
    let text = format!("{} (seen {ago:.0} s ago, reported late)", finding.text);
    let fields = [("CODE", finding.code.as_str())];
    let entry = finding_entry(module, finding).fields(&fields);
    journal.write(&Entry {
        text: &text,
        ..entry
    });
}

fn report_notice(notice: &Notice, journal: &mut Logger) {
    let text = notice.to_string();
    let change = Change::noticed(notice);
    let fields = change.fields("", "");
    let entry = |severity| {
        let entry = Entry::new(severity, "core", &text).event(change.event);
        entry.fields(&fields)
    };
    journal.write(&match notice {
        Notice::Yielded { .. } | Notice::Resumed { .. } => entry(Severity::Notice),
        Notice::Compacted { error: None, .. } => entry(Severity::Info).from_verbosity(1),
        Notice::Compacted { error: Some(_), .. } => entry(Severity::Error),
    });
}
