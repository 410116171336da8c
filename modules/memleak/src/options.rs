//! What an administrator can choose about leak detection.

use adaptivemm_module_api::units::Bytes;
use adaptivemm_module_api::{Config, Opt};

/// Whether the classic detector speaks up.
pub(crate) const CLASSIC: Opt<bool> = Opt::boolean(
    "classic",
    true,
    "Report slow and sudden growth of the memory that the classic formula cannot account for",
);

/// The growth below which the classic detector keeps quiet.
pub(crate) const MIN_GROWTH: Opt<f64> = Opt::float(
    "min-growth-percent",
    1.0,
    0.0,
    100.0,
    "Smallest growth that the classic formula reports, in percent of MemTotal; 0 reports any, as adaptivemm 2.1 did",
);

/// Whether the trend detector speaks up.
pub(crate) const TREND: Opt<bool> = Opt::boolean(
    "trend",
    true,
    "Report memory that grows steadily for an hour, six hours, a day or a week and never comes back",
);

/// The growth below which the trend detector sees nothing.
pub(crate) const TREND_MIN_GROWTH: Opt<i64> = Opt::integer(
    "trend-min-growth-mib",
    32,
    1,
    1 << 20,
    "Smallest growth within a horizon that is reported as a trend, in MiB, or 1/1024 of MemTotal if that is more",
);

/// How soon memory must be used up for a warning.
pub(crate) const TREND_HORIZONS_LEFT: Opt<i64> = Opt::integer(
    "trend-horizons-left",
    24,
    1,
    1000,
    "Warn if memory would run out within this many times the horizon over which it was seen to grow; more gives more \
     warnings",
);

/// Whether the jump detector speaks up.
pub(crate) const JUMP: Opt<bool> = Opt::boolean(
    "jump",
    true,
    "Report that much more memory is unaccounted for than at any time in the hour before",
);

/// The amount from which the jump detector speaks up.
pub(crate) const JUMP_MIN_GROWTH: Opt<i64> = Opt::integer(
    "jump-min-growth-mib",
    256,
    1,
    1 << 20,
    "Smallest growth within an hour that is reported as a jump, in MiB; it must also reach jump-percent",
);

/// The share of memory from which the jump detector speaks up.
pub(crate) const JUMP_PERCENT: Opt<f64> = Opt::float(
    "jump-percent",
    5.0,
    0.1,
    100.0,
    "Smallest growth within an hour that is reported as a jump, in percent of MemTotal; it must also reach \
     jump-min-growth-mib",
);

/// Whether the level detector speaks up.
pub(crate) const LEVEL: Opt<bool> = Opt::boolean(
    "level",
    true,
    "Report, once, that much memory is missing, even if it was lost before the daemon started",
);

/// The share of memory from which the level detector speaks up.
pub(crate) const LEVEL_PERCENT: Opt<f64> = Opt::float(
    "level-percent",
    10.0,
    1.0,
    100.0,
    "How much memory must be missing for that report, in percent of MemTotal",
);

/// The options as they are set.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "one for each detector")]
pub(crate) struct Options {
    pub(crate) classic: bool,
    pub(crate) min_growth_percent: f64,
    pub(crate) trend: bool,
    pub(crate) trend_min_growth: Bytes,
    pub(crate) trend_horizons_left: u32,
    pub(crate) jump: bool,
    pub(crate) jump_min_growth: Bytes,
    pub(crate) jump_percent: f64,
    pub(crate) level: bool,
    pub(crate) level_percent: f64,
}

impl Options {
    pub(crate) fn read(config: &Config<'_>) -> Self {
        Self {
            classic: config.boolean(&CLASSIC),
            min_growth_percent: config.float(&MIN_GROWTH),
            trend: config.boolean(&TREND),
            trend_min_growth: mib(config.integer(&TREND_MIN_GROWTH)),
            // The core keeps it within its range.
            trend_horizons_left: u32::try_from(config.integer(&TREND_HORIZONS_LEFT)).unwrap_or(1),
            jump: config.boolean(&JUMP),
            jump_min_growth: mib(config.integer(&JUMP_MIN_GROWTH)),
            jump_percent: config.float(&JUMP_PERCENT),
            level: config.boolean(&LEVEL),
            level_percent: config.float(&LEVEL_PERCENT),
        }
    }
}

fn mib(mib: i64) -> Bytes {
    Bytes::from_kib(u64::try_from(mib).unwrap_or_default().saturating_mul(1024))
}
