//! What was told when, and the lines behind it.

use maud::{Markup, html};

use super::super::phrases;
use super::super::view::{self, View};
use crate::incidents::FindingRecord;

/// Of the timeline.
const TOLD: usize = 60;
/// Of the lines behind it, in bytes, so that a page does not become endless.
const DETAILS: usize = 48 << 10;

/// The timeline.
pub(super) fn of(view: &View<'_>) -> Markup {
    let incident = view.incident;
    let (first, last) = view::ends(&incident.told, TOLD);
    let more = (incident.told.len() - first.len() - last.len()) as u64;
    let more = more.saturating_add(incident.told_more);
    html! {
        section aria-labelledby="told" {
            h2 id="told" { "What was told when" }
            ol class="told" {
                @for told in first.iter().chain(last) {
                    li {
                        p { b { (view.calendar.noted(&told.at)) } " " span class=(severity(&told.severity)) { (severity(&told.severity)) } " " small { (phrases::name(&told.code)) } }
                        p { (phrases::line(&told.text)) }
                    }
                }
                @if more > 0 { li class="soft" { (more) " more" } }
                @if let Some(over) = &incident.over {
                    li { p { b { (view.calendar.noted(over)) } " " span class="over" { "it is over" } } }
                }
            }
        }
    }
}

/// The lines behind what was told, such as `/proc/meminfo`, folded.
pub(super) fn details(view: &View<'_>) -> Markup {
    let with_details = view
        .incident
        .told
        .iter()
        .filter(|told| !told.details.is_empty());
    let mut room = DETAILS;
    let mut shown = Vec::new();
    let mut left_out = 0_u64;
    for told in with_details {
        match room.checked_sub(told.details.iter().map(String::len).sum()) {
            Some(rest) => {
                room = rest;
                shown.push((told, lines(told)));
            }
            None => left_out += 1,
        }
    }
    html! {
        @if !shown.is_empty() || left_out > 0 {
            section aria-labelledby="details" {
                h2 id="details" { "The numbers behind it" }
                @for (told, lines) in shown {
                    details {
                        summary { (view.calendar.noted(&told.at)) ", " (phrases::name(&told.code)) }
                        pre { (lines) }
                    }
                }
                @if left_out > 0 { p class="note" { "Of " (left_out) " more they are in incident.json." } }
            }
        }
    }
}

fn lines(told: &FindingRecord) -> String {
    let lines = told.details.iter().flat_map(|lines| lines.lines());
    lines.map(phrases::line).collect::<Vec<_>>().join("\n")
}

/// The severity, if it is one: it becomes the name of a class of the style.
pub(super) fn severity(said: &str) -> &'static str {
    let known = ["error", "warning", "notice", "info", "debug"];
    known
        .into_iter()
        .find(|name| *name == said)
        .unwrap_or("info")
}
