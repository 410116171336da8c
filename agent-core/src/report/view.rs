//! What of an incident is looked at: which memory, over which time, and what is expected of it.

use super::calendar::{Calendar, seconds};
use super::curve::{Curve, Point};
use super::outlook::{Forecast, Outlook, number};
use super::phrases;
use crate::incidents::evidence::{Certainty, Class, Comparison, Explanation, Growth};
use crate::incidents::{Incident, State};

/// Shorter looks back show noise.
const SHORTEST: f64 = 1800.0;

/// A limit is drawn if what is seen or likely comes so near to it.
const NEAR: f64 = 1.25;

/// What has grown by less than this share of all growth is still where it was.
const AT_REST: f64 = 0.02;

/// More modules than these are loaded by a program that loads all there are.
const MOST_MODULES: usize = 8;

/// So many times the length of the growth are shown before it, to see how it was.
const BEFORE: f64 = 1.0;

/// All that pages of every kind have in common.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) incident: &'a Incident,
    pub(super) calendar: Calendar,
    pub(super) outlook: Outlook,
    /// The memory that it is about.
    pub(super) subject: Class,
    /// Whether that is known. If not, it is shown nevertheless how unaccounted memory went, if it is kept.
    pub(super) is_subject_known: bool,
    /// That over the time that matters.
    pub(super) chart: Option<Chart>,
}

/// The curve that the page is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    pub(super) curve: Curve,
    /// The least before it began to grow.
    pub(super) baseline: f64,
    /// Whether that means anything.
    pub(super) has_baseline: bool,
    /// The line that fits the growth, from where to where.
    pub(super) trend: Option<[Point; 2]>,
    pub(super) forecast: Option<Future>,
}

/// Where it goes if nothing happens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Future {
    /// From the end of the trend on, by the most likely rate.
    pub(super) middle: Vec<Point>,
    /// By the lowest and by the highest rate.
    pub(super) low: Vec<Point>,
    pub(super) high: Vec<Point>,
    /// The level at which nothing is available any more.
    pub(super) limit: Option<f64>,
}

impl<'a> View<'a> {
    pub(super) fn of(incident: &'a Incident) -> Self {
        let mut outlook = Outlook::of(incident);
        let known = subject(incident).filter(|_| incident.is_about_kernel_memory());
        let subject = known.unwrap_or(Class::Unaccounted);
        outlook.began = began(incident, &outlook, subject);
        Self {
            incident,
            calendar: Calendar::of(incident),
            outlook,
            subject,
            is_subject_known: known.is_some(),
            chart: Chart::of(incident, &outlook, subject)
                .filter(|_| incident.is_about_kernel_memory()),
        }
    }

    /// The metrics of a module whose incident is not about kernel memory: those of the finding first.
    pub(super) fn metrics(&self) -> Vec<(&str, Curve)> {
        let incident = self.incident;
        let said = incident.headline().into_iter();
        let said = said.flat_map(|told| told.numbers.keys());
        let mut names: Vec<&str> = Vec::new();
        for name in said.chain(incident.history.columns.keys()) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let until = seconds(incident.looked_at().uptime_ms);
        let curve = |name| Some((name, Curve::of(&incident.history, name)?.until(until)?));
        names.into_iter().filter_map(curve).collect()
    }

    /// What changed in kernel memory, where the incident is about that.
    pub(super) fn comparison(&self) -> Option<&'a Comparison> {
        let comparison = self.incident.comparison.as_ref();
        comparison.filter(|_| self.incident.is_about_kernel_memory())
    }

    /// The curve of another class, over the same time.
    pub(super) fn curve(&self, class: Class) -> Option<Curve> {
        let curve = curve_of(self.incident, class)?;
        let from = self.chart.as_ref().map(|chart| chart.curve.first().0);
        Some(from.map_or(curve.clone(), |from| curve.since(from)))
    }

    /// The whole history of what the page is about, if that is much longer than what is shown of it.
    pub(super) fn whole(&self) -> Option<Curve> {
        let shown = &self.chart.as_ref()?.curve;
        let whole = curve_of(self.incident, self.subject)?;
        let length = |curve: &Curve| curve.last().0 - curve.first().0;
        (length(&whole) > 2.0 * length(shown)).then_some(whole)
    }
}

impl Chart {
    fn of(incident: &Incident, outlook: &Outlook, subject: Class) -> Option<Self> {
        let whole = curve_of(incident, subject)?;
        let since = outlook.since;
        let curve = match since {
            Some(since) => {
                let length = (whole.last().0 - since).max(SHORTEST);
                whole.since(since - BEFORE * length)
            }
            None => whole.clone(),
        };
        let before = whole.between(f64::NEG_INFINITY, since.unwrap_or(f64::INFINITY));
        let least = before.iter().map(|point| point.1).reduce(f64::min);
        let forecast = outlook.forecast.filter(|_| incident.state() == State::Open);
        let trend = outlook
            .forecast
            .and_then(|forecast| trend(&curve, &forecast));
        Some(Self {
            baseline: least.unwrap_or(curve.first().1),
            has_baseline: true,
            forecast: forecast.and_then(|forecast| Future::of(&curve, &forecast, trend)),
            trend,
            curve,
        })
    }

    /// A curve and nothing else.
    pub(super) fn plain(curve: Curve) -> Self {
        Self {
            baseline: curve.least(),
            has_baseline: false,
            trend: None,
            forecast: None,
            curve,
        }
    }

    /// The most that is drawn of what was seen and is likely.
    pub(super) fn height(&self) -> f64 {
        let middle = self.forecast.iter().flat_map(|future| &future.middle);
        let likely = self.trend.iter().flatten().chain(middle);
        let most = likely
            .map(|point| point.1)
            .fold(self.curve.most(), f64::max);
        match self.forecast.as_ref().and_then(|future| future.limit) {
            Some(limit) if limit <= most * NEAR => most.max(limit),
            _ => most,
        }
    }

    /// Where nothing is available any more, if that is near enough to be drawn.
    pub(super) fn limit(&self) -> Option<f64> {
        let limit = self.forecast.as_ref()?.limit?;
        (limit <= self.height()).then_some(limit)
    }

    /// The last moment that is shown, the future included.
    pub(super) fn end(&self) -> f64 {
        let future = self.forecast.as_ref();
        let end = future
            .and_then(|future| future.middle.last())
            .map(|point| point.0);
        end.unwrap_or_default().max(self.curve.last().0)
    }
}

impl Future {
    fn of(curve: &Curve, forecast: &Forecast, trend: Option<[Point; 2]>) -> Option<Self> {
        let start = match trend {
            Some([_, end]) => end,
            None => (forecast.at, curve.value_at(forecast.at)?),
        };
        let limit = forecast.available.map(|available| start.1 + available);
        let known = (curve.last().0 - curve.first().0).max(SHORTEST);
        // As far as memory lasts, if that is near enough to be seen together with the past.
        let lasts = forecast.exhausted_in();
        let end = match lasts {
            Some((least, most)) if least < 1.5 * known => most
                .unwrap_or(f64::INFINITY)
                .clamp(least * 1.1, 2.0 * known),
            _ => 0.75 * known,
        };
        let line = |rate: f64| {
            let mut line = vec![start];
            let room = limit
                .map(|limit| (limit - start.1) / rate)
                .filter(|room| *room < end);
            match (room, limit) {
                (Some(room), Some(limit)) => {
                    line.extend([(start.0 + room, limit), (start.0 + end, limit)]);
                }
                _ => line.push((start.0 + end, start.1 + rate * end)),
            }
            line
        };
        let future = Self {
            middle: line(forecast.middle),
            low: line(forecast.low),
            high: line(forecast.high),
            limit,
        };
        let is_finite = |points: &[Point]| {
            points
                .iter()
                .all(|point| point.0.is_finite() && point.1.abs() < 1e19)
        };
        (is_finite(&future.low) && is_finite(&future.high)).then_some(future)
    }
}

/// When the memory was last seen where it had been before, as far as the module looked back. It looks back as long as its horizon
/// is, and somebody who wants to know what happened then is sent hours too far by that.
fn began(incident: &Incident, outlook: &Outlook, subject: Class) -> Option<f64> {
    let curve = curve_of(incident, subject)?;
    let told = seconds(incident.first_reported()?.at.uptime_ms);
    let since = outlook.since?;
    let looked_at = curve.since(since);
    let seen = looked_at.between(f64::NEG_INFINITY, told);
    let before = curve.between(f64::NEG_INFINITY, since);
    let before = if before.is_empty() {
        seen.get(..1)?
    } else {
        before
    };
    let least = before.iter().map(|point| point.1).reduce(f64::min)?;
    let growth = seen.last()?.1 - least;
    let at_rest = least + AT_REST * growth;
    let (at, _) = seen.iter().rev().find(|point| point.1 <= at_rest)?;
    (growth > 0.0).then_some(at.max(since))
}

/// The line of the forecast's rate through what was seen, as high as half of the points.
fn trend(curve: &Curve, forecast: &Forecast) -> Option<[Point; 2]> {
    let since = forecast.at - forecast.over?;
    let points = curve.between(since, forecast.at);
    let mut heights: Vec<f64> = points
        .iter()
        .map(|point| point.1 - forecast.middle * (point.0 - since))
        .collect();
    heights.sort_by(f64::total_cmp);
    let height = heights.get(heights.len() / 2)?;
    let end = height + forecast.middle * (forecast.at - since);
    (end.abs() < 1e19).then_some([(since, *height), (forecast.at, end)])
}

/// Until the moment that the report is about. Where the exact accounting is missing, the classic formula has the unaccounted
/// memory.
fn curve_of(incident: &Incident, class: Class) -> Option<Curve> {
    let until = seconds(incident.looked_at().uptime_ms);
    let curve = |name| Curve::of(&incident.history, name)?.until(until);
    let exact = curve(class.metric());
    match class {
        Class::Unaccounted => exact.or_else(|| curve("unaccounted_bytes")),
        _ => exact,
    }
}

/// The memory that the incident is about: the class whose growth is nearest to the one that was reported, or the one
/// that grew most. A module of others may say nothing about memory.
pub(super) fn subject(incident: &Incident) -> Option<Class> {
    by_numbers(incident)
        .or_else(|| by_evidence(incident))
        .or_else(|| by_level(incident))
}

fn by_level(incident: &Incident) -> Option<Class> {
    let headline = incident.headline()?;
    let names = ["unaccounted_exact_bytes", "unaccounted_bytes"];
    let is_said = names.iter().any(|name| number(headline, name).is_some());
    is_said.then_some(Class::Unaccounted)
}

fn by_numbers(incident: &Incident) -> Option<Class> {
    let headline = incident.headline()?;
    let reported = number(headline, "growth_bytes")?;
    let distance = |class: Class| {
        let name = class
            .metric()
            .replace("_exact", "")
            .replace("_bytes", "_growth_bytes");
        let grown = number(headline, &name).filter(|grown| *grown > 0.0)?;
        Some((class, (grown - reported).abs()))
    };
    let distances = Class::ALL.into_iter().filter_map(distance);
    distances
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(class, _)| class)
}

fn by_evidence(incident: &Incident) -> Option<Class> {
    let growth = &incident.comparison.as_ref()?.growth;
    // Of equal ones the first, as orphans are part of what is unaccounted.
    let most = growth.iter().rev().max_by_key(|growth| grown(growth))?;
    (grown(most) > 0).then_some(most.class)
}

/// How much an owner held before, and holds now. What it holds at most is not more than there is of that memory: full pipes that could
/// be 8.5 GiB large were 0.5 GiB, on a machine of 7.8.
pub(super) fn held(comparison: &Comparison, explanation: &Explanation) -> [u64; 2] {
    let of_class = |growth: &&Growth| growth.class == explanation.class;
    let held = [explanation.before_bytes, explanation.after_bytes];
    match comparison.growth.iter().find(of_class) {
        Some(class) if explanation.certainty == Certainty::AtMost => {
            let [before, after] = [class.before_bytes, class.after_bytes]
                .map(|bytes| u64::try_from(bytes).unwrap_or_default());
            [held[0].min(before), held[1].min(after)]
        }
        _ => held,
    }
}

/// What is known of a growth of which no source names an owner.
pub(super) fn of_nobody(comparison: &Comparison) -> String {
    let nobody = "None of the sources that could be asked says who holds it.";
    match loaded(comparison) {
        Some(modules) => {
            format!("{nobody} Kernel modules that were loaded while it grew: {modules}.")
        }
        None => nobody.to_owned(),
    }
}

/// The names of kernel modules that are new, if there are any.
pub(super) fn loaded(comparison: &Comparison) -> Option<String> {
    let modules = &comparison.modules_loaded;
    let names: Vec<String> = modules
        .iter()
        .take(MOST_MODULES)
        .map(|module| phrases::name(module))
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// The first and the last of a list that is longer than `most`; all of them are the first of a shorter one.
pub(super) fn ends<T>(list: &[T], most: usize) -> (&[T], &[T]) {
    if list.len() <= most {
        return (list, &[]);
    }
    let half = most / 2;
    (&list[..half], &list[list.len() - (most - half)..])
}

/// That so many are not shown.
pub(super) fn left_out(more: usize) -> String {
    let explain = if more == 1 { "explains" } else { "explain" };
    format!("{more} more {explain} little")
}

/// Whether several sources see the same memory, so that their shares are not to be added up.
pub(super) fn is_overlapping(comparison: &Comparison) -> bool {
    let explained = comparison
        .growth_bytes
        .saturating_sub(comparison.unexplained_bytes);
    let parts = comparison
        .explanations
        .iter()
        .map(|explanation| explanation.explained_bytes);
    let sum = parts.fold(0, u64::saturating_add);
    // Rounding is no overlap.
    sum > explained.saturating_add(explained / 100)
}

/// By how much a class grew.
pub(super) const fn grown(growth: &Growth) -> i64 {
    growth.after_bytes.saturating_sub(growth.before_bytes)
}
