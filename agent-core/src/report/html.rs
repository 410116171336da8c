//! The page for a browser: one file that needs no network and no script, and that a printer takes as well.
//!
//! Every text of others goes through `maud`, which escapes it; only the charts and the style are taken as they are,
//! and they contain nothing but numbers.

mod axis;
mod chart;
mod course;
mod evidence;
mod findings;
mod holders;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::outlook::as_f64;
use super::view::View;
use super::{advice, phrases};
use crate::incidents::evidence::Now;
use crate::incidents::{Incident, State};

/// Nothing may be loaded and nothing may run, whatever the names in the page say.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The incident as one page, with what the daemon saw.
#[must_use]
pub fn html(incident: &Incident) -> String {
    page(incident, None)
}

/// The same, with who holds the memory now, as root sees it.
#[must_use]
pub fn html_with(incident: &Incident, now: &Now) -> String {
    page(incident, Some(now))
}

fn page(incident: &Incident, now: Option<&Now>) -> String {
    let view = View::of(incident);
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title(incident)) }
                style { (PreEscaped(include_str!("html/style.css"))) }
            }
            body {
                main {
                    (head(&view))
                    @if incident.is_about_kernel_memory() {
                        (course::of(&view))
                        @if let Some(now) = now { (holders::now(&view, now)) }
                        (evidence::explained(&view))
                        (next(&view))
                        (course::others(&view))
                        (evidence::grown(&view))
                    } @else {
                        (course::metrics(&view))
                        (next(&view))
                    }
                    (findings::of(&view))
                    @if incident.is_about_kernel_memory() { (evidence::sources(&view)) }
                    (findings::details(&view))
                }
                (foot(incident))
            }
        }
    };
    page.into_string()
}

fn title(incident: &Incident) -> String {
    let host = incident.machine.host.as_deref().map(phrases::name);
    let host = host.map_or_else(String::new, |host| format!(" on {host}"));
    format!("Incident {}{host}", phrases::name(&incident.id))
}

fn head(view: &View<'_>) -> Markup {
    let incident = view.incident;
    let headline = incident.headline();
    let (first, rest) = headline
        .map_or(("Nothing was said about this incident yet", None), |told| {
            phrases::clauses(&told.text)
        });
    let severity = findings::severity(incident.severity().unwrap_or("info"));
    let state = match incident.state() {
        State::Open => "open",
        State::Over(_) => "over",
        State::Restarted => "ended by a restart",
    };
    markup! {
        header {
            div {
                span class={ "badge " (severity) } { (severity) }
                span class={ "badge" @if incident.state() != State::Open { " over" } } { (state) }
                span class="soft" {
                    "by " (phrases::name(&incident.module)) ", " (view.calendar.noted(&incident.opened))
                }
            }
            h1 { (phrases::line(first)) }
            @if let Some(rest) = rest { p class="soft" { (phrases::capitalised(&phrases::line(rest))) "." } }
            dl class="facts" {
                @for fact in view.outlook.facts(incident, view.calendar) {
                    div { dt { (fact.heading) } dd { b { (fact.answer) } small { (fact.note) } } }
                }
                div { dt { "Machine" } dd { (machine(incident)) } }
            }
        }
    }
}

fn machine(incident: &Incident) -> Markup {
    let machine = &incident.machine;
    let host = machine
        .host
        .as_deref()
        .map_or_else(|| "name left out".to_owned(), phrases::name);
    let memory = phrases::bytes(as_f64(machine.mem_total_bytes));
    markup! {
        b { (host) }
        small { (memory) ", kernel " (phrases::name(&machine.kernel)) ", " (phrases::name(&machine.arch)) }
    }
}

fn next(view: &View<'_>) -> Markup {
    let steps = advice::of(view);
    markup! {
        @if !steps.is_empty() {
            section aria-labelledby="next" {
                h2 id="next" { "What to do next" }
                ol class="steps" {
                    @for step in steps {
                        li {
                            (step.text)
                            @if !step.commands.is_empty() { pre { (step.commands.join("\n")) } }
                        }
                    }
                }
            }
        }
    }
}

fn foot(incident: &Incident) -> Markup {
    let machine = &incident.machine;
    markup! {
        footer {
            p {
                "Incident " (phrases::name(&incident.id)) ", kept by " (phrases::name(&machine.daemon)) ". All times are UTC. "
                "1 GiB is 1024 MiB. Boot " (phrases::name(&machine.boot_id)) "."
            }
        }
    }
}
