//! The options of the caches of dentries and inodes.

use adaptivemm_module_api::{Config, Opt};

/// The choice between dentries and inodes, and page cache.
pub(crate) const PREFER_OBJECT_CACHING: Opt<bool> = Opt::boolean(
    "prefer-object-caching",
    true,
    "Keep dentries and inodes while they grow, at the cost of the page cache; false does the reverse",
);

/// The smallest change that is a trend.
pub(crate) const DEAD_BAND: Opt<f64> = Opt::float(
    "dead-band-percent",
    5.0,
    0.5,
    100.0,
    "Change over 8 scans that counts as a trend, in percent of the number of dentries or inodes",
);

/// The options as they are set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Options {
    pub(crate) preference: Preference,
    pub(crate) dead_band_percent: f64,
}

/// The cache to be kept in memory while it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preference {
    /// Dentries and inodes.
    Objects,
    /// The page cache.
    Pages,
}

impl Options {
    pub(crate) fn read(config: &Config<'_>) -> Self {
        Self {
            preference: if config.boolean(&PREFER_OBJECT_CACHING) {
                Preference::Objects
            } else {
                Preference::Pages
            },
            dead_band_percent: config.float(&DEAD_BAND),
        }
    }
}
