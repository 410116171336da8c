//! Tells the journal what happened in a scan: transitions, not states.

mod change;
mod decision;
mod gaps;
mod share;

use std::time::Duration;

use adaptivemm_module_api::Severity;

use crate::actuator::{ActionFailed, Notice, Outcome, Restored};
use crate::agent::{Deed, Fate, Round};
use crate::bus::{Ending, LateFinding, Member, Reason};
use crate::decisions::News;
use crate::journal::{Entry, Event, Journal, Pass, Repeats};
use crate::loader::Verdict;
use crate::tunables;
use crate::words::{Finding, NO_REASON};

use change::Change;
pub use decision::report_aftermaths;
use decision::why;
pub use gaps::Gaps;
use share::Shares;

/// By convention, of whichever module: what somebody else does to a tunable, which he may do again and again, with another
/// value each time.
const BY_OTHERS: &str = "changed-by-others";

/// Remembers what was told, so that a condition that lasts is told once an hour.
#[derive(Debug, Default)]
pub struct Reporter {
    repeats: Repeats,
    /// What each module may still say.
    shares: Shares,
    /// Files that could not be read in the last scan.
    unreadable: Vec<String>,
    /// What was never recorded; in a replay only.
    gaps: Option<Gaps>,
    /// The files and modules of which nothing was said but to whoever asks for more, for lack of records.
    hushed: Vec<String>,
}

impl Reporter {
    /// Has told nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a replay, whose trace may lack what modules need.
    #[must_use]
    pub fn of_replay(gaps: Gaps) -> Self {
        Self {
            gaps: Some(gaps),
            ..Self::default()
        }
    }

    /// Modules begin anew: what they say is news, though it was said before.
    pub fn begin_anew(&mut self) {
        self.shares.forget_all();
    }

    /// What the trace of a replay lacks.
    pub fn gaps(&mut self) -> Option<&mut Gaps> {
        self.gaps.as_mut()
    }

    /// Tells what happened in one scan.
    pub fn report(&mut self, round: &Round<'_>, journal: &mut Journal) {
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
            let text = "memory moves faster than its files can be read; sums over them may be off by megabytes";
            journal.write(&Entry::new(Severity::Debug, "core", text).from_verbosity(4));
        }
        for member in round.members {
            self.ending(member, uptime, journal);
            self.words(member, uptime, journal);
        }
        for restored in &round.restored {
            self.restored(restored, uptime, journal);
        }
        for notice in &round.notices {
            self.notice(notice, uptime, journal);
        }
        for deed in &round.deeds {
            self.deed(deed, uptime, journal);
        }
        report_aftermaths(&round.records, journal);
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
                    let text = format!("{path} can be read again");
                    let entry = Entry::new(Severity::Info, "core", &text).event(Event::Readable);
                    let entry = entry.from_verbosity(self.unhush(path));
                    journal.write(&entry.fields(&[("FILE", path)]));
                }
                (Err(_), None) if self.gaps.as_ref().is_some_and(|gaps| gaps.has(path)) => {
                    self.unreadable.push(path.to_owned());
                    self.hushed.push(path.to_owned());
                    let text =
                        format!("the trace does not hold {path}; what depends on it is left out");
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

    fn ending(&mut self, member: &Member, uptime: Duration, journal: &mut Journal) {
        let problem = member.words().problems.first();
        let problem = problem.map_or(NO_REASON, |(_, text)| text);
        let (code, event, text) = match member.ending() {
            // That it is idle was told when it was to be started.
            Ending::Silent | Ending::Quarantined(Reason::Idle, _) => return,
            Ending::Answered(Verdict::Good) => {
                self.back_to_normal(member.name(), journal);
                return;
            }
            Ending::Answered(Verdict::Failed) if self.lacks(member.name()) => {
                self.blind(member.name(), problem, uptime, journal);
                return;
            }
            Ending::Answered(Verdict::Failed | Verdict::Panicked | Verdict::Died) => {
                let text = format!("cannot do its work: {problem}");
                ("failed", Event::ModuleFailed, text)
            }
            Ending::Late(missed) => {
                let scans = missed + 1;
                let text = format!("did not answer in time; scans missed in a row: {scans}");
                ("late", Event::ModuleLate, text)
            }
            Ending::Restarting(reason) => {
                let text = format!("{}; it is started again", breakdown(reason, problem));
                ("restarting", Event::ModuleRestarted, text)
            }
            Ending::Quarantined(reason, pause) => {
                let text = format!("quarantined {}", quarantine(reason, pause, problem));
                ("quarantined", Event::ModuleQuarantined, text)
            }
        };
        let fields = [("REASON", problem)];
        let entry = Entry::new(Severity::Error, member.name(), &text).event(event);
        self.condition(code, &entry.fields(&fields), uptime, journal);
    }

    /// From which verbosity on the end of something is told: that of its beginning.
    fn unhush(&mut self, name: &str) -> u8 {
        let before = self.hushed.len();
        self.hushed.retain(|hushed| hushed != name);
        u8::from(self.hushed.len() < before)
    }

    /// Whether a module cannot see all that it needs because nobody recorded it.
    fn lacks(&self, module: &str) -> bool {
        let gaps = self.gaps.as_ref();
        gaps.is_some_and(|gaps| !gaps.of_module(module).is_empty())
    }

    /// A module cannot do its work on a trace that lacks something.
    fn blind(&mut self, module: &str, problem: &str, uptime: Duration, journal: &mut Journal) {
        let Some(gaps) = &self.gaps else { return };
        let missing = gaps.of_module(module).join(", ");
        let text = format!("cannot do its work: {problem}; the trace does not hold {missing}");
        let entry = if gaps.is_asked() {
            Entry::new(Severity::Notice, module, &text)
        } else {
            self.hushed.push(module.to_owned());
            Entry::new(Severity::Debug, module, &text).from_verbosity(1)
        };
        self.condition("failed", &entry, uptime, journal);
    }

    fn back_to_normal(&mut self, module: &str, journal: &mut Journal) {
        let failed = self.repeats.over(module, "failed");
        let late = self.repeats.over(module, "late");
        // It was started anew.
        let restarting = self.repeats.over(module, "restarting");
        let quarantined = self.repeats.over(module, "quarantined");
        if failed || late || restarting || quarantined {
            // What it says from now on it may say because it was started anew.
            self.shares.forget(module);
            let entry = Entry::new(Severity::Info, module, "does its work again");
            let entry = entry.from_verbosity(self.unhush(module));
            journal.write(&entry.event(Event::ModuleRecovered));
        }
    }

    fn words(&mut self, member: &Member, uptime: Duration, journal: &mut Journal) {
        let words = member.words();
        for late in member.late_findings() {
            let size = late.finding.text.len() + late.finding.details.len();
            if self.may_say(member.name(), size, uptime, journal) {
                report_late(member.name(), late, uptime, journal);
            }
        }
        for finding in &words.findings {
            self.finding(member.name(), finding, uptime, journal);
        }
        if words.dropped > 0 {
            let text = format!(
                "says too much: {} words of this scan were dropped",
                words.dropped
            );
            let entry = Entry::new(Severity::Warning, member.name(), &text);
            let entry = entry.event(Event::ModuleMisbehaved);
            self.condition("too-much", &entry, uptime, journal);
        }
        if words.strays > 0 {
            let text = format!(
                "uses its sink outside of the call, or from another thread: {} words were dropped",
                words.strays
            );
            let entry = Entry::new(Severity::Warning, member.name(), &text);
            let entry = entry.event(Event::ModuleMisbehaved);
            self.condition("stray", &entry, uptime, journal);
        }
        if let Some((name, why)) = words.unpublished.first() {
            let text = format!("the metric {name:?} is not published: {why}");
            let entry = Entry::new(Severity::Warning, member.name(), &text);
            let entry = entry.event(Event::ModuleMisbehaved);
            self.condition("unpublished", &entry, uptime, journal);
        }
        if let Some((what, why)) = words.refused.first() {
            let text = format!("{what}: refused, as it is {why}");
            let entry = Entry::new(Severity::Debug, member.name(), &text).from_verbosity(3);
            self.condition("refused", &entry, uptime, journal);
        }
        if !words.status.is_empty() {
            journal
                .write(&Entry::new(Severity::Info, member.name(), &words.status).from_verbosity(2));
        }
    }

    /// Tells what a module has found: the same once an hour, and no more than its share. Who asks for more than that has
    /// chosen to.
    fn finding(
        &mut self,
        module: &str,
        finding: &Finding,
        uptime: Duration,
        journal: &mut Journal,
    ) {
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
            share::Verdict::Write { repeated: 0 } => journal.write(&entry),
            share::Verdict::Write { repeated } => write_again(&entry, repeated, journal),
            share::Verdict::Repeated => {}
            share::Verdict::TooMuch => self.too_much(module, uptime, journal),
        }
    }

    /// Whether a module may have another line of this size in the log. That it may not is said once an hour.
    pub(crate) fn may_say(
        &mut self,
        module: &str,
        size: usize,
        uptime: Duration,
        journal: &mut Journal,
    ) -> bool {
        let may = self.shares.allows(module, size, uptime);
        if !may {
            self.too_much(module, uptime, journal);
        }
        may
    }

    fn too_much(&mut self, module: &str, uptime: Duration, journal: &mut Journal) {
        let text = "says more than its share of the log: what goes beyond is not logged";
        let entry = Entry::new(Severity::Warning, module, text).event(Event::ModuleMisbehaved);
        self.condition("more-than-its-share", &entry, uptime, journal);
    }

    /// Tells what was noticed of a tunable: what happens again and again once an hour.
    fn notice(&mut self, notice: &Notice, uptime: Duration, journal: &mut Journal) {
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

    fn deed(&mut self, deed: &Deed, uptime: Duration, journal: &mut Journal) {
        let Deed {
            module,
            request,
            fate,
            decision,
        } = deed;
        let id = decision.map_or_else(String::new, |id| format!(" [decision {id}]"));
        let reason = why(request);
        let text = format!("{}: {fate} ({reason}){id}", request.action);
        let change = Change::of(&request.action, fate, *decision);
        let fields = change.fields(&reason, fate.code());
        let entry = |severity| {
            let entry = Entry::new(severity, module, &text).event(change.event);
            entry.fields(&fields).numbers(&request.numbers)
        };
        let lasting = match fate {
            Fate::CarriedOut(Outcome::Done { .. } | Outcome::Begun) => {
                journal.write(&entry(Severity::Notice));
                return;
            }
            Fate::CarriedOut(Outcome::AlreadySo | Outcome::Busy) => {
                journal.write(&entry(Severity::Debug).from_verbosity(1));
                return;
            }
            // What is not done is asked for in the next scan again, perhaps with another value.
            Fate::CarriedOut(Outcome::Simulated { .. }) => {
                let code = format!("{} simulated", request.action.target());
                self.condition(&code, &entry(Severity::Notice), uptime, journal);
                return;
            }
            // Whose it is was told when it was noticed.
            Fate::CarriedOut(Outcome::Yielded { .. }) => entry(Severity::Debug).from_verbosity(1),
            Fate::CarriedOut(Outcome::TooOften { .. }) | Fate::Advised | Fate::NotOwner => {
                entry(Severity::Notice)
            }
            Fate::Failed(_) => entry(Severity::Error),
        };
        let code = format!("{} {}", request.action, fate.code());
        let size = text.len();
        if !self.repeats.knows(module, &code) && !self.may_say(module, size, uptime, journal) {
            return;
        }
        self.condition(&code, &lasting, uptime, journal);
    }

    fn restored(&mut self, restored: &Restored, uptime: Duration, journal: &mut Journal) {
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
    fn condition(
        &mut self,
        code: &str,
        entry: &Entry<'_>,
        uptime: Duration,
        journal: &mut Journal,
    ) {
        match self.repeats.pass(entry.module, code, uptime) {
            Pass::Suppress => {}
            Pass::Write { suppressed: 0 } => journal.write(entry),
            Pass::Write { suppressed } => write_again(entry, suppressed, journal),
        }
    }
}

/// Writes something that was seen so many times and not written since it last was.
fn write_again(entry: &Entry<'_>, suppressed: u64, journal: &mut Journal) {
    let text = format!(
        "{} (and {suppressed} times more since this was last said)",
        entry.text
    );
    journal.write(&Entry {
        text: &text,
        ..*entry
    });
}

/// Tells what became of a tunable that was to get its original value back.
pub fn report_restored(restored: &Restored, journal: &mut Journal) {
    let (severity, event) = restored_level(restored);
    let fields = [
        ("TUNABLE", restored.tunable.as_str()),
        ("NEW", &restored.original),
    ];
    let text = restored.to_string();
    let entry = Entry::new(severity, "core", &text).event(event);
    journal.write(&entry.fields(&fields));
}

fn restored_level(restored: &Restored) -> (Severity, Event) {
    match restored.result {
        Ok(_) => (Severity::Notice, Event::Restored),
        Err(ActionFailed::NotForgotten { .. }) => (Severity::Warning, Event::Restored),
        Err(_) => (Severity::Error, Event::NotRestored),
    }
}

/// What a module saw, as the journal has it; without its fields.
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
pub fn report_late(module: &str, late: &LateFinding, now: Duration, journal: &mut Journal) {
    let LateFinding { seen, finding } = late;
    let ago = now.saturating_sub(seen.0).as_secs_f64();
    let text = format!("{} (seen {ago:.0} s ago, said too late)", finding.text);
    let fields = [("CODE", finding.code.as_str())];
    let entry = finding_entry(module, finding).fields(&fields);
    journal.write(&Entry {
        text: &text,
        ..entry
    });
}

fn report_notice(notice: &Notice, journal: &mut Journal) {
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

/// What happened to a module that is not asked any more.
pub(crate) fn breakdown(reason: Reason, problem: &str) -> String {
    match reason {
        Reason::Panicked => format!("broke down: {problem}"),
        Reason::Hung(scans) => format!("did not answer for {scans} scans"),
        Reason::Late(scans) => format!("did not answer in time in {scans} scans in a row"),
        Reason::Files(scans) => format!("{problem}, and did so in {scans} scans"),
        Reason::Died | Reason::Unmade => problem.to_owned(),
        Reason::Gone => "lost its thread".to_owned(),
        Reason::AtWork(deaths) => format!("was at work when the daemon died, {deaths} times"),
        Reason::Restarting => "is started again".to_owned(),
        Reason::Idle => format!("is not run: {problem}"),
    }
}

/// For how long a module is quarantined, and why.
pub(crate) fn quarantine(reason: Reason, pause: Option<Duration>, problem: &str) -> String {
    let until = match (reason, pause) {
        (Reason::Hung(_), _) => "until it answers, or a reload (SIGHUP)".to_owned(),
        (_, None) => "until a reload (SIGHUP)".to_owned(),
        (_, Some(pause)) => format!("for {} s, or until a reload (SIGHUP)", pause.as_secs()),
    };
    format!("{until}: {}", breakdown(reason, problem))
}
