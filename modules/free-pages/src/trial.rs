//! Judges if raising the value helped.

use core::fmt;
use core::time::Duration;

use adaptivemm_module_api::trend::{Window, of_count};
use adaptivemm_module_api::units::Uptime;

use crate::node::SCANS;
use crate::sample::Sample;
use crate::scale::Scale;

/// The number of raises in a row without help after which the value is not raised for a while.
const FAILURES: u32 = 2;
const FIRST_PAUSE: Duration = Duration::from_secs(600);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// The load of the machine, per second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rates {
    /// Allocations that had to wait.
    pub(crate) stalls: f64,
    /// Pages that tasks had to reclaim themselves.
    pub(crate) direct: f64,
    /// Pages that were used.
    pub(crate) used: f64,
    /// The share of the time in which some task waited for memory, in percent; `None` if the kernel does not tell.
    pub(crate) waiting: Option<f64>,
}

/// The recent load of the machine.
#[derive(Debug)]
struct History {
    stalls: Window,
    direct: Window,
    used: Window,
    waited: Window,
}

/// A raise that is being judged.
#[derive(Debug)]
struct Trial {
    from: Scale,
    to: Scale,
    before: Rates,
    history: History,
    failures: u32,
}

/// The result of a raise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) from: Scale,
    pub(crate) to: Scale,
    pub(crate) before: Rates,
    pub(crate) after: Rates,
    /// The time that `after` is about.
    pub(crate) span: Duration,
    pub(crate) effect: Effect,
    /// True if tasks waited for memory much longer than before, under the same load.
    pub(crate) is_costly: bool,
}

/// The effect of a raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// There were no stalls and there are none.
    NoStalls,
    /// There are less than half as many, for as many pages that are used.
    Helped,
    /// There were none before, so there is nothing to compare with.
    Unclear,
    /// There are more than half as many.
    NoHelp,
    /// It did not help once too often: the value is not raised for this time.
    BackedOff(Duration),
}

/// Judges raises, one after another.
#[derive(Debug)]
pub(crate) struct Judge {
    history: History,
    trial: Option<Trial>,
    pause: Duration,
    paused_until: Uptime,
    /// The time until which it is not raised further, as the last raise was costly.
    capped_until: Uptime,
}

/// The knowledge about raises so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Record {
    /// The raise that is being judged: the value before, the value after, the load before, and the number of times that it
    /// did not help.
    trial: Option<(Scale, Scale, Rates, u32)>,
    /// The time for which nothing is raised.
    pub(crate) paused: Option<Duration>,
    /// The time for which it is not raised further.
    pub(crate) capped: Option<Duration>,
}

impl History {
    fn new(scans: usize) -> Self {
        Self {
            stalls: Window::new(scans),
            direct: Window::new(scans),
            used: Window::new(scans),
            waited: Window::new(scans),
        }
    }

    fn push(&mut self, sample: &Sample) {
        let free: f64 = sample.nodes.iter().map(|node| node.free.as_f64()).sum();
        let counts = sample.counts;
        self.stalls.push(sample.at, of_count(counts.stalls));
        self.direct.push(sample.at, of_count(counts.direct));
        self.used.push(sample.at, of_count(counts.reclaimed) - free);
        match sample.waited {
            Some(waited) => self.waited.push(sample.at, waited.0.as_secs_f64()),
            None => self.waited.clear(),
        }
    }

    fn rates(&self) -> Rates {
        Rates {
            stalls: mean(&self.stalls),
            direct: mean(&self.direct),
            used: mean(&self.used),
            waiting: (self.waited.len() == self.stalls.len()).then(|| mean(&self.waited) * 100.0),
        }
    }
}

/// The mean growth per second; 0 for a counter that started over.
fn mean(window: &Window) -> f64 {
    let seconds = window.span().as_secs_f64();
    let first = window.samples().next();
    match (first, window.latest()) {
        (Some((_, first)), Some(last)) if seconds > 0.0 => ((last - first) / seconds).max(0.0),
        _ => 0.0,
    }
}

impl Judge {
    pub(crate) fn new() -> Self {
        Self {
            history: History::new(SCANS),
            trial: None,
            pause: FIRST_PAUSE,
            paused_until: Uptime::default(),
            capped_until: Uptime::default(),
        }
    }

    /// Starts over for a value that is no longer ours; the load of the machine is kept.
    pub(crate) fn start_over(&mut self) {
        let history = core::mem::replace(&mut self.history, History::new(SCANS));
        *self = Self {
            history,
            ..Self::new()
        };
    }

    pub(crate) fn record(&self, at: Uptime) -> Record {
        let trial = self.trial.as_ref();
        Record {
            trial: trial.map(|trial| (trial.from, trial.to, trial.before, trial.failures)),
            paused: time_left(at, self.paused_until),
            capped: time_left(at, self.capped_until),
        }
    }

    pub(crate) fn stalls(&self) -> f64 {
        mean(&self.history.stalls)
    }

    pub(crate) fn raised(&mut self, from: Scale, to: Scale) {
        let trial = self.trial.take().unwrap_or_else(|| Trial {
            from,
            to,
            before: self.history.rates(),
            history: History::new(SCANS),
            failures: 0,
        });
        self.trial = Some(Trial {
            to,
            history: History::new(SCANS),
            ..trial
        });
    }

    /// Looks at a scan. A verdict is given once enough of them have passed since a raise.
    pub(crate) fn observe(&mut self, sample: &Sample) -> Option<Verdict> {
        self.history.push(sample);
        let trial = self.trial.as_mut()?;
        trial.history.push(sample);
        if !trial.history.stalls.is_full() {
            return None;
        }
        let after = trial.history.rates();
        let mut verdict = Verdict {
            from: trial.from,
            to: trial.to,
            before: trial.before,
            after,
            span: trial.history.stalls.span(),
            effect: effect(trial.before, after),
            is_costly: is_costly(trial.before, after),
        };
        trial.history = History::new(SCANS);
        match verdict.effect {
            Effect::NoStalls | Effect::Helped => {
                self.trial = None;
                self.pause = FIRST_PAUSE;
                if verdict.is_costly {
                    self.capped_until = Uptime(sample.at.0.saturating_add(FIRST_PAUSE));
                }
            }
            Effect::Unclear => trial.before = after,
            Effect::NoHelp | Effect::BackedOff(_) => {
                trial.failures += 1;
                if trial.failures >= FAILURES {
                    self.trial = None;
                    verdict.effect = Effect::BackedOff(self.pause);
                    self.paused_until = Uptime(sample.at.0.saturating_add(self.pause));
                    self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
        Some(verdict)
    }
}

fn time_left(at: Uptime, until: Uptime) -> Option<Duration> {
    (at < until).then(|| until.since(at))
}

/// The stalls for each page that is used: under more load more pages are used, and more allocations have to wait.
fn stalls_per_page(rates: Rates) -> f64 {
    rates.stalls / rates.used.max(1.0)
}

fn effect(before: Rates, after: Rates) -> Effect {
    if after.stalls == 0.0 {
        if before.stalls == 0.0 {
            Effect::NoStalls
        } else {
            Effect::Helped
        }
    } else if before.stalls == 0.0 {
        Effect::Unclear
    } else if stalls_per_page(after) <= stalls_per_page(before) / 2.0 {
        Effect::Helped
    } else {
        Effect::NoHelp
    }
}

/// True if tasks waited twice as long for as many pages, and for one percent of the time more: less than that is chance.
fn is_costly(before: Rates, after: Rates) -> bool {
    let (Some(waiting), Some(now)) = (before.waiting, after.waiting) else {
        return false;
    };
    let more_used = (after.used / before.used.max(1.0)).max(1.0);
    now >= waiting + 1.0 && now > 2.0 * waiting * more_used
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stalls,
            direct,
            used,
            waiting,
        } = self;
        write!(
            f,
            "{stalls:.1} allocation stalls/s, {direct:.0} pages/s of direct reclaim, {used:.0} pages/s used"
        )?;
        match waiting {
            Some(percent) => write!(
                f,
                ", some task waiting for memory {percent:.1} % of the time"
            ),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.trial {
            None => f.write_str("no raise is being judged")?,
            Some((from, to, before, failures)) => {
                write!(
                    f,
                    "the raise from {from} to {to} is being judged; before it: {before}"
                )?;
                if failures > 0 {
                    write!(f, "; it has not helped {failures} of {FAILURES} times")?;
                }
            }
        }
        if let Some(left) = self.paused {
            write!(
                f,
                "; raising has not helped, so nothing is raised for {} s",
                left.as_secs()
            )?;
        }
        if let Some(left) = self.capped {
            write!(
                f,
                "; the last raise made tasks wait longer, so it is not raised further for {} s",
                left.as_secs()
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
