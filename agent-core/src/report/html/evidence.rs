//! The tables: who explains how much, what grew, and where was looked.

use maud::{Markup, html};

use super::super::outlook::as_f64;
use super::super::phrases;
use super::super::view::{self, View};
use crate::incidents::evidence::{Certainty, Comparison, Explanation, Source, SourceStatus};
use crate::incidents::{best_explanations, is_worth_telling};

/// More explain too little to be read.
const EXPLANATIONS: usize = 40;
/// As many colours as there are.
const COLOURS: usize = 6;
const SOURCES: usize = 60;

/// The bar and who is in it.
pub(super) fn explained(view: &View<'_>) -> Markup {
    let incident = view.incident;
    html! {
        section aria-labelledby="explained" {
            h2 id="explained" { "What explains it" }
            @match &incident.comparison {
                Some(comparison) if comparison.growth_bytes > 0 => { (explanations(view, comparison)) }
                Some(_) => { p { "No kind of memory was larger than before when the evidence was taken." } }
                None => { p { "Nothing has been compared yet." } }
            }
            @for problem in &incident.problems { p class="note" { (phrases::line(problem)) } }
        }
    }
}

fn explanations(view: &View<'_>, comparison: &Comparison) -> Markup {
    let (before, after) = (&comparison.before.at, &comparison.after.at);
    let compared = view.calendar.compared(before, after);
    let growth = as_f64(comparison.growth_bytes);
    let rest = as_f64(comparison.unexplained_bytes);
    let share = phrases::percent(100.0 * rest / growth);
    let is_rest_told = is_worth_telling(100.0 * rest / growth);
    let (best, more) = best_explanations(comparison, EXPLANATIONS);
    if best.is_empty() {
        return html! {
            p { "Memory grew by " b { (phrases::bytes(growth)) } ". " (view::of_nobody(comparison)) }
        };
    }
    html! {
        @for first in best.iter().take(1) {
            p {
                b { (phrases::name(&first.owner)) }
                @match first.certainty {
                    _ if first.partial => { " was counted in part, and may explain some of the growth of " }
                    Certainty::AtMost => { " may explain up to " (phrases::share(first)) " of the growth of " }
                    Certainty::Exact | Certainty::Charged => { " explains " (phrases::share(first)) " of the growth of " }
                }
                b { (phrases::bytes(growth)) }
                @if is_rest_told { "; " (phrases::bytes(rest)) " (" (share) ") nobody explains" }
                "."
            }
        }
        p class="note" { (compared) " All kinds of kernel memory together." }
        (bar(comparison))
        table {
            thead { tr { th scope="col" { "Who" } th class="n" scope="col" { "Before, now" } th class="n" scope="col" { "Share" } } }
            tbody {
                @for (rank, explanation) in best.into_iter().enumerate() {
                    (row(comparison, rank, explanation))
                }
                @if is_rest_told {
                    tr {
                        th class="who" scope="row" { span class="dot rest" {} "nobody" }
                        td class="n" { (phrases::bytes(rest)) }
                        td class="n" { (share) }
                    }
                }
            }
        }
        @if more > 0 { p class="note" { (view::left_out(more)) "; incident.json has all." } }
        @if view::is_overlapping(comparison) {
            p class="note" { "Several of them see the same memory, so these shares do not add up to 100 %." }
        }
    }
}

fn row(comparison: &Comparison, rank: usize, explanation: &Explanation) -> Markup {
    let Explanation {
        owner,
        class,
        source,
        ..
    } = explanation;
    let [before, after] =
        view::held(comparison, explanation).map(|bytes| phrases::bytes(as_f64(bytes)));
    html! {
        tr {
            th class="who" scope="row" {
                @if rank < COLOURS { span class={ "dot s" (rank) } {} }
                (phrases::name(owner))
                small { (class.name()) ", " (phrases::certainty(explanation)) ", " (phrases::name(source)) }
            }
            td class="n" { (before) br; (after) }
            td class="n" { (phrases::share(explanation)) }
        }
    }
}

/// The parts of the growth as widths. Together they are at most what is explained, as several may see the same memory.
fn bar(comparison: &Comparison) -> Markup {
    let growth = as_f64(comparison.growth_bytes);
    let mut left = comparison
        .growth_bytes
        .saturating_sub(comparison.unexplained_bytes);
    let mut parts = Vec::new();
    for (rank, explanation) in comparison.explanations.iter().take(COLOURS).enumerate() {
        let part = explanation.explained_bytes.min(left);
        left -= part;
        if part > 0 {
            parts.push((rank, 100.0 * as_f64(part) / growth));
        }
    }
    let explained = growth - as_f64(comparison.unexplained_bytes);
    let label = format!(
        "{} of the growth is explained",
        phrases::percent(100.0 * explained.max(0.0) / growth)
    );
    html! {
        div class="bar" role="img" aria-label=(label) {
            @for (rank, width) in parts { span class={ "s" (rank) } style={ "width:" (format!("{width:.2}")) "%" } {} }
        }
    }
}

/// How large every class was and is.
pub(super) fn grown(view: &View<'_>) -> Markup {
    let comparison = view.incident.comparison.as_ref();
    html! {
        @if let Some(comparison) = comparison.filter(|comparison| !comparison.growth.is_empty()) {
            section aria-labelledby="grown" {
                h2 id="grown" { "Where memory is" }
                table {
                    thead { tr { th scope="col" { "Kind" } th class="n" scope="col" { "Before, now" } th class="n" scope="col" { "Change" } } }
                    tbody {
                        @for growth in &comparison.growth {
                            tr {
                                th scope="row" { (phrases::capitalised(growth.class.name())) }
                                td class="n" { (phrases::bytes(signed(growth.before_bytes))) br; (phrases::bytes(signed(growth.after_bytes))) }
                                td class="n" { (phrases::change(signed(view::grown(growth)))) }
                            }
                        }
                    }
                }
                p class="note" {
                    "Compared: " (view.calendar.noted(&comparison.before.at)) " and " (view.calendar.noted(&comparison.after.at)) "."
                }
            }
        }
    }
}

/// Where was looked, and how that went.
pub(super) fn sources(view: &View<'_>) -> Markup {
    let comparison = view.incident.comparison.as_ref();
    html! {
        @if let Some(comparison) = comparison.filter(|comparison| !comparison.sources.is_empty()) {
            section aria-labelledby="sources" {
                h2 id="sources" { "Where was looked" }
                table {
                    thead { tr { th scope="col" { "Source" } th scope="col" { "What came of it" } th class="n" scope="col" { "CPU time" } } }
                    tbody { @for source in comparison.sources.iter().take(SOURCES) { (source_row(source)) } }
                }
                p class="note" { (cost(comparison)) }
            }
        }
    }
}

fn source_row(source: &Source) -> Markup {
    let (what, why) = match &source.standing {
        SourceStatus::Read => ("read", None),
        SourceStatus::Absent { why } => ("not there", Some(why)),
        SourceStatus::Failed { why } => ("failed", Some(why)),
        SourceStatus::Cut { why } => ("read in part", Some(why)),
        SourceStatus::Denied { why } => ("not allowed, or not all of it", Some(why)),
    };
    html! {
        tr {
            th scope="row" { (phrases::name(&source.file)) small { (phrases::line(&source.tells)) } }
            td { (what) @if let Some(why) = why { small { (phrases::line(why)) } } }
            td class="n" { (milliseconds(source.cpu_us)) }
        }
    }
}

fn cost(comparison: &Comparison) -> String {
    let text = |taken: &crate::incidents::evidence::Taken| {
        format!(
            "{}, {} of text",
            milliseconds(taken.cpu_us),
            phrases::bytes(as_f64(taken.read_bytes))
        )
    };
    let (before, after) = (&comparison.before, &comparison.after);
    format!(
        "To collect the evidence before took {}; that of the incident {}.",
        text(before),
        text(after)
    )
}

fn milliseconds(microseconds: u64) -> String {
    format!("{:.1} ms", as_f64(microseconds) / 1000.0)
}

#[expect(clippy::cast_precision_loss, reason = "exact below 8 PiB")]
const fn signed(bytes: i64) -> f64 {
    bytes as f64
}
