//! A module over many scans: its memory, its time, and whether it comes to rest.

use std::time::Duration;

use adaptivemm_module_api::units::Bytes;

use super::candidate::Candidate;
use super::manners::Manners;
use super::reel::{Reel, milliseconds};
use super::report::{Level, Report};
use super::stage::Stage;
use agent_core::kernel::trace::Frame;

/// Scans until all buffers have their size.
const WARM_UP: usize = 100;
/// Scans in which memory must not grow by more than [`MOST_GROWTH`].
const SCANS: usize = 2000;
const MOST_GROWTH: Bytes = Bytes::from_kib(1024);
/// Scans of a machine on which nothing moves, of which the newer half counts.
const STILL: usize = 100;
/// A scan of a module that takes longer than that is worth a look.
const SLOW: Duration = Duration::from_millis(1);

pub(super) fn judge(
    candidate: &Candidate,
    reel: &Reel,
    manners: &mut Manners,
    report: &mut Report,
) {
    let stage = Stage::new(candidate, &candidate.values, reel, manners);
    let watched = stage
        .map_err(|not_created| not_created.to_string())
        .and_then(|stage| watch(stage, reel, candidate, report));
    if let Err(why) = watched {
        report.say(Level::Fail, candidate.name(), "many scans", &why);
    }
}

fn watch(
    mut stage: Stage<'_>,
    reel: &Reel,
    candidate: &Candidate,
    report: &mut Report,
) -> Result<(), String> {
    let name = candidate.name();
    let mut frames = reel.again_and_again();
    for frame in frames.by_ref().take(WARM_UP) {
        stage.show(&frame)?;
    }
    let before = stage.resident();
    let mut times = Vec::new();
    let mut last = 0;
    for frame in frames.take(SCANS) {
        stage.show(&frame)?;
        times.push(stage.took());
        last = frame.t_ms;
    }
    judge_memory(before.zip(stage.resident()), name, report);
    judge_times(times, name, report);
    judge_findings(talkative_scans(&mut stage, reel, last)?, name, report);
    stage
        .end()
        .map_err(|why| format!("when it was to end: {why}"))
}

fn judge_memory(resident: Option<(u64, u64)>, name: &str, report: &mut Report) {
    let Some((before, after)) = resident else {
        return report.say(
            Level::Warning,
            name,
            "memory",
            "its process cannot be measured",
        );
    };
    let growth = Bytes::new(after.saturating_sub(before));
    let level = if growth > MOST_GROWTH {
        Level::Fail
    } else {
        Level::Ok
    };
    let text = format!("its process grew by {growth} in {SCANS} scans, after {WARM_UP} to warm up");
    report.say(level, name, "memory", &text);
}

fn judge_times(mut times: Vec<Duration>, name: &str, report: &mut Report) {
    times.sort_unstable();
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    let level = if median > SLOW {
        Level::Warning
    } else {
        Level::Ok
    };
    let text = format!(
        "a scan takes {} us, at most {} us, with the way to its process and back",
        median.as_micros(),
        most.as_micros()
    );
    report.say(level, name, "time", &text);
}

/// In how many scans of a machine that stands still it has something to tell.
fn talkative_scans(stage: &mut Stage<'_>, reel: &Reel, last: u64) -> Result<usize, String> {
    let mut talkative = 0;
    for scan in 1..=STILL {
        let t_ms = last.saturating_add(milliseconds(reel.period) * scan as u64);
        stage.show(&Frame {
            t_ms,
            ..Frame::default()
        })?;
        let is_told = stage
            .output()
            .findings
            .iter()
            .any(|finding| finding.verbosity == 0);
        talkative += usize::from(is_told && scan > STILL / 2);
    }
    Ok(talkative)
}

fn judge_findings(talkative: usize, name: &str, report: &mut Report) {
    let scans = STILL / 2;
    if talkative > scans / 2 {
        let text = format!(
            "on a machine that stands still it has findings in {talkative} of {scans} scans; a finding is an event, \
             what lasts belongs into the status"
        );
        report.say(Level::Warning, name, "findings", &text);
    } else {
        report.say(
            Level::Ok,
            name,
            "findings",
            "it comes to rest on a machine that stands still",
        );
    }
}
