//! When waiting for memory is worth a word: a limit that is exceeded for a while, and left for a while.

use core::time::Duration;

use adaptivemm_module_api::units::Uptime;

use crate::options::Options;
use crate::sample::{Sample, Share};

/// Scans come some milliseconds early or late: 59.998 s are 60.
const JITTER: Duration = Duration::from_millis(500);

/// Compares every sample with the one before.
#[derive(Debug)]
pub(crate) struct Detector {
    before: Option<Reading>,
    some: Watch,
    full: Watch,
}

/// What is kept of a sample.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Uptime,
    some: Duration,
    full: Duration,
}

/// What a sample tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Observation {
    pub(crate) some: Conclusion,
    pub(crate) full: Conclusion,
}

/// What a sample tells about one line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Conclusion {
    /// Since the sample before; none if there is nothing to compare with.
    pub(crate) interval: Option<Interval>,
    pub(crate) event: Option<Event>,
    /// How long the limit has been exceeded, if it was told.
    pub(crate) under_pressure: Option<Duration>,
}

/// Some time, and how much of it was spent waiting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) length: Duration,
    pub(crate) stalled: Duration,
}

/// Something worth a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The limit was exceeded all this time.
    Began(Interval),
    /// Less than half of the limit for all of `calm`, after pressure for `lasted`.
    Ended { calm: Interval, lasted: Duration },
}

impl Detector {
    pub(crate) const fn new(options: Options) -> Self {
        Self {
            before: None,
            some: Watch::new(options.some, options.patience),
            full: Watch::new(options.full, options.patience),
        }
    }

    /// Looks at the machine.
    pub(crate) fn observe(&mut self, sample: &Sample<'_>) -> Observation {
        let now = Reading {
            at: sample.at,
            some: sample.some.stalled,
            full: sample.full.stalled,
        };
        let before = self.before.replace(now);
        let intervals = before.and_then(|before| intervals(before, now, sample.period));
        Observation {
            some: self.some.conclude(intervals.map(|(some, _)| some)),
            full: self.full.conclude(intervals.map(|(_, full)| full)),
        }
    }
}

/// What happened between two readings, by both lines. `None` if they cannot be compared: the machine was asleep,
/// scans were left out, or the totals started again.
fn intervals(before: Reading, now: Reading, period: Duration) -> Option<(Interval, Interval)> {
    let length = now.at.since(before.at);
    if length.is_zero() || length > period * 2 {
        return None;
    }
    let interval = |before: Duration, now: Duration| {
        let stalled = now.checked_sub(before)?;
        Some(Interval { length, stalled })
    };
    Some((
        interval(before.some, now.some)?,
        interval(before.full, now.full)?,
    ))
}

impl Interval {
    pub(crate) fn share(self) -> Share {
        Share::of_time(self.stalled, self.length)
    }

    fn extend(&mut self, by: Self) {
        self.length += by.length;
        self.stalled += by.stalled;
    }
}

/// Watches one line. Between half of the limit and the limit, things stay as they are.
#[derive(Debug)]
struct Watch {
    limit: Share,
    /// Less the jitter.
    patience: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The limit has been exceeded for this long, but not for long enough.
    Calm { above: Interval },
    /// It was told. Since then, it has been low for this long, but not for long enough.
    Pressure { lasted: Duration, below: Interval },
}

impl Watch {
    const fn new(limit: Share, patience: Duration) -> Self {
        Self {
            limit,
            patience: patience.saturating_sub(JITTER),
            state: State::CALM,
        }
    }

    fn conclude(&mut self, interval: Option<Interval>) -> Conclusion {
        let event = match interval {
            Some(interval) => self.observe(interval),
            None => {
                self.start_again();
                None
            }
        };
        Conclusion {
            interval,
            event,
            under_pressure: match self.state {
                State::Calm { .. } => None,
                State::Pressure { lasted, .. } => Some(lasted),
            },
        }
    }

    fn observe(&mut self, interval: Interval) -> Option<Event> {
        let share = interval.share();
        match &mut self.state {
            State::Calm { above } if share < self.limit => {
                *above = Interval::default();
                None
            }
            State::Calm { above } => {
                above.extend(interval);
                let above = *above;
                (above.length >= self.patience).then(|| {
                    self.state = State::pressure(above.length);
                    Event::Began(above)
                })
            }
            State::Pressure { lasted, below } if share >= self.limit.half() => {
                *lasted += below.length + interval.length;
                *below = Interval::default();
                None
            }
            State::Pressure { lasted, below } => {
                below.extend(interval);
                let (lasted, calm) = (*lasted, *below);
                (calm.length >= self.patience).then(|| {
                    self.state = State::CALM;
                    Event::Ended { calm, lasted }
                })
            }
        }
    }

    /// Forgets the time so far, of which a part is unknown. What was told stays told.
    const fn start_again(&mut self) {
        self.state = match self.state {
            State::Calm { .. } => State::CALM,
            State::Pressure { lasted, .. } => State::pressure(lasted),
        };
    }
}

impl State {
    const CALM: Self = Self::Calm {
        above: Interval {
            length: Duration::ZERO,
            stalled: Duration::ZERO,
        },
    };

    const fn pressure(lasted: Duration) -> Self {
        Self::Pressure {
            lasted,
            below: Interval {
                length: Duration::ZERO,
                stalled: Duration::ZERO,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    /// The events of a line with a limit of 20 % for 30 s, and when they came, on a machine that is scanned every
    /// 10 s and spends so many percent of them waiting.
    fn events(percents: &[u32]) -> Vec<(usize, Event)> {
        let mut watch = Watch::new(Share::of_percent(20.0), 3 * TEN);
        let mut events = Vec::new();
        for (scan, &percent) in percents.iter().enumerate() {
            let stalled = TEN * percent / 100;
            let conclusion = watch.conclude(Some(Interval {
                length: TEN,
                stalled,
            }));
            events.extend(conclusion.event.map(|event| (scan, event)));
        }
        events
    }

    fn interval(secs: u64, stalled_ms: u64) -> Interval {
        Interval {
            length: Duration::from_secs(secs),
            stalled: Duration::from_millis(stalled_ms),
        }
    }

    #[test]
    fn a_limit_that_stays_exceeded_is_told_once() {
        assert_eq!(
            events(&[20, 40, 30, 90, 90, 90, 90]),
            [(2, Event::Began(interval(30, 9_000)))]
        );
    }

    #[test]
    fn a_scan_below_the_limit_starts_the_count_again() {
        assert_eq!(events(&[90, 90, 19, 90, 90, 19, 90, 90]), []);
    }

    #[test]
    fn it_is_over_when_it_stays_below_half_of_the_limit() {
        assert_eq!(
            events(&[50, 50, 50, 50, 9, 9, 10, 15, 9, 1, 2, 0]),
            [
                (2, Event::Began(interval(30, 15_000))),
                (
                    10,
                    Event::Ended {
                        calm: interval(30, 1_200),
                        lasted: Duration::from_secs(80)
                    }
                ),
            ]
        );
    }

    #[test]
    fn it_can_come_again() {
        let kinds: Vec<usize> = events(&[50, 50, 50, 0, 0, 0, 50, 50, 50])
            .iter()
            .map(|event| event.0)
            .collect();

        assert_eq!(kinds, [2, 5, 8]);
    }

    #[test]
    fn time_that_nobody_saw_counts_neither_way() {
        let mut watch = Watch::new(Share::of_percent(20.0), 3 * TEN);
        let (high, low) = (Some(interval(10, 9_000)), Some(interval(10, 0)));
        let series = [
            high, high, None, high, high, high, low, low, None, low, low, low,
        ];

        let events = series.map(|interval| watch.conclude(interval).event.is_some());

        let told: Vec<usize> = (0..series.len()).filter(|&scan| events[scan]).collect();
        assert_eq!(told, [5, 11]);
    }

    #[test]
    fn readings_are_compared_only_if_they_are_of_neighbouring_scans_of_one_boot() {
        let reading = |secs, some, full| Reading {
            at: Uptime(Duration::from_secs(secs)),
            some: Duration::from_secs(some),
            full: Duration::from_secs(full),
        };
        let compared = |now| intervals(reading(100, 50, 20), now, TEN);

        assert_eq!(
            compared(reading(120, 60, 21)),
            Some((interval(20, 10_000), interval(20, 1_000)))
        );
        assert_eq!(compared(reading(121, 60, 21)), None);
        assert_eq!(compared(reading(100, 60, 21)), None);
        assert_eq!(compared(reading(110, 60, 19)), None);
        assert_eq!(compared(reading(110, 49, 20)), None);
    }
}
