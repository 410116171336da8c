//! The tunable over time: the owner of its value, its raises, and the way back to its original value.

use core::fmt;
use core::time::Duration;

use adaptivemm_module_api::units::Uptime;

use crate::scale::{Scale, Setting, TUNABLE};

/// The number of scans with less need before the value is lowered: longer than a trend looks back, as the pages that
/// a raise makes kswapd reclaim blur one.
const HOLD: u32 = 12;
/// The number of scans from one step down to the next.
const STEP: u32 = 4;
/// The largest number of scans with less need, on a machine whose need comes back again and again.
const LONGEST_HOLD: u32 = 96;
/// The time after which a request that had no effect is repeated at first; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The knowledge of this module about the tunable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knob {
    setting: Setting,
    asked: Option<Scale>,
    /// The largest value that this kernel accepts, as far as is known.
    largest: Scale,
    /// The time before which nothing is asked for, because the last request had no effect.
    wait_until: Uptime,
    wait: Duration,
    /// The number of scans for which the value has been more than enough.
    calm: u32,
    /// The largest need in these.
    peak: Scale,
    hold: u32,
    /// The number of scans since the value was last lowered, or since it could not be.
    since_lowered: u32,
}

/// The change of the tunable since the last scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The daemon has given it another value.
    Taken { from: Scale, to: Scale },
    /// It still has the value before.
    NotTaken { asked: Scale },
    /// It was changed externally, and is left alone.
    Yielded { to: Scale },
    /// The administrator lets it be changed again.
    Resumed { original: Scale },
    /// It has another original value.
    Changed { from: Scale, to: Scale },
}

/// The bounds of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) ceiling: Scale,
    /// The largest value that memory allows; `None` for none.
    pub(crate) affordable: Option<Scale>,
}

/// A value to ask for, and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The need is larger than the value.
    Raise(Scale),
    /// The need has been less for several scans.
    Ease(Scale),
    /// The ceiling has come down.
    Cap(Scale),
}

impl Step {
    pub(crate) const fn value(self) -> Scale {
        match self {
            Self::Raise(value) | Self::Ease(value) | Self::Cap(value) => value,
        }
    }
}

impl Knob {
    pub(crate) const fn new(found: Setting) -> Self {
        Self {
            setting: found,
            asked: None,
            largest: Scale::LARGEST,
            wait_until: Uptime(Duration::ZERO),
            wait: FIRST_WAIT,
            calm: 0,
            peak: found.original,
            hold: HOLD,
            since_lowered: u32::MAX,
        }
    }

    pub(crate) const fn original(&self) -> Scale {
        self.setting.original
    }

    pub(crate) const fn current(&self) -> Scale {
        self.setting.value
    }

    /// True if it was changed externally, and is left alone.
    pub(crate) const fn is_yielded(&self) -> bool {
        self.setting.is_yielded
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.current() > self.original()
    }

    /// Looks at the tunable as it is now. Returns `None` if there is nothing to report.
    pub(crate) fn see(&mut self, at: Uptime, found: Setting) -> Option<Seen> {
        let before = self.setting;
        let asked = self.asked.take();
        if (found.original, found.is_yielded) != (before.original, before.is_yielded) {
            *self = Self {
                largest: self.largest.max(found.value),
                ..Self::new(found)
            };
            return match (before.is_yielded, found.is_yielded) {
                (true, true) => None,
                (false, true) => Some(Seen::Yielded { to: found.value }),
                (true, false) => Some(Seen::Resumed {
                    original: found.original,
                }),
                (false, false) => Some(Seen::Changed {
                    from: before.original,
                    to: found.original,
                }),
            };
        }
        let (from, to) = (before.value, found.value);
        if from != to {
            self.setting = found;
            self.wait = FIRST_WAIT;
            return Some(Seen::Taken { from, to });
        }
        let asked = asked?;
        if asked > Scale::LARGEST_OF_OLD && self.largest > Scale::LARGEST_OF_OLD {
            // Before 5.18 the kernel refuses these; the next request shows whether that was it.
            self.largest = Scale::LARGEST_OF_OLD;
        } else {
            self.wait_until = Uptime(at.0.saturating_add(self.wait));
            self.wait = self.wait.saturating_mul(2).min(LONGEST_WAIT);
        }
        Some(Seen::NotTaken { asked })
    }

    /// Returns the value to ask for, if any. `need` is the value that would be enough; `None` if there is no pressure.
    pub(crate) fn choose(
        &mut self,
        at: Uptime,
        need: Option<Scale>,
        bounds: Bounds,
    ) -> Option<Step> {
        let original = self.original();
        let top = bounds.ceiling.min(self.largest).max(original);
        let need = need.unwrap_or(original).clamp(original, top);
        self.since_lowered = self.since_lowered.saturating_add(1);
        if self.is_yielded() || at < self.wait_until {
            return None;
        }
        let step = self.next(need, top, bounds.affordable)?;
        self.asked = Some(step.value());
        Some(step)
    }

    fn next(&mut self, need: Scale, top: Scale, affordable: Option<Scale>) -> Option<Step> {
        if self.current() > top {
            return Some(Step::Cap(top));
        }
        let raised = affordable.map_or(self.original(), |affordable| need.min(affordable));
        if self.current().is_worth_raising_to(raised) {
            self.raise();
            return Some(Step::Raise(raised));
        }
        self.ease(need).map(Step::Ease)
    }

    fn raise(&mut self) {
        if self.since_lowered < 4 * self.hold {
            // It was lowered too early: keep it longer the next time.
            self.hold = (2 * self.hold).min(LONGEST_HOLD);
        }
        self.calm = 0;
        self.peak = self.original();
    }

    fn ease(&mut self, need: Scale) -> Option<Scale> {
        if !self.is_raised() {
            if self.since_lowered > 8 * LONGEST_HOLD {
                self.hold = HOLD;
            }
            return None;
        }
        let (current, original) = (self.current(), self.original());
        if need > original && !current.is_more_than_enough_for(need) {
            self.calm = 0;
            self.peak = original;
            return None;
        }
        self.calm += 1;
        self.peak = self.peak.max(need);
        if self.calm < self.hold {
            return None;
        }
        let lowered = current.halfway_to(self.peak);
        self.calm = self.hold - STEP;
        self.peak = original;
        self.since_lowered = 0;
        (lowered < current).then_some(lowered)
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{TUNABLE} was {}", self.current())?;
        if self.is_raised() {
            write!(f, ", originally {}", self.original())?;
        } else {
            f.write_str(", which is its original value")?;
        }
        if self.calm > 0 {
            let (calm, hold) = (self.calm, self.hold);
            write!(
                f,
                "; less was enough in the last {calm} scans, and it is lowered after {hold}"
            )?;
        }
        if self.largest < Scale::LARGEST {
            write!(f, "; this kernel accepts {} at most", self.largest)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
