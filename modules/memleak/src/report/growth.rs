//! What an administrator is told about memory that keeps growing, or was gone at once.

use core::fmt::Write as _;
use core::time::Duration;

use adaptivemm_module_api::Severity;
use adaptivemm_module_api::units::{Balance, Uptime};

use super::{Report, severity};
use crate::evidence;
use crate::jump::{Leap, SCANS};
use crate::ring::{PAIRS, Slopes};
use crate::sample::{Reading, Sample};
use crate::series::{Levels, Members, Series};
use crate::span::{rate, span};
use crate::trend::{HORIZONS, Rising};

/// The stretches of the horizons, as one counts them.
const STRETCHES: [&str; HORIZONS] = ["5 minutes", "30 minutes", "2 hours", "14 hours"];

/// A growth, with what is known about it.
#[derive(Debug)]
pub(crate) struct Growth<'a> {
    pub(crate) sample: &'a Sample<'a>,
    /// When it began, as far as the detector looks back.
    pub(crate) from: Uptime,
    pub(crate) before: Levels,
    pub(crate) now: Levels,
    /// What else happened since.
    pub(crate) circumstances: Vec<String>,
}

impl Report {
    /// The floor of some memory rises.
    pub(crate) fn trend(
        growth: &Growth<'_>,
        rising: &Rising,
        floors: &[Balance],
        first: &Reading,
    ) -> Self {
        let stretch = Duration::as_secs_f64(&(rising.length() / 11));
        let slopes = per_second(&rising.alarm.slopes, stretch);
        let available = growth.sample.available;
        let alarm = &rising.alarm;
        let text = format!(
            "Possible memory leak (trend): {} grew from {} to {} (+{}) in {}, by {}; the {available} available would \
             last {}; {}{}; its floor rose in {} of {} pairs of {STRETCH}, confirmed in {} of the last {}",
            rising.series.name(),
            alarm.rise.from,
            alarm.rise.to,
            alarm.rise.amount(),
            span(rising.length()),
            rate(slopes.middle),
            range(available.as_f64(), &slopes),
            growth.explanation(),
            growth.clauses(),
            alarm.rise.concordance,
            PAIRS,
            alarm.hits,
            alarm.needed.of,
            STRETCH = STRETCHES[rising.horizon],
        );
        let mut details = growth.table();
        details.push_str(&rules(rising, floors));
        details.push_str(&growth.hints(rising.members));
        let since_first = span(growth.sample.at.since(first.at));
        details += &evidence::since(&first.meminfo, growth.sample.meminfo, &since_first);
        let mut numbers = vec![
            ("growth_bytes", alarm.rise.amount().as_f64()),
            ("duration_seconds", rising.length().as_secs_f64()),
            ("growth_bytes_per_second", slopes.middle),
            ("growth_low_bytes_per_second", slopes.low),
            ("growth_high_bytes_per_second", slopes.high),
            ("available_bytes", available.as_f64()),
            ("exhausted_in_seconds", available.as_f64() / slopes.middle),
            ("least_growth_bytes", alarm.least.as_f64()),
        ];
        numbers.extend(growth.numbers());
        Self {
            severity: severity(alarm.grade),
            code: "trend-leak",
            text,
            details,
            numbers,
            is_doubtful: false,
            is_small: false,
        }
    }

    /// Much memory was gone at once.
    pub(crate) fn jump(growth: &Growth<'_>, leap: &Leap) -> Self {
        let sample = growth.sample;
        let text = format!(
            "Possible memory leak (jump): unaccounted memory grew from {} to {} (+{}) within {} and stayed there \
             for {SCANS} scans, limit {}; {} available; {}{}",
            leap.from,
            leap.to,
            leap.amount(),
            span(sample.at.since(growth.from)),
            leap.least,
            sample.available,
            growth.explanation(),
            growth.clauses(),
        );
        let mut details = growth.table();
        details.push_str(&growth.hints(Members::of(Series::Unaccounted)));
        details.push_str(&evidence::current(sample.meminfo));
        let mut numbers = vec![
            ("growth_bytes", leap.amount().as_f64()),
            (
                "duration_seconds",
                sample.at.since(growth.from).as_secs_f64(),
            ),
            ("available_bytes", sample.available.as_f64()),
            ("limit_bytes", leap.least.as_f64()),
        ];
        numbers.extend(growth.numbers());
        Self {
            severity: Severity::Warning,
            code: "jump-leak",
            text,
            details,
            numbers,
            is_doubtful: false,
            is_small: false,
        }
    }
}

impl Growth<'_> {
    /// What of all that grew is where.
    fn explanation(&self) -> String {
        let all = self.now.growth(&self.before, Members::ALL);
        match self.risen().into_iter().max_by_key(|&(_, rise)| rise) {
            Some((series, rise)) if rise < all => {
                format!(
                    "kernel memory grew by {all} in all, {} by {rise}",
                    series.name()
                )
            }
            Some((series, _)) => format!("nothing but {} rose", series.name()),
            None => "nothing else rose".to_owned(),
        }
    }

    /// What else happened, to be appended.
    fn clauses(&self) -> String {
        let mut text = String::new();
        for clause in &self.circumstances {
            // Writing to a string cannot fail.
            let _ = write!(text, "; {clause}");
        }
        text
    }

    /// Every series that rose, but orphans, which are part of another.
    fn risen(&self) -> Vec<(Series, Balance)> {
        Series::ALL
            .into_iter()
            .filter(|&series| series != Series::Orphans)
            .map(|series| (series, self.now.rise(&self.before, series)))
            .filter(|(_, rise)| rise.get() > 0)
            .collect()
    }

    fn table(&self) -> String {
        let mut lines = "What only a leak makes grow for long, then and now:\n".to_owned();
        for series in Series::ALL {
            if let (Some(before), Some(now)) = (self.before.get(series), self.now.get(series)) {
                let sign = if now >= before { "+" } else { "" };
                // Writing to a string cannot fail.
                let _ = writeln!(
                    lines,
                    "{}: {} kB -> {} kB ({sign}{} kB)",
                    series.name(),
                    before.kib(),
                    now.kib(),
                    now.since(before).kib(),
                );
            }
        }
        lines
    }

    /// Where to look next, for the series that rose and for the one that rose most of all.
    fn hints(&self, members: Members) -> String {
        let most = self.risen().into_iter().max_by_key(|&(_, rise)| rise);
        let members = most.map_or(members, |(series, _)| members.and(Members::of(series)));
        let mut lines = String::new();
        for series in Series::ALL {
            if members.has(series) {
                lines.push_str(series.hint());
                lines.push('\n');
            }
        }
        lines
    }

    fn numbers(&self) -> Vec<(&'static str, f64)> {
        Series::ALL
            .into_iter()
            .filter(|&series| self.now.get(series).is_some() && self.before.get(series).is_some())
            .map(|series| {
                let rise = self.now.rise(&self.before, series);
                (series.growth_number(), rise.as_f64())
            })
            .collect()
    }
}

fn per_second(slopes: &Slopes, stretch: f64) -> Slopes {
    Slopes {
        low: slopes.low / stretch,
        middle: slopes.middle / stretch,
        high: slopes.high / stretch,
    }
}

/// How long memory lasts, from the fastest to the slowest growth that the floors allow.
fn range(available: f64, slopes: &Slopes) -> String {
    let lasts = |slope: f64| Duration::try_from_secs_f64(available / slope).ok();
    let at_least = lasts(slopes.high).unwrap_or_default();
    let at_most = lasts(slopes.low).filter(|_| slopes.low > 0.0);
    match (span(at_least), at_most.map(span)) {
        (least, Some(most)) if least == most => format!("about {least}"),
        (least, Some(most)) => format!("{least} to {most}"),
        (least, None) => format!("{least} or longer"),
    }
}

/// The floors, and the rules that they met.
fn rules(rising: &Rising, floors: &[Balance]) -> String {
    let rise = &rising.alarm.rise;
    let values: Vec<String> = floors.iter().map(|floor| floor.kib().to_string()).collect();
    let percent = |part: Balance, of: Balance| 100.0 * part.as_f64() / of.as_f64();
    format!(
        "The least of {} in each of the last {} stretches of {} (kB): {}\n\
         Rules: rose by {}, at least {}; largest step {:.0} % of it, at most 40 %; last third {:.0} %, without that \
         step {:.0} %, at least 25 %; Mann-Kendall {} of {PAIRS}, at least 54; in {} of the last {} closes, at least {}\n",
        rising.series.name(),
        floors.len(),
        STRETCHES[rising.horizon],
        values.join(", "),
        rise.amount(),
        rising.alarm.least,
        percent(rise.largest_step, rise.amount()),
        percent(rise.late, rise.amount()),
        percent(rise.late_rest, rise.rest()),
        rise.concordance,
        rising.alarm.hits,
        rising.alarm.needed.of,
        rising.alarm.needed.hits,
    )
}

#[cfg(test)]
mod tests;
