//! What an administrator can choose about leak detection.

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
    "Growth that is worth a classic report, in percent of MemTotal; 0 reports any, as adaptivemm 2.1 does",
);

/// Whether the level detector speaks up.
pub(crate) const LEVEL: Opt<bool> = Opt::boolean(
    "level",
    true,
    "Report, once, that much memory is exactly accounted for by nothing, however long ago it went",
);

/// The share of memory from which the level detector speaks up.
pub(crate) const LEVEL_PERCENT: Opt<f64> = Opt::float(
    "level-percent",
    10.0,
    1.0,
    100.0,
    "Unaccounted memory that is worth a level report, in percent of MemTotal",
);

/// The options as they are set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) classic: bool,
    pub(crate) min_growth_percent: f64,
    pub(crate) level: bool,
    pub(crate) level_percent: f64,
}

impl Options {
    pub(crate) fn read(config: &Config<'_>) -> Self {
        Self {
            classic: config.boolean(&CLASSIC),
            min_growth_percent: config.float(&MIN_GROWTH),
            level: config.boolean(&LEVEL),
            level_percent: config.float(&LEVEL_PERCENT),
        }
    }
}
