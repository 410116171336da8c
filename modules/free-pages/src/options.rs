//! The options of free pages.

use core::time::Duration;

use adaptivemm_module_api::units::Bytes;
use adaptivemm_module_api::{Config, Opt};

use crate::scale::Scale;

/// The limit of the value, by the three levels that the whole daemon has.
pub(crate) const AGGRESSIVENESS: Opt<i64> = Opt::integer(
    "aggressiveness",
    2,
    1,
    3,
    "Ceiling for vm.watermark_scale_factor: 400, 700 or 1000 for 1, 2 or 3; follows aggressiveness of [core] unless set",
);

/// The limit of the value, as an amount of memory.
pub(crate) const MAX_GAP: Opt<f64> = Opt::float(
    "max-gap-gib",
    0.0,
    0.0,
    65_536.0,
    "Ceiling as an amount of memory: the largest gap between the low and the high watermark, in GiB; 0 uses \
     aggressiveness instead",
);

/// The time that the gap must last.
pub(crate) const LEAD: Opt<f64> = Opt::float(
    "lead-secs",
    1.0,
    0.1,
    60.0,
    "Time that kswapd needs to get ahead, in seconds: the gap holds the pages that are used in it",
);

/// The options as they are set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) limit: Limit,
    pub(crate) lead: Duration,
}

/// The limit of the value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// A level of aggressiveness.
    Level(i64),
    Gap(Bytes),
}

impl Options {
    pub(crate) fn read(config: &Config<'_>) -> Self {
        let gap = config.float(&MAX_GAP);
        let limit = if gap > 0.0 {
            Limit::Gap(Bytes::new(1 << 30).percent(gap * 100.0))
        } else {
            Limit::Level(config.integer(&AGGRESSIVENESS))
        };
        Self {
            limit,
            lead: Duration::from_secs_f64(config.float(&LEAD)),
        }
    }
}

/// The largest value of a level of aggressiveness.
pub(crate) fn largest_of(level: i64) -> Scale {
    let value = match level {
        ..=1 => 400,
        2 => 700,
        3.. => 1000,
    };
    Scale::new(value).unwrap_or(Scale::SMALLEST)
}
