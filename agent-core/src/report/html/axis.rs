//! Axes with round numbers: times of the day, and powers of two bytes.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::super::calendar::Calendar;
use super::super::phrases;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// The share of an axis at its begin that gets no name.
const EDGE: f64 = 0.03;

/// Steps that people count time in.
const STEPS: [f64; 25] = [
    1.0,
    5.0,
    15.0,
    30.0,
    MINUTE,
    2.0 * MINUTE,
    5.0 * MINUTE,
    10.0 * MINUTE,
    15.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    2.0 * HOUR,
    3.0 * HOUR,
    6.0 * HOUR,
    12.0 * HOUR,
    DAY,
    2.0 * DAY,
    4.0 * DAY,
    7.0 * DAY,
    14.0 * DAY,
    28.0 * DAY,
    91.0 * DAY,
    182.0 * DAY,
    365.0 * DAY,
    3650.0 * DAY,
];

/// A line of numbers, with those that are named.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    range: Range<f64>,
    ticks: Vec<f64>,
    step: f64,
    kind: Kind,
}

/// What the numbers are.
#[derive(Debug, Clone)]
enum Kind {
    Time(Calendar),
    Bytes,
    /// A metric of this name.
    Number(String),
}

impl Axis {
    /// Of seconds since boot, with names at round times of the day.
    pub(super) fn of_time(range: Range<f64>, most: f64, calendar: Calendar) -> Self {
        let range = range.start..range.end.max(range.start + 1.0);
        let least = (range.end - range.start) / most;
        let longest = STEPS[STEPS.len() - 1];
        let step = STEPS.into_iter().find(|step| *step >= least);
        let step = step.unwrap_or((least / longest).ceil() * longest);
        let offset = as_f64(calendar.epoch().unwrap_or_default());
        // A name at the very edge would run into that of the other axis.
        let edge = range.start + (range.end - range.start) * EDGE;
        let first = ((edge + offset) / step).ceil() * step - offset;
        Self::with(range, first, step, Kind::Time(calendar))
    }

    /// Of bytes, with names at multiples of a power of two.
    pub(super) fn of_bytes(range: Range<f64>, most: f64) -> Self {
        let range = range.start..range.end.max(range.start + 1.0);
        let least = (range.end - range.start) / most;
        let step = least.log2().ceil().exp2().max(1.0);
        let first = (range.start / step).ceil() * step;
        Self::with(range, first, step, Kind::Bytes)
    }

    /// Of a metric, with names at 1, 2, 5, 10 and so on.
    pub(super) fn of_numbers(range: Range<f64>, most: f64, metric: &str) -> Self {
        let least = ((range.end - range.start) / most).max(f64::MIN_POSITIVE);
        let power = 10_f64.powf(least.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
        let step = steps.into_iter().find(|step| *step >= least);
        let step = step.unwrap_or(least);
        let first = (range.start / step).ceil() * step;
        Self::with(range, first, step, Kind::Number(metric.to_owned()))
    }

    fn with(range: Range<f64>, first: f64, step: f64, kind: Kind) -> Self {
        let ticks = std::iter::successors(Some(first), |tick| Some(tick + step));
        let end = range.end;
        Self {
            // Numbers so large that a step makes no difference would never end.
            ticks: ticks.take(32).take_while(|tick| *tick <= end).collect(),
            range,
            step,
            kind,
        }
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let calendar = match &self.kind {
            Kind::Time(calendar) => calendar,
            Kind::Bytes => return phrases::tick(*value),
            Kind::Number(name) => return phrases::metric(name, *value),
        };
        let Some(time) = calendar.at(*value) else {
            return phrases::span(*value);
        };
        let is_midnight = time.as_second() % 86_400 == 0;
        let format = match self.step {
            step if step >= 180.0 * DAY => "%b %Y",
            step if step >= DAY || is_midnight => "%-d %b",
            step if step < MINUTE => "%H:%M:%S",
            _ => "%H:%M",
        };
        time.strftime(format).to_string()
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a pixel, and a float cast saturates"
    )]
    fn map(&self, value: &f64, (begin, end): (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        begin + (f64::from(end - begin) * share.clamp(0.0, 1.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
const fn as_f64(seconds: i64) -> f64 {
    seconds as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Moment;
    use crate::incidents::{Incident, Machine};

    /// Of a machine that was started at midnight, if its time is known.
    fn calendar(time: &str) -> Calendar {
        Calendar::of(&Incident {
            v: 1,
            id: String::new(),
            module: String::new(),
            name: String::new(),
            opened: Moment {
                time: time.to_owned(),
                uptime_ms: 0,
            },
            over: None,
            machine: Machine::default(),
            told: Vec::new(),
            told_more: 0,
            history: crate::incidents::History::default(),
            comparison: None,
            problems: Vec::new(),
            is_of_earlier_boot: false,
        })
    }

    fn names(axis: &Axis) -> Vec<String> {
        axis.ticks
            .iter()
            .map(|tick| axis.format_ext(tick))
            .collect()
    }

    #[test]
    fn times_are_round_in_utc() {
        let of = |range, calendar| names(&Axis::of_time(range, 4.0, calendar));
        let known = calendar("2026-11-28T00:00:00Z");

        assert_eq!(
            of(0.0..20.0, known),
            ["00:00:05", "00:00:10", "00:00:15", "00:00:20"]
        );
        assert_eq!(of(3000.0..20_000.0, known), ["02:00", "04:00"]);
        assert_eq!(
            of(70_000.0..110_000.0, known),
            ["21:00", "29 Nov", "03:00", "06:00"]
        );
        assert_eq!(
            of(0.0..7.0 * DAY, known),
            ["29 Nov", "1 Dec", "3 Dec", "5 Dec"]
        );
        assert_eq!(of(0.0..1000.0 * DAY, known), ["Dec 2027", "Dec 2028"]);
        assert_eq!(
            of(0.0..20_000.0, calendar("nobody knows")),
            ["2.0 h", "4.0 h"]
        );
    }

    #[test]
    fn amounts_are_powers_of_two() {
        assert_eq!(
            names(&Axis::of_bytes(0.0..5e9, 4.0)),
            ["0 B", "2 GiB", "4 GiB"]
        );
        assert_eq!(
            names(&Axis::of_bytes(-3e6..3e6, 4.0)),
            ["-2 MiB", "0 B", "2 MiB"]
        );
        assert_eq!(names(&Axis::of_bytes(7.0..7.0, 4.0)), ["7 B", "8 B"]);
    }

    #[test]
    fn no_range_makes_an_endless_axis() {
        for end in [0.0, 1.0, 1e19, 1e300, f64::MAX] {
            assert!(Axis::of_bytes(0.0..end, 8.0).ticks.len() <= 32);
            assert!(Axis::of_time(0.0..end, 8.0, calendar("")).ticks.len() <= 32);
        }
    }
}
