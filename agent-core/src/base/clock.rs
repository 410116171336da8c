//! The clocks of the daemon: for the time of a scan, and for the cost of a thread.

use std::time::{Duration, Instant};

use adaptivemm_module_api::units::Uptime;
use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Time since boot, suspended time included, so that a module sees that the machine was asleep.
#[must_use]
pub fn uptime() -> Uptime {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or_default();
    Uptime(Duration::new(seconds, nanoseconds))
}

/// The time of day, to the second. It is for people; no decision depends on it.
#[must_use]
pub fn time_of_day() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The time of day in seconds since 1970, to the millisecond: for collectors of metrics.
#[must_use]
pub fn seconds_since_1970() -> f64 {
    let now = Timestamp::now().as_duration();
    (now.as_secs_f64() * 1000.0).round() / 1000.0
}

/// The current time, on the clock that scans are scheduled by. It stands still while the machine is suspended: after
/// it wakes up there is one scan within a period, not one for each that was missed.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// The time for which a processor has worked for the calling thread.
#[must_use]
pub fn thread_cpu_time() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(spent.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(spent.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}

/// A moment, by two clocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// The time of day, as in RFC 3339, in UTC.
    pub time: String,
    /// The time since boot, suspended time included, in milliseconds.
    pub uptime_ms: u64,
}

/// The times at which scans are due: a grid that does not drift.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    due: Instant,
    period: Duration,
}

impl Rhythm {
    /// Starts a grid whose first scan is due at `start`. `period` is not zero.
    #[must_use]
    pub fn new(start: Instant, period: Duration) -> Self {
        Self { due: start, period }
    }

    /// The time at which the next scan is due.
    #[must_use]
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Goes on to the next point of the grid after `now`. Those that were missed are left out.
    pub fn advance(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.due).as_nanos();
        let missed = late / self.period.as_nanos().max(1);
        let steps = u32::try_from(missed + 1).unwrap_or(u32::MAX);
        self.due = self
            .period
            .checked_mul(steps)
            .and_then(|step| self.due.checked_add(step))
            .unwrap_or(now + self.period);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_stay_on_a_grid_however_long_they_take() {
        let start = now();
        let second = Duration::from_secs(1);
        let mut rhythm = Rhythm::new(start, second);
        let mut due = Vec::new();

        for busy in [10, 950, 1000, 3500, 0] {
            rhythm.advance(rhythm.due() + Duration::from_millis(busy));
            due.push((rhythm.due() - start).as_secs());
        }

        assert_eq!(due, [1, 2, 4, 8, 9]);
    }

    #[test]
    fn time_since_boot_does_not_go_back() {
        let earlier = uptime();

        assert!(uptime() >= earlier && earlier.0 > Duration::ZERO);
    }
}
