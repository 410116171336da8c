//! Amounts, times and rates as one says them.

use adaptivemm_module_api::units::Balance;
use jiff::Timestamp;

use crate::base::clean_text;
use crate::incidents::evidence::{Certainty, Explanation};

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
const YEAR: f64 = 365.25 * DAY;
const MIB: f64 = 1_048_576.0;

/// Long enough for every name of the kernel and for most command lines, in characters.
const LONGEST_NAME: usize = 160;
/// Longer sentences are not read, in characters.
const LONGEST_LINE: usize = 1200;

/// So many bytes, in the unit that fits.
#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
pub(super) fn bytes(bytes: f64) -> String {
    Balance::new(bytes as i64).to_string()
}

/// The same, with a sign.
pub(super) fn change(by: f64) -> String {
    let sign = if by > 0.0 { "+" } else { "" };
    format!("{sign}{}", bytes(by))
}

/// An amount on an axis, without more digits than it has: `1.25 GiB`, `512 MiB`.
pub(super) fn tick(bytes: f64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    // There is a zero below zero.
    let mut value = if bytes.abs() < 1.0 { 0.0 } else { bytes };
    let mut unit = 0;
    while value.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = format!("{value:.2}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits} {}", UNITS[unit])
}

/// So many seconds: `90 s`, `45 min`, `2.5 h`, `3.0 days`, `2.1 years`.
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    let (value, unit, digits) = if seconds < 2.0 * MINUTE {
        (seconds, "s", 0)
    } else if seconds < 2.0 * HOUR {
        (seconds / MINUTE, "min", 0)
    } else if seconds < 2.0 * DAY {
        (seconds / HOUR, "h", 1)
    } else if seconds < YEAR {
        (seconds / DAY, "days", 1)
    } else if seconds < 1000.0 * YEAR {
        (seconds / YEAR, "years", 1)
    } else {
        return "more than 1000 years".to_owned();
    };
    format!("{value:.digits$} {unit}")
}

/// Whether a day can be named: a year from now nobody knows it.
pub(super) fn is_near(in_seconds: f64) -> bool {
    in_seconds < YEAR
}

/// From one span to another, in as few words as that needs.
pub(super) fn spans(least: f64, most: Option<f64>) -> String {
    match (span(least), most.map(span)) {
        (least, Some(most)) if most == least => format!("about {least}"),
        (least, Some(most)) => range(&least, &most),
        (least, None) => format!("{least} or longer"),
    }
}

/// From one rate to another.
pub(super) fn rates(least: f64, most: f64) -> String {
    if least > 0.0 {
        let (least, most) = (rate(least), rate(most));
        if least == most {
            return "all the time".to_owned();
        }
        range(&least, &most)
    } else {
        format!("at most {}", rate(most))
    }
}

/// From one amount to another, with its unit once if it is the same: `12.6 to 15.1 h`, `90 s to 5 min`.
fn range(least: &str, most: &str) -> String {
    match (least.split_once(' '), most.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number} to {most}"),
        _ => format!("{least} to {most}"),
    }
}

/// A growth of so many bytes per second, per hour if that is a MiB or more, else per day.
pub(super) fn rate(bytes_per_second: f64) -> String {
    if (bytes_per_second * HOUR).abs() >= MIB {
        format!("{} per hour", bytes(bytes_per_second * HOUR))
    } else {
        format!("{} per day", bytes(bytes_per_second * DAY))
    }
}

/// A moment to the minute: `2026-11-28 00:51`, without its time zone, which is UTC.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The day of it.
pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// The same to the second.
pub(super) fn exact_moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A metric of a module, with the unit that its name ends with: `pool_bytes`, `full_percent`, `age_seconds`.
pub(super) fn metric(name: &str, value: f64) -> String {
    if name.ends_with("_bytes") {
        bytes(value)
    } else if name.ends_with("_bytes_per_second") {
        rate(value)
    } else if name.ends_with("_percent") {
        format!("{} %", decimal(value))
    } else if name.ends_with("_seconds") && value >= 0.0 {
        span(value)
    } else {
        decimal(value)
    }
}

/// A number without more digits than it needs.
pub(super) fn decimal(value: f64) -> String {
    if value.abs() >= 1e15 {
        return format!("{value:e}");
    }
    let precision = if value.abs() < 0.1 { 6 } else { 2 };
    let digits = format!("{value:.precision$}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if digits == "-0" { "0" } else { digits }.to_owned()
}

/// A share of a whole: `62 %`, `0.4 %`.
pub(super) fn percent(share: f64) -> String {
    if !share.is_finite() {
        "?".to_owned()
    } else if share > 0.0 && share < 0.95 {
        format!("{share:.1} %")
    } else {
        format!("{share:.0} %")
    }
}

/// The share of an explanation; none of what was counted in part, as it may have held as much before.
pub(super) fn share(explanation: &Explanation) -> String {
    if explanation.partial {
        return "at most".to_owned();
    }
    percent(explanation.share_percent)
}

/// How exactly it is known who holds memory.
pub(super) const fn certainty(explanation: &Explanation) -> &'static str {
    match explanation.certainty {
        _ if explanation.partial => "an upper limit, counted in part",
        Certainty::Exact => "counted by the kernel",
        Certainty::Charged => "charged to it, with others",
        Certainty::AtMost => "an upper limit",
    }
}

/// A name that others have given, without what would act on a terminal, and not endless.
pub(super) fn name(text: &str) -> String {
    cut(clean_text::line(text.as_bytes()), LONGEST_NAME)
}

/// A sentence that others have written, on one line.
pub(super) fn line(text: &str) -> String {
    cut(clean_text::line(text.as_bytes()), LONGEST_LINE)
}

fn cut(mut text: String, longest: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(longest) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// The first clause of a finding, which says what happened, and the rest, which says why that is so.
pub(super) fn clauses(text: &str) -> (&str, Option<&str>) {
    match text.split_once("; ") {
        Some((first, rest)) => (first, Some(rest)),
        None => (text, None),
    }
}

/// The first letter as at the beginning of a sentence.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        let told = [
            -5.0,
            90.0,
            2700.0,
            9000.0,
            259_200.0,
            6e7,
            1e18,
            f64::INFINITY,
        ]
        .map(span);

        assert_eq!(
            told,
            [
                "0 s",
                "90 s",
                "45 min",
                "2.5 h",
                "3.0 days",
                "1.9 years",
                "more than 1000 years",
                "more than 1000 years"
            ]
        );
    }

    #[test]
    fn a_range_names_its_unit_once_if_it_can() {
        assert_eq!(spans(9000.0, Some(36_000.0)), "2.5 to 10.0 h");
        assert_eq!(spans(90.0, Some(36_000.0)), "90 s to 10.0 h");
        assert_eq!(spans(90.0, Some(90.4)), "about 90 s");
        assert_eq!(spans(90.0, None), "90 s or longer");
        assert_eq!(rates(300.0, 1000.0), "1.0 to 3.4 MiB per hour");
        assert_eq!(rates(1000.0, 1000.1), "all the time");
        assert_eq!(rates(0.0, 1000.0), "at most 3.4 MiB per hour");
    }

    #[test]
    fn an_axis_has_no_more_digits_than_it_needs() {
        let ticks = [0.0, -1e-9, 512.0, -1536.0, 1_342_177_280.0, 1e300];

        assert_eq!(
            ticks.map(tick)[..5],
            ["0 B", "0 B", "512 B", "-1.5 KiB", "1.25 GiB"]
        );
        assert!(tick(1e300).ends_with(" EiB"));
    }

    #[test]
    fn shares_and_changes_say_when_they_are_nothing() {
        assert_eq!(
            [0.0, 0.04, 0.4, 62.4, 100.0, f64::NAN].map(percent),
            ["0 %", "0.0 %", "0.4 %", "62 %", "100 %", "?"]
        );
        assert_eq!(
            [0.0, 2048.0, -2048.0].map(change),
            ["0 B", "+2.0 KiB", "-2.0 KiB"]
        );
    }

    #[test]
    fn texts_of_others_are_short_and_do_nothing() {
        assert_eq!(name("a\u{1b}[2Jb\nc"), "a [2Jb c");
        assert_eq!(name(&"ä".repeat(200)), "ä".repeat(160) + "...");
        assert_eq!(
            clauses("it grew; by much; fast"),
            ("it grew", Some("by much; fast"))
        );
        assert_eq!(capitalised("über"), "Über");
    }
}
