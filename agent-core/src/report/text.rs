//! The page for a terminal.

mod chart;
mod text_page;

pub(super) use text_page::TextPage;

use super::outlook::as_f64;
use super::view::{self, View, grown};
use super::{advice, phrases};
use crate::incidents::Incident;
use crate::incidents::evidence::{Comparison, Explanation, Growth, Source, SourceStatus};
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
    let mut page = TextPage::of(width);
    sentence(&view, &mut page);
    facts(&view, &mut page);
    if incident.is_about_kernel_memory() {
        chart::draw(&view, &mut page);
        if let Some(comparison) = &incident.comparison {
            explanations(&view, comparison, &mut page);
        }
        problems(incident, &mut page);
    } else {
        metrics(&view, &mut page);
        details(incident, &mut page);
    }
    next(&view, &mut page);
    if let Some(comparison) = view.comparison() {
        growth(comparison, &mut page);
        silent(comparison, &mut page);
    }
    told(&view, &mut page);
    page.finish()
}

fn sentence(view: &View<'_>, page: &mut TextPage) {
    let Some(headline) = view.incident.headline() else {
        page.paragraph("Nothing was said about this incident yet.");
        return;
    };
    let (first, rest) = phrases::clauses(&headline.text);
    page.paragraph(&format!("{}.", phrases::line(first)));
    if let Some(rest) = rest {
        page.gap();
        page.paragraph(&format!("{}.", phrases::capitalised(&phrases::line(rest))));
    }
}

fn facts(view: &View<'_>, page: &mut TextPage) {
    let incident = view.incident;
    page.gap();
    for fact in view.outlook.facts(incident, view.calendar) {
        page.entry(fact.heading, &format!("{} ({})", fact.answer, fact.note));
    }
    let machine = &incident.machine;
    let host = machine
        .host
        .as_deref()
        .map_or_else(|| "not said".to_owned(), phrases::name);
    let memory = phrases::bytes(as_f64(machine.mem_total_bytes));
    let kernel = phrases::name(&machine.kernel);
    page.entry("Machine", &format!("{host}, kernel {kernel}, {memory}"));
    let severity = incident.severity().unwrap_or("nothing was said");
    let (id, module) = (phrases::name(&incident.id), phrases::name(&incident.module));
    page.entry(
        "Incident",
        &format!("{id}, {}, by {module}", phrases::name(severity)),
    );
}

/// The numbers of another module: those of its finding, and its metrics over time.
fn metrics(view: &View<'_>, page: &mut TextPage) {
    let numbers = view.incident.headline().map(|told| &told.numbers);
    if let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) {
        page.heading("The numbers of the finding");
        for (name, value) in numbers.iter().take(NUMBERS) {
            let (name, value) = (phrases::name(name), phrases::metric(name, *value));
            page.bullet(&format!("{name}: {value}"));
        }
    }
    let metrics = view.metrics();
    for (name, curve) in metrics.iter().take(METRICS) {
        chart::draw_metric(view, name, curve, page);
    }
    let more = metrics.get(METRICS..).unwrap_or_default();
    if !more.is_empty() {
        page.heading("Other metrics of the module, first and last");
        for (name, curve) in more.iter().take(NUMBERS) {
            let ends = [curve.first().1, curve.last().1];
            let [first, last] = ends.map(|value| phrases::metric(name, value));
            page.bullet(&format!("{}: {first} -> {last}", phrases::name(name)));
        }
    }
}

/// The lines behind the finding.
fn details(incident: &Incident, page: &mut TextPage) {
    let lines = incident.headline().map(|told| &told.details);
    let Some(lines) = lines.filter(|lines| !lines.is_empty()) else {
        return;
    };
    page.heading("What the module says of it");
    let lines: Vec<String> = lines.iter().map(|line| phrases::line(line)).collect();
    few(&lines, DETAILS, page);
}

fn explanations(view: &View<'_>, comparison: &Comparison, page: &mut TextPage) {
    let total = as_f64(comparison.growth_bytes);
    if comparison.growth_bytes == 0 {
        page.heading("What explains it");
        page.note("No kind of memory was larger than before when the evidence was taken.");
        return;
    }
    page.heading(&format!(
        "What explains the growth of {}",
        phrases::bytes(total)
    ));
    let (before, after) = (&comparison.before.at, &comparison.after.at);
    page.note(&format!(
        "{} All kinds of kernel memory together.",
        view.calendar.compared(before, after)
    ));
    let (best, more) = best_explanations(comparison, EXPLANATIONS);
    if best.is_empty() {
        page.note(&view::of_nobody(comparison));
        return;
    }
    for explanation in best {
        page.item(
            &phrases::share(explanation),
            &phrases::name(&explanation.owner),
        );
        page.remark(&held(comparison, explanation));
    }
    if more > 0 {
        page.item("", &view::left_out(more));
    }
    let rest = as_f64(comparison.unexplained_bytes);
    let percent = 100.0 * rest / total;
    if is_worth_telling(percent) {
        let nobody = format!("nobody explains ({})", phrases::bytes(rest));
        page.item(&phrases::percent(percent), &nobody);
    }
    if view::is_overlapping(comparison) {
        page.gap();
        page.note("Several see the same memory, so these shares do not add up to 100 %.");
    }
}

fn held(comparison: &Comparison, explanation: &Explanation) -> String {
    let [before, after] = view::held(comparison, explanation).map(as_f64);
    format!(
        "{} -> {} of {}, {}; {}",
        phrases::bytes(before),
        phrases::bytes(after),
        explanation.class.name(),
        phrases::certainty(explanation),
        phrases::name(&explanation.source),
    )
}

fn growth(comparison: &Comparison, page: &mut TextPage) {
    let moved: Vec<&Growth> = comparison
        .growth
        .iter()
        .filter(|growth| grown(growth) != 0)
        .collect();
    if moved.is_empty() {
        return;
    }
    page.heading("What moved");
    for growth in moved {
        let (before, after) = (signed(growth.before_bytes), signed(growth.after_bytes));
        let change = phrases::change(signed(grown(growth)));
        page.change(
            growth.class.name(),
            &[phrases::bytes(before), phrases::bytes(after), change],
        );
    }
}

/// Sources that said nothing, or not all.
fn silent(comparison: &Comparison, page: &mut TextPage) {
    let silent: Vec<String> = comparison.sources.iter().filter_map(silence).collect();
    if silent.is_empty() {
        return;
    }
    page.heading("Who could not be asked");
    few(&silent, SOURCES, page);
}

fn silence(source: &Source) -> Option<String> {
    let (what, why) = match &source.standing {
        SourceStatus::Read => return None,
        SourceStatus::Absent { why } => ("is not there", why),
        SourceStatus::Failed { why } => ("failed", why),
        SourceStatus::Cut { why } => ("was read in part", why),
        SourceStatus::Denied { why } => ("may not be looked at, or not all of it", why),
    };
    Some(format!(
        "{} {what}: {}",
        phrases::name(&source.file),
        phrases::line(why)
    ))
}

fn problems(incident: &Incident, page: &mut TextPage) {
    if incident.problems.is_empty() && incident.comparison.is_some() {
        return;
    }
    page.heading("Evidence that is missing");
    let problems: Vec<String> = incident
        .problems
        .iter()
        .map(|problem| phrases::line(problem))
        .collect();
    few(&problems, PROBLEMS, page);
    if problems.is_empty() {
        page.note("Nothing has been compared yet.");
    }
}

/// The first lines of a list, and how many more there are.
fn few(lines: &[String], most: usize, page: &mut TextPage) {
    for line in lines.iter().take(most) {
        page.bullet(line);
    }
    let more = lines.len().saturating_sub(most);
    if more > 0 {
        page.bullet(&format!("{more} more"));
    }
}

fn next(view: &View<'_>, page: &mut TextPage) {
    let steps = advice::of(view);
    if steps.is_empty() {
        return;
    }
    page.heading("What to do next");
    for (number, step) in (1..).zip(steps) {
        page.step(number, &step.text);
        for command in &step.commands {
            page.command(command);
        }
    }
}

fn told(view: &View<'_>, page: &mut TextPage) {
    let told = &view.incident.told;
    if told.is_empty() {
        return;
    }
    page.heading("What was told when (UTC)");
    let (first, last) = view::ends(told, TOLD);
    let more = u64::try_from(told.len() - first.len() - last.len())
        .unwrap_or(u64::MAX)
        .saturating_add(view.incident.told_more);
    for (index, finding) in first.iter().chain(last).enumerate() {
        if index == first.len() && more > 0 {
            page.bullet(&format!("{more} more"));
        }
        let at = view.calendar.noted(&finding.at);
        let at = at.trim_end_matches(" UTC");
        let (first, _) = phrases::clauses(&finding.text);
        page.bullet(&format!(
            "{at}  {}: {}",
            phrases::name(&finding.severity),
            phrases::line(first)
        ));
    }
    if let Some(over) = &view.incident.over {
        let at = view.calendar.noted(over);
        page.bullet(&format!("{}  it is over", at.trim_end_matches(" UTC")));
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact below 8 PiB")]
const fn signed(bytes: i64) -> f64 {
    bytes as f64
}
