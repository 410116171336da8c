//! Decides when the limit is to be set, and to what value.

use core::fmt;

use adaptivemm_module_api::Tunable;
use adaptivemm_module_api::units::Bytes;

use crate::sample::{Memory, Sample};

/// The change of huge pages that is worth a new limit, as a share of their old amount.
pub(crate) const HUGEPAGES_PERCENT: f64 = 5.0;

/// The change of memory that is worth a new limit, as a share of the old amount: memory that changes by more was plugged in
/// or out; by less, the kernel initialised some of it late.
pub(crate) const MEMORY_PERCENT: f64 = 0.5;

/// The number of scans after which a request without effect is repeated; it doubles each time.
const FIRST_WAIT: u32 = 8;
const LONGEST_WAIT: u32 = 1024;

/// Decides on the limit, and keeps the memory for which it was set.
#[derive(Debug)]
pub(crate) struct Detector {
    /// The cap, in thousandths of the memory that is not in huge pages.
    cap: i64,
    set: Option<Set>,
    is_yielded: bool,
    asked: Option<Asked>,
}

/// The limit that was last wanted, and the memory that it was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) limit: i64,
    pub(crate) memory: Memory,
}

/// A change that was asked for, and has not taken effect yet.
#[derive(Debug, Clone, Copy)]
struct Asked {
    from: i64,
    /// The number of scans before it is asked for again.
    left: u32,
    wait: u32,
}

/// A limit that should be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) limit: Tunable,
    pub(crate) to: i64,
    pub(crate) cap: i64,
    pub(crate) memory: Memory,
    pub(crate) occasion: Occasion,
    /// The limit that was wanted before; `None` at the start.
    pub(crate) set: Option<Set>,
}

/// The reason why the limit should be set now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The first scan.
    Start,
    /// The administrator lets it be set again.
    Resumed,
    /// The huge pages changed since the limit was last set.
    Hugepages {
        /// Their old amount.
        before: Bytes,
    },
    /// Memory was added or removed.
    Memory {
        /// Its old amount.
        before: Bytes,
    },
    /// It was asked for, and nothing happened.
    NotTaken {
        /// The number of scans since.
        scans: u32,
    },
}

impl Detector {
    pub(crate) const fn new(cap: i64) -> Self {
        Self {
            cap,
            set: None,
            is_yielded: false,
            asked: None,
        }
    }

    /// The limit for an amount of memory: the cap is a share of the memory that is not in huge pages, the kernel's limit one
    /// of all memory.
    pub(crate) fn wanted(&self, memory: Memory) -> i64 {
        let usable = i128::from(memory.usable().get());
        let managed = i128::from(memory.managed.get()).max(1);
        let limit = i128::from(self.cap) * usable / managed;
        i64::try_from(limit).unwrap_or(100).clamp(1, 100)
    }

    /// Looks at the machine. Returns `None` if the limit may stay as it is.
    pub(crate) fn decide(&mut self, sample: &Sample) -> Option<Change> {
        let Sample { limit, memory } = *sample;
        let was_yielded = core::mem::replace(&mut self.is_yielded, limit.is_yielded);
        if self.is_yielded || was_yielded {
            (self.set, self.asked) = (None, None);
        }
        if self.is_yielded {
            return None;
        }
        let limit = limit.value;
        let wanted = self.wanted(memory);
        let start = if was_yielded {
            Occasion::Resumed
        } else {
            Occasion::Start
        };
        if let Some(occasion) = self.occasion(start, wanted, memory) {
            let before = self.set.replace(Set {
                limit: wanted,
                memory,
            });
            self.asked = (wanted != limit).then_some(Asked {
                from: limit,
                left: FIRST_WAIT,
                wait: FIRST_WAIT,
            });
            let change = self.change(sample, wanted, occasion, before);
            return self.asked.map(|_| change);
        }
        let set = self.set?;
        let scans = self.wait_is_over(limit)?;
        Some(self.change(sample, set.limit, Occasion::NotTaken { scans }, Some(set)))
    }

    fn occasion(&self, start: Occasion, wanted: i64, memory: Memory) -> Option<Occasion> {
        let Some(set) = self.set else {
            return Some(start);
        };
        let before = set.memory;
        if wanted == set.limit {
            None
        } else if has_changed(before.managed, memory.managed, MEMORY_PERCENT) {
            Some(Occasion::Memory {
                before: before.managed,
            })
        } else if has_changed(before.hugepages, memory.hugepages, HUGEPAGES_PERCENT) {
            Some(Occasion::Hugepages {
                before: before.hugepages,
            })
        } else {
            None
        }
    }

    /// Returns the number of scans since a change was asked for, if the limit has not changed and it is time to ask again.
    fn wait_is_over(&mut self, limit: i64) -> Option<u32> {
        // If the change was made, or the limit set externally, it is not asked for again.
        let mut asked = self.asked.take().filter(|asked| asked.from == limit)?;
        asked.left -= 1;
        let scans = asked.wait;
        let is_over = asked.left == 0;
        if is_over {
            asked.wait = scans.saturating_mul(2).min(LONGEST_WAIT);
            asked.left = asked.wait;
        }
        self.asked = Some(asked);
        is_over.then_some(scans)
    }

    const fn change(
        &self,
        sample: &Sample,
        to: i64,
        occasion: Occasion,
        set: Option<Set>,
    ) -> Change {
        Change {
            limit: sample.limit,
            to,
            cap: self.cap,
            memory: sample.memory,
            occasion,
            set,
        }
    }
}

/// True if an amount has changed by at least this share.
fn has_changed(before: Bytes, now: Bytes, percent: f64) -> bool {
    let change = before.saturating_sub(now).max(now.saturating_sub(before));
    change > Bytes::default() && change >= before.percent(percent)
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Memory { managed, hugepages } = self.memory;
        match self.occasion {
            Occasion::Start => f.write_str("at the start")?,
            Occasion::Resumed => f.write_str("tuning resumed")?,
            Occasion::Hugepages { before } => {
                write!(f, "huge pages changed from {before} to {hugepages}")?;
            }
            Occasion::Memory { before } => {
                write!(f, "memory changed from {before} to {managed}")?;
            }
            Occasion::NotTaken { scans } => {
                write!(
                    f,
                    "the limit is still {}, {scans} scans after a request",
                    self.limit.value
                )?;
            }
        }
        write!(
            f,
            ": {} thousandths of the {} that are not in huge pages ({hugepages}) are {} thousandths of {managed}",
            self.cap,
            self.memory.usable(),
            self.to,
        )
    }
}
