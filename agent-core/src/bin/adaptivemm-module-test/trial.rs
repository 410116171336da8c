//! The tests of one module, one after another.

use std::time::{Duration, Instant};

use crossbeam_channel::at;

use super::candidate::Candidate;
use super::manners::Manners;
use super::reel::{Files, Reel};
use super::report::{Level, Report};
use super::stage::{Answer, Stage};
use super::transcript::{self, Transcript};
use super::{odd, options, steady};
use crate::arguments::Arguments;
use agent_core::base::clock;
use agent_core::modules::output::ModuleOutput;

/// Two runs are so far apart that a clock that counts seconds shows another time.
const APART: Duration = Duration::from_millis(1100);

/// What a module made of the reel.
struct Run {
    transcripts: Vec<Transcript>,
    /// Why it could not do its work, each time.
    failures: Vec<String>,
    findings: usize,
    requests: usize,
    end: Result<(), String>,
}

/// Tests a module in every way.
pub(super) fn hold(candidate: &Candidate, reel: &Reel, arguments: &Arguments, report: &mut Report) {
    let name = candidate.name();
    let mut manners = Manners::default();
    let start = clock::now();
    let listener = |t_ms: u64, output: &ModuleOutput| {
        quote(t_ms, output, name, arguments.place.verbose, report);
    };
    let run = match run(candidate, reel, &mut manners, listener) {
        Ok(run) => run,
        Err(why) => return give_up("trace", &why, name, report),
    };
    judge(&run, name, report);
    if arguments.trace.is_some() {
        judge_trace(candidate, reel, report);
    }
    if let Err(why) = &run.end {
        return give_up("end", why, name, report);
    }
    report.say(Level::Ok, name, "end", "it ended well");
    options::judge(candidate, reel, &mut manners, report);
    odd::judge(
        candidate,
        (reel, run.failures.is_empty(), &as_typed(arguments)),
        &mut manners,
        report,
    );
    steady::judge(candidate, reel, &mut manners, report);
    compare(&run, candidate, reel, start, report);
    manners.judge(name, report);
}

/// What is wrong would be wrong in every test.
fn give_up(check: &str, why: &str, name: &str, report: &mut Report) {
    report.say(Level::Fail, name, check, why);
    report.say(Level::Note, name, check, "all other tests are left out");
}

fn as_typed(arguments: &Arguments) -> String {
    let trace = arguments
        .trace
        .iter()
        .map(|trace| format!(" {}", trace.display()));
    arguments.file.display().to_string() + &trace.collect::<String>()
}

/// Shows the reel once.
fn run(
    candidate: &Candidate,
    reel: &Reel,
    manners: &mut Manners,
    mut listener: impl FnMut(u64, &ModuleOutput),
) -> Result<Run, String> {
    let stage = Stage::new(candidate, &candidate.values, reel, manners);
    let mut stage = stage.map_err(|not_created| format!("it was not created: {not_created}"))?;
    let mut transcripts = Vec::new();
    let mut failures = Vec::new();
    let (mut findings, mut requests) = (0, 0);
    for frame in reel.frames() {
        let shown = stage.show(frame);
        listener(frame.t_ms, stage.output());
        let answer = shown.map_err(|why| format!("at {} ms: {why}", frame.t_ms))?;
        findings += stage.output().findings.len();
        requests += stage.output().requests.len();
        transcripts.push(Transcript::of(frame.t_ms, &answer, stage.output()));
        if let Answer::Failed(why) = answer {
            failures.push(why);
        }
    }
    let end = stage.end();
    Ok(Run {
        transcripts,
        failures,
        findings,
        requests,
        end,
    })
}

/// Prints what was said, as far as the daemon would log it.
fn quote(t_ms: u64, output: &ModuleOutput, name: &str, verbosity: u8, report: &Report) {
    if verbosity == 0 {
        return;
    }
    for finding in output
        .findings
        .iter()
        .filter(|finding| finding.verbosity <= verbosity)
    {
        report.quote(t_ms, name, finding.severity.name(), &finding.text);
        finding
            .details
            .lines()
            .for_each(|line| report.quote(t_ms, name, finding.severity.name(), line));
    }
    for request in &output.requests {
        report.quote(
            t_ms,
            name,
            "notice",
            &format!("{} ({})", request.action, request.reason),
        );
    }
    for (_, problem) in &output.problems {
        report.quote(t_ms, name, "error", problem);
    }
    if verbosity > 1 && !output.status.is_empty() {
        report.quote(t_ms, name, "info", &output.status);
    }
}

fn judge(run: &Run, name: &str, report: &mut Report) {
    let scans = run.transcripts.len();
    let (findings, requests) = (run.findings, run.requests);
    let text = format!(
        "it answered in {scans} of {scans} scans; findings: {findings}, requests: {requests}"
    );
    report.say(Level::Ok, name, "trace", &text);
    if let Some(first) = run.failures.first() {
        let failed = run.failures.len();
        let level = if failed == scans {
            Level::Warning
        } else {
            Level::Note
        };
        let text = format!("in {failed} of {scans} scans it could not do its work: {first}");
        report.say(level, name, "trace", &text);
    }
}

/// Whether the trace holds what the module needs.
fn judge_trace(candidate: &Candidate, reel: &Reel, report: &mut Report) {
    for sight in odd::sights(&candidate.module) {
        let holds = |files: &Files| files.keys().any(|path| odd::is_of(path, &sight));
        if !reel.start().iter().any(holds) {
            let text = format!("it does not hold /{sight}, which the module looks at");
            report.say(Level::Warning, candidate.name(), "trace", &text);
        }
    }
}

/// Shows the reel again, in another process at another time.
fn compare(first: &Run, candidate: &Candidate, reel: &Reel, start: Instant, report: &mut Report) {
    // A moment that has passed is not waited for.
    let _later = at(start + APART).recv();
    let second = run(candidate, reel, &mut Manners::default(), |_, _| {});
    let difference = match &second {
        Err(why) => Some(format!("in a second process {why}")),
        Ok(second) => transcript::difference(&first.transcripts, &second.transcripts),
    };
    match difference {
        None => report.say(
            Level::Ok,
            candidate.name(),
            "same words",
            "the same trace gives the same words again",
        ),
        Some(why) => report.say(Level::Fail, candidate.name(), "same words", &why),
    }
}
