//! The verdicts as Markdown tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::judged::{DETECTORS, Heard, Judged, Score};

/// A line for each run: when each detector found the leak, in seconds, and how often it spoke in vain.
pub(crate) fn runs(runs: &[Judged]) -> String {
    let mut text = "| trace | times |".to_owned();
    for (_, name) in DETECTORS {
        let _ = write!(text, " {name} |");
    }
    text.push_str(" warned of | false |\n| --- | --- |");
    text.push_str(&" --- |".repeat(DETECTORS.len() + 2));
    for run in runs {
        let name = run.label.file.trim_end_matches(".jsonl.zst");
        let _ = write!(text, "\n| {name} | {} |", run.stretch);
        for heard in run.heard {
            let _ = write!(text, " {} |", cell(heard));
        }
        let warned = match run.warned {
            Some(seconds) => format!("{seconds} s"),
            None if run.is_missed() => "**missed**".to_owned(),
            None if run.is_leak() => "noted".to_owned(),
            None => "-".to_owned(),
        };
        let false_incidents = match run.false_incidents {
            0 => String::new(),
            some => format!("**{some}**"),
        };
        let _ = write!(text, " {warned} | {false_incidents} |");
    }
    text
}

/// A line for each kind of leak, and one for all that is none.
pub(crate) fn classes(runs: &[Judged]) -> String {
    let mut groups: BTreeMap<(bool, String), Vec<&Judged>> = BTreeMap::new();
    for run in runs {
        let name = format!("{} {}", run.label.class, run.label.speed);
        let key = (!run.is_leak(), name.trim_end().to_owned());
        groups.entry(key).or_default().push(run);
    }
    let mut text = "| what | runs | found | false |\n| --- | --- | --- | --- |".to_owned();
    for ((_, name), runs) in groups {
        let score = Score::of(runs.iter().copied());
        let missed = runs.iter().filter(|run| run.is_missed()).count();
        let found = match score.leaks + score.slower {
            0 => "-".to_owned(),
            leaks => (leaks - missed).to_string(),
        };
        let _ = write!(
            text,
            "\n| {name} | {} | {found} | {} |",
            runs.len(),
            score.false_incidents
        );
    }
    let Score {
        leaks,
        found,
        slower,
        noted,
        early: _,
        benign,
        false_incidents,
    } = Score::of(runs);
    let _ = write!(
        text,
        "\n\n{found} of {leaks} leaks were warned of, {noted} of {slower} slower ones noted; {false_incidents} false incidents, \
         {benign} runs without a leak; warnings: precision {:.3}, recall {:.3}",
        Score::of(runs).precision(),
        Score::of(runs).recall(),
    );
    text
}

fn cell(heard: Heard) -> String {
    let found = heard.found.map(|seconds| {
        let note = if heard.is_note { " (note)" } else { "" };
        format!("{seconds} s{note}")
    });
    let in_vain = (heard.false_alarms > 0).then(|| format!("{} in vain", heard.false_alarms));
    let parts: Vec<String> = [found, in_vain].into_iter().flatten().collect();
    parts.join(", ")
}
