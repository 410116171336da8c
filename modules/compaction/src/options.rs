//! What an administrator can choose about compaction.

use core::time::Duration;

use adaptivemm_module_api::{Config, Opt};

/// The largest blocks that are looked after.
pub(crate) const MAX_ORDER: Opt<i64> = Opt::integer(
    "max-order",
    7,
    1,
    20,
    "Highest order of free blocks that is kept available: 2^7 pages of 4 KiB are 512 KiB, 2^9 a huge page",
);

/// At least as long lies between two compactions of a node.
pub(crate) const COOL_DOWN: Opt<i64> = Opt::integer(
    "cool-down-secs",
    60,
    10,
    86_400,
    "Time between two compactions of a node, in seconds; longer where they do not help",
);

/// The options as they are set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) max_order: u32,
    pub(crate) cool_down: Duration,
}

impl Options {
    pub(crate) fn read(config: &Config<'_>) -> Self {
        let max_order = config.integer(&MAX_ORDER);
        let cool_down = config.integer(&COOL_DOWN);
        Self {
            max_order: u32::try_from(max_order).unwrap_or(7),
            cool_down: Duration::from_secs(cool_down.unsigned_abs()),
        }
    }
}
