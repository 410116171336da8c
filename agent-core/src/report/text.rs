//! The page for a terminal.

mod chart;
mod paper;

pub(super) use paper::Paper;

use super::outlook::as_f64;
use super::view::{self, View, grown};
use super::{advice, words};
use crate::incidents::Incident;
use crate::incidents::evidence::{Comparison, Explanation, Growth, Source, Standing};
use crate::incidents::{best_explanations, is_worth_telling};

/// More explain too little to matter at once.
const EXPLANATIONS: usize = 8;
const TOLD: usize = 12;
const SOURCES: usize = 12;
const PROBLEMS: usize = 8;
/// Of another module.
const NUMBERS: usize = 12;
/// Charts take room.
const METRICS: usize = 3;
const DETAILS: usize = 16;

/// The incident as text, in lines of so many columns unless a name is longer.
#[must_use]
pub fn text(incident: &Incident, width: usize) -> String {
    let view = View::of(incident);
    let mut paper = Paper::of(width);
    sentence(&view, &mut paper);
    facts(&view, &mut paper);
    if incident.is_about_kernel_memory() {
        chart::draw(&view, &mut paper);
        if let Some(comparison) = &incident.comparison {
            explanations(&view, comparison, &mut paper);
        }
        problems(incident, &mut paper);
    } else {
        metrics(&view, &mut paper);
        details(incident, &mut paper);
    }
    next(&view, &mut paper);
    if let Some(comparison) = view.comparison() {
        growth(comparison, &mut paper);
        silent(comparison, &mut paper);
    }
    told(&view, &mut paper);
    paper.finish()
}

fn sentence(view: &View<'_>, paper: &mut Paper) {
    let Some(headline) = view.incident.headline() else {
        paper.paragraph("Nothing was said about this incident yet.");
        return;
    };
    let (first, rest) = words::clauses(&headline.text);
    paper.paragraph(&format!("{}.", words::line(first)));
    if let Some(rest) = rest {
        paper.gap();
        paper.paragraph(&format!("{}.", words::capitalised(&words::line(rest))));
    }
}

fn facts(view: &View<'_>, paper: &mut Paper) {
    let incident = view.incident;
    paper.gap();
    for fact in view.outlook.facts(incident, view.calendar) {
        paper.entry(fact.heading, &format!("{} ({})", fact.answer, fact.note));
    }
    let machine = &incident.machine;
    let host = machine
        .host
        .as_deref()
        .map_or_else(|| "not said".to_owned(), words::name);
    let memory = words::bytes(as_f64(machine.mem_total_bytes));
    let kernel = words::name(&machine.kernel);
    paper.entry("Machine", &format!("{host}, kernel {kernel}, {memory}"));
    let severity = incident.severity().unwrap_or("nothing was said");
    let (id, module) = (words::name(&incident.id), words::name(&incident.module));
    paper.entry(
        "Incident",
        &format!("{id}, {}, by {module}", words::name(severity)),
    );
}

/// The numbers of another module: those of its finding, and its metrics over time.
fn metrics(view: &View<'_>, paper: &mut Paper) {
    let numbers = view.incident.headline().map(|told| &told.numbers);
    if let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) {
        paper.heading("The numbers of the finding");
        for (name, value) in numbers.iter().take(NUMBERS) {
            let (name, value) = (words::name(name), words::metric(name, *value));
            paper.bullet(&format!("{name}: {value}"));
        }
    }
    let metrics = view.metrics();
    for (name, curve) in metrics.iter().take(METRICS) {
        chart::draw_metric(view, name, curve, paper);
    }
    let more = metrics.get(METRICS..).unwrap_or_default();
    if !more.is_empty() {
        paper.heading("Other metrics of the module, first and last");
        for (name, curve) in more.iter().take(NUMBERS) {
            let ends = [curve.first().1, curve.last().1];
            let [first, last] = ends.map(|value| words::metric(name, value));
            paper.bullet(&format!("{}: {first} -> {last}", words::name(name)));
        }
    }
}

/// The lines behind the finding.
fn details(incident: &Incident, paper: &mut Paper) {
    let lines = incident.headline().map(|told| &told.details);
    let Some(lines) = lines.filter(|lines| !lines.is_empty()) else {
        return;
    };
    paper.heading("What the module says of it");
    let lines: Vec<String> = lines.iter().map(|line| words::line(line)).collect();
    few(&lines, DETAILS, paper);
}

fn explanations(view: &View<'_>, comparison: &Comparison, paper: &mut Paper) {
    let total = as_f64(comparison.growth_bytes);
    if comparison.growth_bytes == 0 {
        paper.heading("What explains it");
        paper.note("No kind of memory was larger than before when the evidence was taken.");
        return;
    }
    paper.heading(&format!(
        "What explains the growth of {}",
        words::bytes(total)
    ));
    let (before, after) = (&comparison.before.at, &comparison.after.at);
    paper.note(&format!(
        "{} All kinds of kernel memory together.",
        view.calendar.compared(before, after)
    ));
    let (best, more) = best_explanations(comparison, EXPLANATIONS);
    if best.is_empty() {
        paper.note(&view::of_nobody(comparison));
        return;
    }
    for explanation in best {
        paper.item(&words::share(explanation), &words::name(&explanation.owner));
        paper.remark(&held(comparison, explanation));
    }
    if more > 0 {
        paper.item("", &view::left_out(more));
    }
    let rest = as_f64(comparison.unexplained_bytes);
    let percent = 100.0 * rest / total;
    if is_worth_telling(percent) {
        let nobody = format!("nobody explains ({})", words::bytes(rest));
        paper.item(&words::percent(percent), &nobody);
    }
    if view::is_overlapping(comparison) {
        paper.gap();
        paper.note("Several see the same memory, so these shares do not add up to 100 %.");
    }
}

fn held(comparison: &Comparison, explanation: &Explanation) -> String {
    let [before, after] = view::held(comparison, explanation).map(as_f64);
    format!(
        "{} -> {} of {}, {}; {}",
        words::bytes(before),
        words::bytes(after),
        explanation.class.name(),
        words::certainty(explanation),
        words::name(&explanation.source),
    )
}

fn growth(comparison: &Comparison, paper: &mut Paper) {
    let moved: Vec<&Growth> = comparison
        .growth
        .iter()
        .filter(|growth| grown(growth) != 0)
        .collect();
    if moved.is_empty() {
        return;
    }
    paper.heading("What moved");
    for growth in moved {
        let (before, after) = (signed(growth.before_bytes), signed(growth.after_bytes));
        let change = words::change(signed(grown(growth)));
        paper.change(
            growth.class.name(),
            &[words::bytes(before), words::bytes(after), change],
        );
    }
}

/// Sources that said nothing, or not all.
fn silent(comparison: &Comparison, paper: &mut Paper) {
    let silent: Vec<String> = comparison.sources.iter().filter_map(silence).collect();
    if silent.is_empty() {
        return;
    }
    paper.heading("Who could not be asked");
    few(&silent, SOURCES, paper);
}

fn silence(source: &Source) -> Option<String> {
    let (what, why) = match &source.standing {
        Standing::Read => return None,
        Standing::Absent { why } => ("is not there", why),
        Standing::Failed { why } => ("failed", why),
        Standing::Cut { why } => ("was read in part", why),
        Standing::Denied { why } => ("may not be looked at, or not all of it", why),
    };
    Some(format!(
        "{} {what}: {}",
        words::name(&source.file),
        words::line(why)
    ))
}

fn problems(incident: &Incident, paper: &mut Paper) {
    if incident.problems.is_empty() && incident.comparison.is_some() {
        return;
    }
    paper.heading("Evidence that is missing");
    let problems: Vec<String> = incident
        .problems
        .iter()
        .map(|problem| words::line(problem))
        .collect();
    few(&problems, PROBLEMS, paper);
    if problems.is_empty() {
        paper.note("Nothing has been compared yet.");
    }
}

/// The first lines of a list, and how many more there are.
fn few(lines: &[String], most: usize, paper: &mut Paper) {
    for line in lines.iter().take(most) {
        paper.bullet(line);
    }
    let more = lines.len().saturating_sub(most);
    if more > 0 {
        paper.bullet(&format!("{more} more"));
    }
}

fn next(view: &View<'_>, paper: &mut Paper) {
    let steps = advice::of(view);
    if steps.is_empty() {
        return;
    }
    paper.heading("What to do next");
    for (number, step) in (1..).zip(steps) {
        paper.step(number, &step.text);
        for command in &step.commands {
            paper.command(command);
        }
    }
}

fn told(view: &View<'_>, paper: &mut Paper) {
    let told = &view.incident.told;
    if told.is_empty() {
        return;
    }
    paper.heading("What was told when (UTC)");
    let (first, last) = view::ends(told, TOLD);
    let more = u64::try_from(told.len() - first.len() - last.len())
        .unwrap_or(u64::MAX)
        .saturating_add(view.incident.told_more);
    for (index, finding) in first.iter().chain(last).enumerate() {
        if index == first.len() && more > 0 {
            paper.bullet(&format!("{more} more"));
        }
        let at = view.calendar.noted(&finding.at);
        let at = at.trim_end_matches(" UTC");
        let (first, _) = words::clauses(&finding.text);
        paper.bullet(&format!(
            "{at}  {}: {}",
            words::name(&finding.severity),
            words::line(first)
        ));
    }
    if let Some(over) = &view.incident.over {
        let at = view.calendar.noted(over);
        paper.bullet(&format!("{}  it is over", at.trim_end_matches(" UTC")));
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact below 8 PiB")]
const fn signed(bytes: i64) -> f64 {
    bytes as f64
}
