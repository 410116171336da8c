//! A metric over time.

use super::calendar::seconds;
use crate::incidents::History;

/// More than any machine has; with larger numbers axes would not be readable, and sums not finite.
const LARGEST: f64 = 9.0e18;

/// Seconds since boot, and a value.
pub(super) type Point = (f64, f64);

/// What is known of a metric, in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub(super) points: Vec<Point>,
}

impl Curve {
    /// `None` without a single value.
    pub(super) fn of(history: &History, metric: &str) -> Option<Self> {
        let column = history.columns.get(metric)?;
        let mut points: Vec<Point> = Vec::new();
        for (&at, value) in history.uptime_ms.iter().zip(column) {
            let at = seconds(at);
            let is_later = points.last().is_none_or(|last| last.0 < at);
            if let Some(value) = value.filter(|value| value.is_finite() && is_later) {
                points.push((at, value.clamp(-LARGEST, LARGEST)));
            }
        }
        (!points.is_empty()).then_some(Self { points })
    }

    pub(super) fn first(&self) -> Point {
        self.points[0]
    }

    pub(super) fn last(&self) -> Point {
        self.points[self.points.len() - 1]
    }

    /// What is not before `from`. The last point before it is kept, as a line comes from there.
    pub(super) fn since(&self, from: f64) -> Self {
        let begin = self.points.partition_point(|point| point.0 < from);
        let begin = begin.saturating_sub(1);
        Self {
            points: self.points[begin..].to_vec(),
        }
    }

    /// What is not after `to`, if there is anything.
    pub(super) fn until(mut self, to: f64) -> Option<Self> {
        let end = self.points.partition_point(|point| point.0 <= to);
        self.points.truncate(end);
        (!self.points.is_empty()).then_some(self)
    }

    /// The points between two moments, both included.
    pub(super) fn between(&self, from: f64, to: f64) -> &[Point] {
        let begin = self.points.partition_point(|point| point.0 < from);
        let end = self.points.partition_point(|point| point.0 <= to);
        self.points.get(begin..end).unwrap_or_default()
    }

    /// The value at a moment, or the last one before it.
    pub(super) fn value_at(&self, at: f64) -> Option<f64> {
        let end = self.points.partition_point(|point| point.0 <= at);
        self.points.get(end.checked_sub(1)?).map(|point| point.1)
    }

    pub(super) fn least(&self) -> f64 {
        self.values().fold(f64::INFINITY, f64::min)
    }

    pub(super) fn most(&self) -> f64 {
        self.values().fold(f64::NEG_INFINITY, f64::max)
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.points.iter().map(|point| point.1)
    }

    /// At most twice as many points as there are columns: the least and the most in each, so that no peak is lost.
    pub(super) fn thinned(&self, columns: usize) -> Vec<Point> {
        if self.points.len() <= 2 * columns {
            return self.points.clone();
        }
        let (from, to) = (self.first().0, self.last().0);
        let mut thinned = Vec::new();
        let mut rest = &self.points[..];
        for column in 1..=columns {
            let end = from + (to - from) * fraction(column, columns);
            let count = rest.partition_point(|point| point.0 <= end || column == columns);
            let (these, later) = rest.split_at(count);
            rest = later;
            thinned.extend(extremes(these));
        }
        thinned
    }
}

#[expect(clippy::cast_precision_loss, reason = "columns of a screen")]
fn fraction(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// The least and the most, in the order of time.
fn extremes(points: &[Point]) -> impl Iterator<Item = Point> {
    let by_value = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
    let least = points.iter().min_by(by_value).copied();
    let most = points.iter().max_by(by_value).copied();
    let (first, second) = match (least, most) {
        (Some(least), Some(most)) if most.0 < least.0 => (Some(most), Some(least)),
        (least, most) => (least, most.filter(|most| Some(*most) != least)),
    };
    first.into_iter().chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: &[Option<f64>]) -> Option<Curve> {
        let uptime_ms = (0..).map(|row| row * 1000).take(values.len()).collect();
        let columns = [("x_bytes".to_owned(), values.to_vec())].into();
        Curve::of(&History { uptime_ms, columns }, "x_bytes")
    }

    #[test]
    fn rows_without_a_number_and_times_that_do_not_rise_are_left_out() {
        let history = History {
            uptime_ms: vec![1000, 2000, 2000, 1500, 3000, 4000, 5000],
            columns: [(
                "x_bytes".to_owned(),
                vec![
                    Some(1.0),
                    Some(2.0),
                    Some(3.0),
                    Some(4.0),
                    None,
                    Some(f64::NAN),
                    Some(1e300),
                ],
            )]
            .into(),
        };

        let points = Curve::of(&history, "x_bytes").unwrap().points;

        assert_eq!(points, [(1.0, 1.0), (2.0, 2.0), (5.0, LARGEST)]);
        assert_eq!(curve(&[None, None]), None);
        assert_eq!(Curve::of(&history, "y_bytes"), None);
    }

    #[test]
    fn thinning_keeps_both_ends_and_every_peak() {
        let values: Vec<_> = (0..10_000)
            .map(|row| Some(f64::from(row % 7 + if row == 4321 { 100 } else { 0 })))
            .collect();

        let thinned = curve(&values).unwrap().thinned(50);

        assert!(thinned.len() <= 100, "{}", thinned.len());
        assert!(thinned.contains(&(4321.0, 102.0)));
        assert!(thinned.windows(2).all(|two| two[0].0 < two[1].0));
    }

    #[test]
    fn a_window_begins_with_the_point_before_it() {
        let curve = curve(&[Some(1.0), Some(2.0), Some(3.0)]).unwrap();

        assert_eq!(curve.since(1.5).points, [(1.0, 2.0), (2.0, 3.0)]);
        assert_eq!(curve.since(-1.0).points.len(), 3);
        assert_eq!(curve.since(9.0).points, [(2.0, 3.0)]);
        assert_eq!(curve.between(0.5, 2.0), [(1.0, 2.0), (2.0, 3.0)]);
        assert_eq!(curve.between(2.0, 1.0), []);
        assert_eq!(
            (curve.value_at(1.5), curve.value_at(-0.5)),
            (Some(2.0), None)
        );
    }
}
