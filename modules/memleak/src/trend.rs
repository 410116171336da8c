//! The detector of leaks that go on: the floor of some amount of memory rises and rises.
//!
//! Memory that is in use goes up and down, and comes back to a floor. A leak raises the floor, so that only
//! the least amount of each stretch of time counts. Four horizons, from an hour to a week, see leaks of
//! any rate between megabytes a day and gigabytes an hour.

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Bytes, Uptime};

use crate::horizon::{Alarm, Bounds, Grade, Horizon, MOSTLY, OFTEN, Stretch};
use crate::ring::Rise;
use crate::sample::{Reading, Sample};
use crate::series::{Levels, Members, Series};

/// The number of horizons.
pub(crate) const HORIZONS: usize = 4;

/// The shortest stretch.
pub(crate) const SHORTEST: Duration = Duration::from_secs(300);

/// The stretches that each of them has twelve of: 5 and 30 minutes, 2 and 14 hours.
const STRETCHES: [Duration; HORIZONS] = [
    SHORTEST,
    Duration::from_secs(1800),
    Duration::from_secs(7200),
    Duration::from_secs(50_400),
];

/// The horizon that knows the ebb and flow of a day. The shorter ones are held against it.
const DAY: usize = 2;

/// A rise is at least this share of memory.
const LEAST_SHARE: u64 = 1024;

/// The shorter horizons are trusted this much less until the day is known.
const UNTIL_DAY_IS_KNOWN: u32 = 4;

/// Without a hit for as many stretches, a rise is another one.
const SAME_RISE: u32 = 4;

/// What an administrator chose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choices {
    /// A rise by less is none.
    pub(crate) least: Bytes,
    /// Memory that lasts for so many times the horizon is no danger soon.
    pub(crate) horizons_left: u32,
}

/// Four horizons of every series.
#[derive(Debug)]
pub(crate) struct Trend {
    choices: Choices,
    pub(crate) series: [[Horizon; HORIZONS]; Series::COUNT],
    /// Of each horizon, the scan in which a rise was first seen.
    pub(crate) firsts: [First; HORIZONS],
}

/// When a rise was first seen, and how the machine was then.
#[derive(Debug)]
pub(crate) struct First {
    pub(crate) reading: Reading,
    pub(crate) last_hit: Option<Uptime>,
}

/// What a scan showed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) rising: Option<Rising>,
    /// Those that a close of this scan saw rising, confirmed or not.
    pub(crate) hits: Members,
    /// The one of them that rose most, with its horizon.
    pub(crate) hit: Option<(Series, usize, Rise)>,
    /// A rise that is not seen again within this time has come to its end.
    pub(crate) lasts: Duration,
    /// Whether a stretch of the shortest horizon ended.
    pub(crate) has_closed: bool,
}

/// A confirmed rise that is news, of one series or several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rising {
    /// The one that rose most.
    pub(crate) series: Series,
    pub(crate) horizon: usize,
    pub(crate) alarm: Alarm,
    pub(crate) members: Members,
}

impl Trend {
    pub(crate) fn new(choices: Choices) -> Self {
        Self {
            choices,
            series: core::array::from_fn(|_| STRETCHES.map(Horizon::new)),
            firsts: core::array::from_fn(|_| First {
                reading: Reading::empty(),
                last_hit: None,
            }),
        }
    }

    pub(crate) fn observe(&mut self, sample: &Sample<'_>) -> Seen {
        let mut seen = Seen::default();
        for series in Series::ALL {
            let Some(level) = sample.levels.get(series) else {
                continue;
            };
            // Sums over several files are blurred where memory moves while they are read.
            let is_steady =
                sample.is_steady || !matches!(series, Series::Unaccounted | Series::Orphans);
            for index in 0..HORIZONS {
                let horizon = &mut self.series[series as usize][index];
                if horizon.observe(sample.at, level, is_steady) {
                    seen.has_closed |= index == 0;
                    self.judge(series, index, sample, &mut seen);
                }
            }
        }
        seen
    }

    /// The floors of the latest stretch of the shortest horizon.
    pub(crate) fn floors(&self) -> Levels {
        self.levels(|horizons| horizons[0].ring.floors().last().copied())
    }

    /// The least amounts of the last hour, or of the first minutes, while there are no others.
    pub(crate) fn lowest_of_hour(&self) -> Levels {
        self.levels(|horizons| {
            let closed = horizons[0].ring.floors().iter().min().copied();
            closed.or_else(|| horizons[0].open.map(Stretch::floor))
        })
    }

    /// When unaccounted memory was last as low as it was at least in the last hour. Nobody knows of a time before the first scan.
    pub(crate) fn lowest_of_hour_at(&self) -> Option<Uptime> {
        let horizon = &self.series[Series::Unaccounted as usize][0];
        let lower = |lowest: (Balance, Uptime), floor: (Balance, Uptime)| {
            if floor.0 <= lowest.0 { floor } else { lowest }
        };
        let open = horizon.open.map(|open| (open.low().level, open.low().at));
        let lowest = horizon.ring.seen().chain(open).reduce(lower);
        lowest.map(|(_, at)| at)
    }

    /// Since when the least of unaccounted memory is known.
    pub(crate) fn remembered_since(&self) -> Option<Uptime> {
        let horizons = &self.series[Series::Unaccounted as usize];
        horizons.iter().filter_map(Horizon::remembered_since).min()
    }

    /// The least amounts that are remembered at all: of a week, if it was that long.
    pub(crate) fn lowest(&self) -> Levels {
        self.levels(least)
    }

    /// The same of one series.
    pub(crate) fn lowest_of(&self, series: Series) -> Option<Balance> {
        least(&self.series[series as usize])
    }

    /// The floors of all series at both ends of a horizon, as far as they are known.
    pub(crate) fn ends(&self, index: usize) -> (Levels, Levels) {
        let rise = |horizons: &[Horizon; HORIZONS]| horizons[index].ring.rise();
        (
            self.levels(|horizons| rise(horizons).map(|rise| rise.from)),
            self.levels(|horizons| rise(horizons).map(|rise| rise.to)),
        )
    }

    pub(crate) fn horizon(&self, series: Series, index: usize) -> &Horizon {
        &self.series[series as usize][index]
    }

    fn levels(&self, of: impl Fn(&[Horizon; HORIZONS]) -> Option<Balance>) -> Levels {
        let mut levels = Levels::default();
        for series in Series::ALL {
            levels.set(series, of(&self.series[series as usize]));
        }
        levels
    }

    fn judge(&mut self, series: Series, index: usize, sample: &Sample<'_>, seen: &mut Seen) {
        let bounds = self.bounds(series, index, sample);
        let (grade, alarm) = self.series[series as usize][index].judge(sample.at, &bounds);
        if grade == Grade::Nothing {
            return;
        }
        seen.hit(
            series,
            index,
            self.series[series as usize][index].ring.rise(),
        );
        self.firsts[index].keep(sample, STRETCHES[index]);
        // What is no danger soon after hours may be none at all.
        let is_told = |alarm: &Alarm| alarm.grade == Grade::Warning || index >= DAY;
        if let Some(alarm) = alarm.filter(is_told) {
            let rising = Rising {
                series,
                horizon: index,
                alarm,
                members: Members::of(series),
            };
            seen.rising = Some(seen.rising.map_or(rising, |other| other.with(rising)));
        }
    }

    fn bounds(&self, series: Series, index: usize, sample: &Sample<'_>) -> Bounds {
        let horizons = &self.series[series as usize];
        let day = &horizons[DAY].ring;
        let limit = horizons[index]
            .length()
            .saturating_mul(self.choices.horizons_left);
        let (limit, to_exceed) = if index >= DAY {
            (limit, None)
        } else if day.is_full() {
            (limit, day.floors().iter().max().copied())
        } else {
            (limit / UNTIL_DAY_IS_KNOWN, None)
        };
        let share = Bytes::new(sample.total.get() / LEAST_SHARE);
        Bounds {
            least: self.choices.least.max(share).balance(),
            available: sample.available,
            limit,
            to_exceed,
            // What is that fast cannot wait; what is slower has time to be sure.
            to_warn: if index == 0 { OFTEN } else { MOSTLY },
        }
    }
}

fn least(horizons: &[Horizon; HORIZONS]) -> Option<Balance> {
    let floors = horizons.iter().flat_map(|horizon| horizon.ring.floors());
    let open = horizons.iter().filter_map(|horizon| horizon.open.as_ref());
    floors.copied().chain(open.map(|open| open.floor())).min()
}

/// From the first to the last floor of a horizon.
pub(crate) fn length(horizon: usize) -> Duration {
    STRETCHES[horizon].saturating_mul(11)
}

impl Seen {
    fn hit(&mut self, series: Series, index: usize, rise: Option<Rise>) {
        self.hits = self.hits.and(Members::of(series));
        self.lasts = self.lasts.max(STRETCHES[index].saturating_mul(SAME_RISE));
        let amount = |rise: &Rise| rise.amount();
        let most = self.hit.as_ref().map(|(_, _, rise)| amount(rise));
        if let Some(rise) = rise.filter(|rise| Some(amount(rise)) > most) {
            self.hit = Some((series, index, rise));
        }
    }
}

impl First {
    fn keep(&mut self, sample: &Sample<'_>, stretch: Duration) {
        let is_same_rise = self
            .last_hit
            .is_some_and(|last| sample.at.since(last) <= stretch.saturating_mul(SAME_RISE));
        if !is_same_rise {
            self.reading.keep(sample);
        }
        self.last_hit = Some(sample.at);
    }
}

impl Rising {
    /// Both as one: the worse of them, or the one that rose by more.
    fn with(self, other: Self) -> Self {
        let rank = |rising: &Self| (rising.alarm.grade, rising.alarm.rise.amount());
        let lead = if rank(&other) > rank(&self) {
            other
        } else {
            self
        };
        Self {
            members: self.members.and(other.members),
            ..lead
        }
    }

    /// The time that the rise took.
    pub(crate) fn length(&self) -> Duration {
        length(self.horizon)
    }
}

#[cfg(test)]
mod tests;
