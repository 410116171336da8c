//! What of each detector is kept. What an administrator chose is not: it may be chosen anew.

use core::iter::repeat;

use super::Kept;
use super::code::{Reader, Writer};
use adaptivemm_module_api::units::{Balance, Uptime};

use crate::accounting::{Exact, Parts};
use crate::circumstances::{Amount, Change, Circumstances, Pause};
use crate::classic::Classic;
use crate::detection::Detection;
use crate::episode::{Episode, Open};
use crate::horizon::{Grade, Horizon, Low, Stretch, Told};
use crate::incident::{Lasting, Span};
use crate::jump::{Jump, SCANS};
use crate::level::{self, Level};
use crate::ring::{LENGTH, Ring};
use crate::sample::Reading;
use crate::series::{Levels, Members};
use crate::trend::{First, Trend};

/// These fields, one after the other.
macro_rules! kept {
    ($type:ty { $($field:tt),* $(,)? }) => {
        impl Kept for $type {
            fn write(&self, to: &mut Writer<'_>) {
                $(self.$field.write(to);)*
            }

            fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
                $(self.$field.read(from)?;)*
                Some(())
            }
        }
    };
}

kept!(Detection {
    classic,
    trend,
    jump,
    level,
    episode,
    circumstances
});
kept!(Trend { series, firsts });
kept!(First { reading, last_hit });
kept!(Horizon {
    since,
    open,
    ring,
    closes,
    told
});
kept!(Stretch {
    number,
    lowest,
    lowest_steady
});
kept!(Low { level, at });
kept!(Told {
    at,
    grade,
    floor,
    rise
});
kept!(Episode {
    open,
    suspicion,
    classic
});
kept!(Lasting { 0 });
kept!(Span { since, until });
kept!(Open {
    named,
    opened,
    origin,
    members,
    grade,
    told,
    told_at,
    last_seen
});
kept!(Circumstances {
    scanned,
    pause,
    hugepages,
    total,
    balloon
});
kept!(Pause { until, lasted });
kept!(Amount { now, change });
kept!(Change { from, to, at });
kept!(Levels { 0 });
kept!(Exact {
    parts,
    unaccounted,
    orphans,
    per_cpu,
    managed
});
kept!(Parts {
    free,
    page_cache,
    programs,
    huge_pages,
    slab,
    other
});

impl Kept for Classic {
    fn write(&self, to: &mut Writer<'_>) {
        self.baseline.write(to);
        to.count(self.kept);
        self.recent.write(to);
        to.count(self.remembered);
        self.history.write(to);
        self.streak.write(to);
        self.streak_start.write(to);
        self.doublings.write(to);
        self.doubled_from.write(to);
        self.is_sudden_reported.write(to);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.baseline.read(from)?;
        self.kept = from.count(self.recent.len())?;
        self.recent.read(from)?;
        self.remembered = from.count(self.history.len())?;
        self.history.read(from)?;
        self.streak.read(from)?;
        self.streak_start.read(from)?;
        self.doublings.read(from)?;
        self.doubled_from.read(from)?;
        self.is_sudden_reported.read(from)
    }
}

impl Kept for Level {
    fn write(&self, to: &mut Writer<'_>) {
        self.since.write(to);
        self.scans.write(to);
        self.told.write(to);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.since.read(from)?;
        self.scans.read(from)?;
        self.told.read(from)?;
        (self.scans <= level::SCANS).then_some(())
    }
}

impl Kept for Jump {
    fn write(&self, to: &mut Writer<'_>) {
        to.count(self.kept);
        self.recent.write(to);
        self.told.write(to);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.kept = from.count(SCANS)?;
        self.recent.read(from)?;
        self.told.read(from)
    }
}

impl Kept for Ring {
    /// A ring takes as many bytes as a full one, so that no buffer has to grow when it fills up after days.
    fn write(&self, to: &mut Writer<'_>) {
        to.count(self.floors().len());
        let unused = repeat((Balance::default(), Uptime::default()));
        for (floor, seen) in self.seen().chain(unused).take(LENGTH) {
            floor.write(to);
            seen.write(to);
        }
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.clear();
        let kept = from.count(LENGTH)?;
        for index in 0..LENGTH {
            let (mut floor, mut seen) = (Balance::default(), Uptime::default());
            floor.read(from)?;
            seen.read(from)?;
            if index < kept {
                self.push(floor, seen);
            }
        }
        Some(())
    }
}

impl Kept for Reading {
    fn write(&self, to: &mut Writer<'_>) {
        self.at.write(to);
        self.total.write(to);
        self.hugepages.write(to);
        self.unaccounted.write(to);
        self.exact.write(to);
        self.levels.write(to);
        to.text(&self.meminfo);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.at.read(from)?;
        self.total.read(from)?;
        self.hugepages.read(from)?;
        self.unaccounted.read(from)?;
        self.exact.read(from)?;
        self.levels.read(from)?;
        self.meminfo.clear();
        self.meminfo.extend_from_slice(from.text()?);
        Some(())
    }
}

impl Kept for Grade {
    fn write(&self, to: &mut Writer<'_>) {
        to.u8(match self {
            Self::Nothing => 0,
            Self::Note => 1,
            Self::Warning => 2,
        });
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        *self = match from.u8()? {
            0 => Self::Nothing,
            1 => Self::Note,
            2 => Self::Warning,
            _ => return None,
        };
        Some(())
    }
}

impl Kept for Members {
    fn write(&self, to: &mut Writer<'_>) {
        to.u8(self.bits());
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        *self = Self::from_bits(from.u8()?)?;
        Some(())
    }
}
