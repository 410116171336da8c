//! One amount of memory over one horizon: twelve stretches of time, and whether their floors rise.

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Bytes, Uptime};

use crate::ring::{Ring, Rise, Slopes};

/// As many of the last closes are remembered.
pub(crate) const CLOSES: usize = 5;

/// How often a rise must be seen before it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Often {
    pub(crate) hits: usize,
    /// Of the last so many closes.
    pub(crate) of: usize,
}

/// What is enough for a note, and where there is no time to lose.
pub(crate) const OFTEN: Often = Often { hits: 3, of: 4 };

/// What is enough to wake somebody.
pub(crate) const MOSTLY: Often = Often { hits: 4, of: 5 };

/// The least time between two warnings of the same growth.
const WARN_AGAIN: Duration = Duration::from_secs(24 * 3600);

/// The least time between two notes of the same growth.
const NOTE_AGAIN: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a close saw, or several of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    #[default]
    Nothing,
    /// A rise that is no danger soon.
    Note,
    /// A rise that uses up memory in foreseeable time.
    Warning,
}

/// What the floors of a horizon are held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// A rise by less is none.
    pub(crate) least: Balance,
    /// What is left to be used up.
    pub(crate) available: Bytes,
    /// Memory that lasts for longer is no danger soon.
    pub(crate) limit: Duration,
    /// A floor that is no higher is the ebb and flow of a day.
    pub(crate) to_exceed: Option<Balance>,
    /// What it takes for a warning.
    pub(crate) to_warn: Often,
}

/// A rise that was confirmed, and is news.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) grade: Grade,
    pub(crate) rise: Rise,
    pub(crate) slopes: Slopes,
    pub(crate) least: Balance,
    /// The closes that saw the rise.
    pub(crate) hits: usize,
    /// Those that were needed.
    pub(crate) needed: Often,
}

/// Twelve stretches of the same length, and the one that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Horizon {
    pub(crate) stretch: Duration,
    /// The first scan of those since which no whole stretch went by without one.
    pub(crate) since: Uptime,
    pub(crate) open: Option<Stretch>,
    pub(crate) ring: Ring,
    /// What the last closes saw, the latest last.
    pub(crate) closes: [Grade; CLOSES],
    pub(crate) told: Option<Told>,
}

/// A stretch of time that goes on. They are counted from the boot of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Stretch {
    pub(crate) number: u64,
    pub(crate) lowest: Low,
    /// Of the scans whose numbers are of one moment.
    pub(crate) lowest_steady: Option<Low>,
}

/// The least of several scans, and the last one that saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Low {
    pub(crate) level: Balance,
    pub(crate) at: Uptime,
}

/// The last alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Told {
    pub(crate) at: Uptime,
    pub(crate) grade: Grade,
    pub(crate) floor: Balance,
    /// Of the first alarm.
    pub(crate) rise: Balance,
}

impl Horizon {
    pub(crate) const fn new(stretch: Duration) -> Self {
        Self {
            stretch,
            since: Uptime(Duration::ZERO),
            open: None,
            ring: Ring::EMPTY,
            closes: [Grade::Nothing; CLOSES],
            told: None,
        }
    }

    /// The time that a full ring covers.
    pub(crate) fn length(&self) -> Duration {
        self.stretch.saturating_mul(12)
    }

    /// Takes in one scan. True if a stretch came to its end with it, and the ring has its floor.
    pub(crate) fn observe(&mut self, at: Uptime, level: Balance, is_steady: bool) -> bool {
        let number = at.0.as_secs() / self.stretch.as_secs().max(1);
        let low = Low { level, at };
        let steady = is_steady.then_some(low);
        match &mut self.open {
            Some(open) if open.number == number => {
                open.lowest = open.lowest.or_lower(low);
                open.lowest_steady = match (open.lowest_steady, steady) {
                    (Some(before), Some(now)) => Some(before.or_lower(now)),
                    (before, now) => before.or(now),
                };
                return false;
            }
            Some(_) | None => {}
        }
        let next = Stretch {
            number,
            lowest: low,
            lowest_steady: steady,
        };
        match self.open.replace(next) {
            Some(ended) if ended.number.checked_add(1) == Some(number) => {
                let Low { level, at } = ended.low();
                self.ring.push(level, at);
                true
            }
            // Nobody looked for a whole stretch, as in a suspend, or time went backwards.
            Some(_) => {
                self.ring.clear();
                self.closes = [Grade::Nothing; CLOSES];
                self.since = at;
                false
            }
            None => {
                self.since = at;
                false
            }
        }
    }

    /// The first moment of those that the ring and the stretch that goes on know of.
    pub(crate) fn remembered_since(&self) -> Option<Uptime> {
        let stretches = u64::try_from(self.ring.floors().len()).unwrap_or(u64::MAX);
        let first = self.open.as_ref()?.number.saturating_sub(stretches);
        let began = self.stretch.as_secs().saturating_mul(first);
        Some(self.since.max(Uptime(Duration::from_secs(began))))
    }

    /// Judges the ring after a close: what this close saw, and whether it makes an alarm.
    pub(crate) fn judge(&mut self, at: Uptime, bounds: &Bounds) -> (Grade, Option<Alarm>) {
        self.forget_what_went_back();
        let Some(rise) = self.ring.rise() else {
            return (Grade::Nothing, None);
        };
        let (grade, slopes) = self.grade(&rise, bounds);
        self.closes.rotate_left(1);
        self.closes[CLOSES - 1] = grade;
        if grade == Grade::Nothing {
            return (grade, None);
        }
        let confirmed = [(Grade::Warning, bounds.to_warn), (Grade::Note, OFTEN)]
            .into_iter()
            .find(|&(least, needed)| self.hits(least, needed) >= needed.hits);
        let alarm = confirmed
            .filter(|&(grade, _)| self.is_news(at, grade, &rise, bounds.least))
            .map(|(grade, needed)| Alarm {
                grade,
                rise,
                slopes,
                least: bounds.least,
                hits: self.hits(grade, needed),
                needed,
            });
        if let Some(alarm) = &alarm {
            self.told = Some(Told {
                at,
                grade: alarm.grade,
                floor: rise.to,
                rise: self.told.map_or(rise.amount(), |told| told.rise),
            });
        }
        (grade, alarm)
    }

    /// Of the last closes, those that saw this or worse.
    fn hits(&self, least: Grade, among: Often) -> usize {
        let closes = &self.closes[CLOSES - among.of..];
        closes.iter().filter(|&&seen| seen >= least).count()
    }

    fn grade(&self, rise: &Rise, bounds: &Bounds) -> (Grade, Slopes) {
        let is_high = bounds.to_exceed.is_none_or(|floor| rise.to > floor);
        if rise.amount() < bounds.least || !is_high || !rise.is_steady() {
            return (Grade::Nothing, Slopes::default());
        }
        let slopes = self.ring.slopes();
        let lasts = bounds.available.as_f64() / slopes.middle * self.stretch.as_secs_f64();
        let grade = if slopes.middle <= 0.0 {
            Grade::Nothing
        } else if lasts <= bounds.limit.as_secs_f64() {
            Grade::Warning
        } else {
            Grade::Note
        };
        (grade, slopes)
    }

    fn forget_what_went_back(&mut self) {
        let (Some(told), Some(&floor)) = (self.told, self.ring.floors().last()) else {
            return;
        };
        let fallen = i128::from(told.floor.since(floor).get());
        if fallen * 2 > i128::from(told.rise.get()) {
            self.told = None;
        }
    }

    /// Whether it was not told before, is worse than what was, or went on for long and by much since.
    fn is_news(&self, at: Uptime, grade: Grade, rise: &Rise, least: Balance) -> bool {
        let Some(told) = self.told else { return true };
        let again = match grade {
            Grade::Warning => WARN_AGAIN,
            Grade::Note | Grade::Nothing => NOTE_AGAIN,
        };
        let risen = rise.to.since(told.floor);
        let has_gone_on = risen >= least.max(Balance::new(told.rise.get() / 2));
        grade > told.grade || has_gone_on && at.since(told.at) >= again
    }
}

impl Stretch {
    pub(crate) const fn floor(self) -> Balance {
        self.low().level
    }

    pub(crate) const fn low(self) -> Low {
        match self.lowest_steady {
            Some(low) => low,
            None => self.lowest,
        }
    }
}

impl Low {
    /// The later one, if it is as low or lower.
    fn or_lower(self, later: Self) -> Self {
        if later.level <= self.level {
            later
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests;
