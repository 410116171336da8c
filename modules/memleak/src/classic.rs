//! The seed's detector: memory that its formula cannot account for grows steadily, or doubles.

use adaptivemm_module_api::units::{Balance, Bytes};

use crate::sample::{Reading, Sample};

/// As many scans in a row with growth are a slow leak.
const SLOW_SCANS: u32 = 10;

/// A sudden leak doubles within as many scans.
pub(crate) const SUDDEN_SCANS: u32 = 3;

/// It is seen in as many scans in a row: memory that changes hands, as while many programs are killed or the
/// kernel sets up huge pages, is in no figure for a scan.
const SUDDEN_CONFIRMED: u32 = 2;

/// Looks at the unaccounted memory of each scan and remembers a few scans before it.
///
/// Growth is a ratio, so nothing has grown that was not above zero before. The formula counts mlocked
/// memory twice and can stay below zero on machines with much of it; the exact accounting sees those.
#[derive(Debug)]
pub(crate) struct Classic {
    min_growth_percent: f64,
    pub(crate) baseline: Option<Balance>,
    /// The latest scan and the `SUDDEN_SCANS` before it, the latest first; the first `kept` are valid.
    pub(crate) recent: [Reading; 4],
    pub(crate) kept: usize,
    /// The unaccounted memory of the scans of a streak, the latest last; as many are valid as were kept.
    pub(crate) history: [Balance; SLOW_SCANS as usize + 1],
    pub(crate) remembered: usize,
    /// Scans in a row with growth.
    pub(crate) streak: u32,
    /// The scan from which the streak grew.
    pub(crate) streak_start: Reading,
    /// Scans in a row that found memory doubled since the same one.
    pub(crate) doublings: u32,
    /// That one.
    pub(crate) doubled_from: Reading,
    pub(crate) is_sudden_reported: bool,
}

/// What a scan showed.
#[derive(Debug)]
pub(crate) struct Verdict<'a> {
    /// The least unaccounted memory of any scan so far.
    pub(crate) baseline: Balance,
    pub(crate) is_baseline_lower: bool,
    /// What was unaccounted for a scan ago, if it changed by more than a tenth since.
    pub(crate) changed_from: Option<Balance>,
    pub(crate) slow: Option<Growth<'a>>,
    pub(crate) sudden: Option<Growth<'a>>,
}

/// Growth that may be a leak.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth<'a> {
    pub(crate) from: &'a Reading,
    pub(crate) now: &'a Reading,
    /// From the one to the other.
    pub(crate) scans: u32,
    /// The unaccounted memory of the last scans, the latest last.
    pub(crate) history: &'a [Balance],
    pub(crate) baseline: Balance,
}

impl Growth<'_> {
    /// By how much.
    pub(crate) const fn amount(&self) -> Balance {
        self.now.unaccounted.since(self.from.unaccounted)
    }
}

impl Classic {
    /// A detector that reports no growth below this share of `MemTotal`.
    pub(crate) fn new(min_growth_percent: f64) -> Self {
        Self {
            min_growth_percent,
            baseline: None,
            recent: core::array::from_fn(|_| Reading::empty()),
            kept: 0,
            history: [Balance::default(); SLOW_SCANS as usize + 1],
            remembered: 0,
            streak: 0,
            streak_start: Reading::empty(),
            doublings: 0,
            doubled_from: Reading::empty(),
            is_sudden_reported: false,
        }
    }

    /// The least unaccounted memory so far.
    pub(crate) const fn baseline(&self) -> Option<Balance> {
        self.baseline
    }

    /// Looks at one scan.
    pub(crate) fn observe(&mut self, sample: &Sample<'_>) -> Verdict<'_> {
        let now = sample.unaccounted;
        let before = self.previous().map(|previous| previous.unaccounted);
        let changed_from = before.filter(|&before| has_changed(before, now));
        let is_baseline_lower = self.baseline.is_some_and(|baseline| now < baseline);
        let baseline = self.baseline.map_or(now, |baseline| baseline.min(now));
        self.baseline = Some(baseline);

        if self
            .previous()
            .is_some_and(|previous| is_break(previous, sample))
        {
            self.start_again();
        }
        self.count_growth(now);
        self.remember(sample);
        let least = sample.total.percent(self.min_growth_percent).balance();
        let slow = self.judge_slow(least);
        let sudden = self.judge_sudden(least);

        let growth = |from, scans: u32| Growth {
            from,
            now: &self.recent[0],
            scans,
            history: self.last(scans as usize + 1),
            baseline,
        };
        Verdict {
            baseline,
            is_baseline_lower,
            changed_from,
            slow: slow.map(|scans| growth(&self.streak_start, scans)),
            sudden: sudden.map(|scans| growth(&self.doubled_from, scans)),
        }
    }

    /// Forgets the streak and the scans before, but not the baseline: the next scan cannot be
    /// compared with them.
    pub(crate) const fn start_again(&mut self) {
        self.kept = 0;
        self.remembered = 0;
        self.streak = 0;
        self.doublings = 0;
        self.is_sudden_reported = false;
    }

    /// The unaccounted memory of the last `count` scans, or of as many as are remembered.
    fn last(&self, count: usize) -> &[Balance] {
        &self.history[self.history.len() - self.remembered.min(count)..]
    }

    fn previous(&self) -> Option<&Reading> {
        self.recent[..self.kept].first()
    }

    fn count_growth(&mut self, now: Balance) {
        let Some(previous) = self.recent[..self.kept].first() else {
            return;
        };
        if !has_grown(previous.unaccounted, now) {
            self.streak = 0;
            return;
        }
        if self.streak == 0 {
            self.streak_start.copy_from(previous);
        }
        self.streak = self.streak.saturating_add(1);
    }

    fn remember(&mut self, sample: &Sample<'_>) {
        self.recent.rotate_right(1);
        self.recent[0].keep(sample);
        self.kept = self.recent.len().min(self.kept + 1);
        self.history.rotate_left(1);
        self.history[SLOW_SCANS as usize] = sample.unaccounted;
        self.remembered = self.history.len().min(self.remembered + 1);
    }

    /// The number of scans in a streak that is long enough and grew enough; it ends with that.
    ///
    /// A long streak that has not grown enough yet goes on. If it started again, each part of the growth
    /// would have to reach the minimum by itself.
    fn judge_slow(&mut self, least: Balance) -> Option<u32> {
        let growth = self.recent[0]
            .unaccounted
            .since(self.streak_start.unaccounted);
        let streak = self.streak;
        if streak < SLOW_SCANS || growth < least {
            return None;
        }
        self.streak = 0;
        Some(streak)
    }

    /// The number of scans in which memory doubled, grew enough, and stayed so, if this is news.
    ///
    /// A doubling that has not grown enough yet goes on, for as many scans as it took. If it started
    /// again, a leak that takes a few scans would be told only if it doubles twice.
    fn judge_sudden(&mut self, least: Balance) -> Option<u32> {
        let [now, .., before] = &self.recent;
        let now = now.unaccounted;
        let has_doubled_now =
            self.kept == self.recent.len() && has_doubled(before.unaccounted, now);
        if self.doublings > 0 {
            let goes_on = has_doubled(self.doubled_from.unaccounted, now);
            self.doublings = if goes_on {
                self.doublings.saturating_add(1)
            } else {
                0
            };
        }
        if self.doublings > SUDDEN_SCANS {
            self.doublings = 0;
        }
        if !has_doubled_now && self.doublings == 0 {
            self.is_sudden_reported = false;
            return None;
        }
        if self.doublings == 0 && !self.is_sudden_reported && !self.is_after_dip(now) {
            self.doubled_from.copy_from(before);
            self.doublings = 1;
        }
        let growth = now.since(self.doubled_from.unaccounted);
        if self.doublings == 0 || self.doublings < self.doublings_needed() || growth < least {
            return None;
        }
        self.is_sudden_reported = true;
        let scans = SUDDEN_SCANS + self.doublings - 1;
        self.doublings = 0;
        Some(scans)
    }

    /// Whether memory has doubled only since a scan in which some was counted twice.
    fn is_after_dip(&self, now: Balance) -> bool {
        let around = [2, SUDDEN_SCANS as usize + 1].map(|scans| self.last(scans + 1));
        let has_doubled = |last: &[Balance], scans| last.len() > scans && has_doubled(last[0], now);
        let [after, before] = around;
        self.doublings_needed() > 1
            && !has_doubled(after, 2)
            && !has_doubled(before, SUDDEN_SCANS as usize + 1)
    }

    /// The seed to the letter needs one.
    fn doublings_needed(&self) -> u32 {
        if self.min_growth_percent > 0.0 {
            SUDDEN_CONFIRMED
        } else {
            1
        }
    }
}

/// Whether so much happened between two scans that comparing them says nothing about leaks: the
/// machine slept, got or lost memory, or its pools of huge pages were changed.
fn is_break(previous: &Reading, sample: &Sample<'_>) -> bool {
    let elapsed = sample.at.since(previous.at).saturating_mul(2);
    // No period is known to a core that says 0.
    let is_late = !sample.period.is_zero() && elapsed > sample.period.saturating_mul(5);
    is_late || is_resized(previous.total, sample.total) || previous.hugepages != sample.hugepages
}

/// Whether the machine's memory changed by more than 0.5 %.
fn is_resized(before: Bytes, now: Bytes) -> bool {
    let before = i128::from(before.get());
    (i128::from(now.get()) - before).abs() * 200 > before
}

/// Whether this is more than a tenth more; exactly a tenth is not.
fn has_grown(before: Balance, now: Balance) -> bool {
    let (before, now) = (i128::from(before.get()), i128::from(now.get()));
    before > 0 && now * 10 > before * 11
}

/// Whether this is more than twice as much; exactly twice is not.
fn has_doubled(before: Balance, now: Balance) -> bool {
    let (before, now) = (i128::from(before.get()), i128::from(now.get()));
    before > 0 && now > before * 2
}

/// Whether the difference is more than a tenth, up or down.
fn has_changed(before: Balance, now: Balance) -> bool {
    let (before, now) = (i128::from(before.get()), i128::from(now.get()));
    (now - before).abs() * 10 > before.abs()
}

#[cfg(test)]
mod tests;
