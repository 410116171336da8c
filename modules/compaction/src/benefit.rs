//! The benefit of compaction on a node: if it helps, how fast, and when it may be tried again.

use core::time::Duration;

use adaptivemm_module_api::units::{Bytes, PageSize, Pages, Uptime};

use crate::outlook::Shortage;
use crate::sample::{Blocks, block};

/// The memory that compaction turns into large blocks in a second, until that is measured on this machine.
const USUAL: Bytes = Bytes::from_kib(100 << 10);

/// The time after which a measurement counts half.
const HALF_LIFE: Duration = Duration::from_secs(600);

/// The share of the fragmented pages that must be in large blocks afterwards for compaction to have helped.
const LEAST_SHARE: f64 = 0.05;

/// The most doublings of the cool-down: where compaction never helps, it is tried after 64 cool-downs.
const MOST_DOUBLINGS: u32 = 6;

/// The benefit of compacting a node.
#[derive(Debug, Default)]
pub(crate) struct Benefit {
    last: Option<Uptime>,
    /// The number of last compactions in a row that did not help.
    useless: u32,
    trial: Option<Trial>,
    rate: Option<Rate>,
}

/// The pages turned into large blocks per second, and the time of the measurement.
#[derive(Debug, Clone, Copy)]
struct Rate {
    pages: f64,
    at: Uptime,
}

/// A compaction whose effect is not known yet.
#[derive(Debug, Clone, Copy)]
struct Trial {
    started: Uptime,
    order: u32,
    fragmented: Pages,
    before: Pages,
    slope: f64,
    best: f64,
    best_after: Duration,
}

/// The effect of a compaction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Effect {
    pub(crate) order: u32,
    /// The pages in large blocks before.
    pub(crate) before: Pages,
    /// The most pages in large blocks above the number that the trend predicted.
    pub(crate) gained: f64,
    pub(crate) needed: f64,
    pub(crate) after: Duration,
    /// The time until the node may be compacted again, counted from the compaction.
    pub(crate) pause: Duration,
}

/// The knowledge about compactions of a node so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Record {
    /// The time since the speed was measured; `None` if it was not.
    pub(crate) measured: Option<Duration>,
    /// The time since the last compaction.
    pub(crate) last: Option<Duration>,
    /// The number of last compactions in a row that did not help.
    pub(crate) useless: u32,
    /// The time that must pass between two.
    pub(crate) pause: Duration,
}

impl Effect {
    pub(crate) fn has_helped(self) -> bool {
        self.gained >= self.needed
    }
}

impl Benefit {
    /// True if the node may be compacted.
    pub(crate) fn is_ready(&self, at: Uptime, cool_down: Duration) -> bool {
        self.trial.is_none()
            && self
                .last
                .is_none_or(|last| at.since(last) >= self.pause(cool_down))
    }

    fn pause(&self, cool_down: Duration) -> Duration {
        cool_down * (1 << self.useless.min(MOST_DOUBLINGS))
    }

    /// The knowledge about compactions of the node so far.
    pub(crate) fn record(&self, at: Uptime, cool_down: Duration) -> Record {
        Record {
            measured: self.rate.map(|rate| at.since(rate.at)),
            last: self.last.map(|last| at.since(last)),
            useless: self.useless,
            pause: self.pause(cool_down),
        }
    }

    /// The pages per second that compaction is expected to turn into large blocks: the measured number, which counts less
    /// as time passes.
    pub(crate) fn rate(&self, at: Uptime, page_size: PageSize) -> f64 {
        let usual = USUAL.as_f64() / page_size.bytes().as_f64();
        self.rate.map_or(usual, |rate| {
            let age = at.since(rate.at).as_secs_f64() / HALF_LIFE.as_secs_f64();
            usual + (rate.pages - usual) * (-age).exp2()
        })
    }

    /// Notes that the node is about to be compacted.
    pub(crate) fn begin(&mut self, at: Uptime, shortage: &Shortage, blocks: &Blocks) {
        self.last = Some(at);
        self.trial = Some(Trial {
            started: at,
            order: shortage.order,
            fragmented: shortage.fragmented,
            before: blocks.large(shortage.order),
            slope: shortage.slope,
            best: 0.0,
            best_after: Duration::ZERO,
        });
    }

    /// Notes that the node is gone: if it comes back, it says nothing about an earlier compaction.
    pub(crate) const fn abandon(&mut self) {
        self.trial = None;
    }

    /// Looks at the effect of a compaction, and draws the conclusion when the cool-down is over.
    pub(crate) fn observe(
        &mut self,
        at: Uptime,
        blocks: &Blocks,
        cool_down: Duration,
    ) -> Option<Effect> {
        let trial = self.trial.as_mut()?;
        let elapsed = at.since(trial.started);
        let predicted = trial.before.as_f64() + trial.slope * elapsed.as_secs_f64();
        let gained = blocks.large(trial.order).as_f64() - predicted.max(0.0);
        if gained > trial.best {
            (trial.best, trial.best_after) = (gained, elapsed);
        }
        if elapsed < cool_down {
            return None;
        }
        let trial = self.trial.take()?;
        Some(self.conclude(trial, at, cool_down))
    }

    fn conclude(&mut self, trial: Trial, at: Uptime, cool_down: Duration) -> Effect {
        let mut effect = Effect {
            order: trial.order,
            before: trial.before,
            gained: trial.best,
            needed: (trial.fragmented.as_f64() * LEAST_SHARE).max(block(trial.order).as_f64()),
            after: trial.best_after,
            pause: cool_down,
        };
        if effect.has_helped() {
            self.useless = 0;
            let pages = trial.best / trial.best_after.as_secs_f64().max(0.001);
            self.rate = Some(Rate { pages, at });
        } else {
            self.useless = self.useless.saturating_add(1);
        }
        effect.pause = self.pause(cool_down);
        effect
    }
}
