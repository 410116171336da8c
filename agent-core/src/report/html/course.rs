//! The charts: how memory went, and where it goes.

use std::ops::Range;

use maud::{Markup, PreEscaped, html};

use super::super::calendar::seconds;
use super::super::curve::Curve;
use super::super::phrases;
use super::super::view::{Chart, View};
use super::chart::{Picture, Size};
use crate::incidents::evidence::Class;

/// More lines would hide the curve.
const MARKS: usize = 12;

/// More of another module would not be looked at.
const METRICS: usize = 24;

/// What the page is about.
pub(super) fn of(view: &View<'_>) -> Markup {
    let heading = format!("{} over time", phrases::capitalised(view.subject.name()));
    html! {
        section aria-labelledby="course" {
            h2 id="course" { (heading) }
            @match &view.chart {
                Some(chart) if chart.curve.points.len() > 1 => { (drawn(view, chart)) }
                _ => { p class="soft" { "There is no history yet." } }
            }
        }
    }
}

fn drawn(view: &View<'_>, chart: &Chart) -> Markup {
    let marks = marks(view, chart);
    let picture = Picture {
        curve: &chart.curve,
        calendar: view.calendar,
        chart: Some(chart),
        marks: &marks,
        time: chart.curve.first().0..chart.end(),
        metric: None,
    };
    let label = description(view, chart);
    html! {
        figure {
            div class="picture wide" role="img" aria-label=(label) { (PreEscaped(picture.svg(Size::WIDE))) }
            div class="picture narrow" role="img" aria-label=(label) { (PreEscaped(picture.svg(Size::NARROW))) }
            (legend(chart, !marks.is_empty()))
            figcaption { (label) }
        }
    }
}

fn legend(chart: &Chart, is_marked: bool) -> Markup {
    let future = chart.forecast.as_ref();
    html! {
        ul class="legend" {
            li class="k-seen" { i {} "seen" }
            li class="k-baseline" { i {} "least before it grew, " (phrases::bytes(chart.baseline)) }
            @if chart.trend.is_some() { li class="k-trend" { i {} "trend" } }
            @if future.is_some() { li class="k-forecast" { i {} "if it goes on like this, from the slowest to the fastest rate" } }
            @if let Some(limit) = chart.limit() {
                li class="k-limit" { i {} "nothing left to allocate, " (phrases::bytes(limit)) }
            }
            @if is_marked { li class="k-mark" { i {} "a finding" } }
        }
    }
}

/// The chart in a sentence.
fn description(view: &View<'_>, chart: &Chart) -> String {
    let (first, last) = (chart.curve.first(), chart.curve.last());
    let stretch = view.calendar.stretch(first.0, last.0);
    let (from, to) = (phrases::bytes(first.1), phrases::bytes(last.1));
    let mut text = format!("From {from} to {to}, {stretch}");
    if let Some(forecast) = view.outlook.forecast.filter(|_| chart.forecast.is_some()) {
        text += "; expected to grow by ";
        text += &phrases::rate(forecast.middle);
    }
    text + "."
}

fn marks(view: &View<'_>, chart: &Chart) -> Vec<f64> {
    let shown = chart.curve.first().0..=chart.end();
    let told = view
        .incident
        .told
        .iter()
        .map(|told| seconds(told.at.uptime_ms));
    told.filter(|at| shown.contains(at)).take(MARKS).collect()
}

/// The metrics of another module, those of its finding first, and the numbers of the finding.
pub(super) fn metrics(view: &View<'_>) -> Markup {
    let headline = view.incident.headline();
    let numbers = headline.map(|told| &told.numbers);
    let metrics = view.metrics();
    html! {
        @if let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) {
            section aria-labelledby="numbers" {
                h2 id="numbers" { "The numbers of the finding" }
                ul { @for (name, value) in numbers.iter().take(METRICS) {
                    li { (phrases::name(name)) ": " b { (phrases::metric(name, *value)) } }
                } }
            }
        }
        @if !metrics.is_empty() {
            section aria-labelledby="metrics" {
                h2 id="metrics" { "The metrics of the module" }
                div class="small" {
                    @for (name, curve) in metrics.iter().take(METRICS) { (metric(view, name, curve)) }
                }
            }
        }
    }
}

fn metric(view: &View<'_>, name: &str, curve: &Curve) -> Markup {
    let (first, last) = (curve.first(), curve.last());
    let chart = Chart::plain(curve.clone());
    let marks = marks(view, &chart);
    let picture = Picture {
        curve,
        calendar: view.calendar,
        chart: Some(&chart),
        marks: &marks,
        time: first.0..last.0,
        metric: Some(name),
    };
    let [from, to] = [first.1, last.1].map(|value| phrases::metric(name, value));
    let label = format!("{from} to {to}, {}", view.calendar.stretch(first.0, last.0));
    html! {
        figure {
            h3 { (phrases::name(name)) }
            @if curve.points.len() > 1 {
                div class="picture" role="img" aria-label={ (phrases::name(name)) ": " (label) } { (PreEscaped(picture.svg(Size::SMALL))) }
                figcaption { (label) }
            } @else {
                figcaption { (to) "; there is no history yet" }
            }
        }
    }
}

/// The other kinds of memory, over the same time, and the whole history.
pub(super) fn others(view: &View<'_>) -> Markup {
    let time = view
        .chart
        .as_ref()
        .map(|chart| chart.curve.first().0..chart.curve.last().0);
    let others = Class::ALL
        .into_iter()
        .filter(|class| *class != view.subject);
    let others: Vec<_> = others
        .filter_map(|class| Some((class.name(), view.curve(class)?)))
        .filter(|(_, curve)| curve.points.len() > 1)
        .collect();
    let whole = view.whole();
    html! {
        @if !others.is_empty() || whole.is_some() {
            section aria-labelledby="others" {
                h2 id="others" { "What else moved, and what did not" }
                div class="small" {
                    @if let Some(curve) = &whole {
                        (small(view, &format!("{}, the whole history", view.subject.name()), curve, None))
                    }
                    @for (name, curve) in &others { (small(view, name, curve, time.as_ref())) }
                }
            }
        }
    }
}

fn small(view: &View<'_>, name: &str, curve: &Curve, time: Option<&Range<f64>>) -> Markup {
    let (first, last) = (curve.first(), curve.last());
    let picture = Picture {
        curve,
        calendar: view.calendar,
        chart: None,
        marks: &[],
        time: time.cloned().unwrap_or(first.0..last.0),
        metric: None,
    };
    let change = phrases::change(last.1 - first.1);
    let label = format!(
        "{} to {} ({change})",
        phrases::bytes(first.1),
        phrases::bytes(last.1)
    );
    html! {
        figure {
            h3 { (phrases::capitalised(name)) }
            div class="picture" role="img" aria-label={ (name) ": " (label) } { (PreEscaped(picture.svg(Size::SMALL))) }
            figcaption { (label) }
        }
    }
}
