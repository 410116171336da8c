//! What an administrator can choose about memory pressure.

use core::time::Duration;

use adaptivemm_module_api::{Config, Opt};

use crate::sample::Share;

/// The limit of the line `some`.
pub(crate) const SOME_PERCENT: Opt<f64> = Opt::float(
    "some-percent",
    20.0,
    0.1,
    100.0,
    "Share of time in which at least one task waits for memory that is worth a warning, in percent",
);

/// The limit of the line `full`.
pub(crate) const FULL_PERCENT: Opt<f64> = Opt::float(
    "full-percent",
    5.0,
    0.1,
    100.0,
    "Share of time in which all tasks wait for memory at once that is worth a warning, in percent",
);

/// How long a limit must be exceeded.
pub(crate) const FOR_SECS: Opt<i64> = Opt::integer(
    "for-secs",
    60,
    1,
    86_400,
    "How long it must stay above its limit, and below half of it to be normal again, in seconds",
);

/// The options as they are set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// From this share on, waiting of at least one task is worth a warning.
    pub(crate) some: Share,
    /// From this share on, waiting of all tasks is worth a warning.
    pub(crate) full: Share,
    /// If it lasts this long.
    pub(crate) patience: Duration,
}

impl Options {
    pub(crate) fn read(config: &Config<'_>) -> Self {
        Self {
            some: Share::of_percent(config.float(&SOME_PERCENT)),
            full: Share::of_percent(config.float(&FULL_PERCENT)),
            patience: Duration::from_secs(config.integer(&FOR_SECS).unsigned_abs()),
        }
    }
}
