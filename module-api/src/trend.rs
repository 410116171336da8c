//! Where a number is heading: samples with the times at which they were taken, the line through them, and
//! when it reaches a value.
//!
//! Times are those of the snapshots, so a scan that came late or not at all does not bend the line. A slope is
//! in the unit of the samples **per second**. Whatever goes in, no `NaN` and no infinity comes out.
//!
//! ```
//! use core::time::Duration;
//! use adaptivemm_module_api::trend::Window;
//! use adaptivemm_module_api::units::{Pages, Uptime};
//!
//! let mut free = Window::new(8);
//! for (seconds, pages) in [(10, 9_000), (20, 8_000), (50, 5_000)] {
//!     free.push(Uptime(Duration::from_secs(seconds)), Pages::new(pages).as_f64());
//! }
//! let now = Uptime(Duration::from_secs(50));
//! let line = free.line().unwrap();
//!
//! assert!((line.slope() + 100.0).abs() < 1e-9);
//! assert_eq!(line.time_to_reach(2_000.0, now).map(|left| left.as_secs()), Some(30));
//! assert_eq!(line.time_to_reach(9_000.0, now), None, "it is heading away from there");
//! ```

use core::time::Duration;
use std::collections::VecDeque;

use crate::units::Uptime;

/// Larger values count as this one, so that no sum and no product of them overflows.
const LARGEST: f64 = 1e100;

/// The last samples of a number, oldest first, each with the time at which it was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    samples: VecDeque<(Uptime, f64)>,
    capacity: usize,
}

/// The line through the samples of a [`Window`] from which their squared distances are least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    start: Uptime,
    /// The middle of the samples, in seconds from `start`: there the line is at their mean.
    middle: f64,
    mean: f64,
    slope: f64,
}

/// How fast a counter of events grows from one scan to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    last: Option<(Uptime, u64)>,
}

impl Window {
    /// Keeps the last `capacity` samples, and at least two: fewer are no trend.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(2);
        Self {
            samples: VecDeque::with_capacity(capacity),
            capacity,
        }
    }

    /// Adds a sample; the oldest makes room for it.
    ///
    /// A second sample of the same time replaces the first. If time went backwards, the window starts over: what
    /// is in it belongs to another clock. A value that is not a number is no sample.
    pub fn push(&mut self, at: Uptime, value: f64) {
        if value.is_nan() {
            return;
        }
        match self.samples.back() {
            Some(&(last, _)) if last > at => self.samples.clear(),
            Some(&(last, _)) if last == at => {
                self.samples.pop_back();
            }
            Some(_) | None => {}
        }
        if self.samples.len() == self.capacity {
            self.samples.pop_front();
        }
        self.samples.push_back((at, value.clamp(-LARGEST, LARGEST)));
    }

    /// Starts over if the latest sample is more than `longest` old by `now`, as after a suspend.
    pub fn forget_after_gap(&mut self, now: Uptime, longest: Duration) {
        let last = self.samples.back();
        if last.is_some_and(|&(last, _)| now.since(last) > longest) {
            self.samples.clear();
        }
    }

    /// Starts over.
    pub fn clear(&mut self) {
        self.samples.clear();
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Whether the next sample replaces the oldest.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.samples.len() == self.capacity
    }

    /// The time and value of every sample, oldest first.
    #[must_use]
    pub fn samples(&self) -> impl DoubleEndedIterator<Item = (Uptime, f64)> + '_ {
        self.samples.iter().copied()
    }

    /// The value of the latest sample.
    #[must_use]
    pub fn latest(&self) -> Option<f64> {
        self.samples.back().map(|&(_, value)| value)
    }

    /// The time from the oldest sample to the latest.
    #[must_use]
    pub fn span(&self) -> Duration {
        match (self.samples.front(), self.samples.back()) {
            (Some(&(first, _)), Some(&(last, _))) => last.since(first),
            _ => Duration::ZERO,
        }
    }

    /// The line through the samples. `None` with fewer than two of them.
    #[must_use]
    pub fn line(&self) -> Option<Line> {
        let &(start, _) = self.samples.front()?;
        if self.samples.len() < 2 {
            return None;
        }
        let seconds = |at: Uptime| at.since(start).as_secs_f64();
        let count = of_count(self.samples.len() as u64);
        let middle = self.samples().map(|(at, _)| seconds(at)).sum::<f64>() / count;
        let mean = self.samples().map(|(_, value)| value).sum::<f64>() / count;
        let (mut spread, mut both) = (0.0, 0.0);
        for (at, value) in self.samples() {
            let time = seconds(at) - middle;
            spread += time * time;
            both += time * (value - mean);
        }
        (spread > 0.0).then(|| Line {
            start,
            middle,
            mean,
            slope: both / spread,
        })
    }
}

impl Line {
    /// The change per second, in the unit of the samples; negative where they fall.
    #[must_use]
    pub const fn slope(&self) -> f64 {
        self.slope
    }

    /// Where the line is at that time, before, between or after the samples.
    #[must_use]
    pub fn at(&self, time: Uptime) -> f64 {
        let seconds = if time >= self.start {
            time.since(self.start).as_secs_f64()
        } else {
            -self.start.since(time).as_secs_f64()
        };
        self.mean + self.slope * (seconds - self.middle)
    }

    /// How long after `now` the line is at `value`. `None` if it is level, or was there before.
    #[must_use]
    pub fn time_to_reach(&self, value: f64, now: Uptime) -> Option<Duration> {
        time_to_close(value - self.at(now), self.slope)
    }

    /// How long after `now` the two lines cross. `None` if they run side by side, or crossed before.
    #[must_use]
    pub fn time_to_meet(&self, other: &Self, now: Uptime) -> Option<Duration> {
        time_to_close(other.at(now) - self.at(now), self.slope - other.slope)
    }
}

impl Rate {
    /// Events per second since the scan before. `None` at first, if no time passed, and if the counter or the time
    /// went backwards.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use adaptivemm_module_api::{trend::Rate, units::Uptime};
    /// let mut rate = Rate::default();
    /// let after = |seconds| Uptime(Duration::from_secs(seconds));
    ///
    /// let rates = [(10, 5_000), (20, 6_000), (30, 0), (50, 40)].map(|(time, count)| rate.next(after(time), count));
    ///
    /// assert_eq!(rates, [None, Some(100.0), None, Some(2.0)]);
    /// ```
    pub fn next(&mut self, at: Uptime, count: u64) -> Option<f64> {
        let (before, counted) = self.last.replace((at, count))?;
        let events = count.checked_sub(counted)?;
        let seconds = at.since(before).as_secs_f64();
        (seconds > 0.0).then(|| of_count(events) / seconds)
    }
}

/// A count as a sample; exact below 2^53.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "exact below 2^53, and a trend needs no more above that"
)]
pub const fn of_count(count: u64) -> f64 {
    count as f64
}

/// The time until a distance that shrinks by so much per second is zero. `None` if it never is, or not in the
/// time that a [`Duration`] can hold.
fn time_to_close(distance: f64, per_second: f64) -> Option<Duration> {
    if distance == 0.0 {
        return Some(Duration::ZERO);
    }
    // Dividing by zero is an infinity, which is refused like what is negative or too long.
    Duration::try_from_secs_f64(distance / per_second).ok()
}

#[cfg(test)]
mod tests;
