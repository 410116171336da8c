//! The options of compaction.

use core::time::Duration;

use adaptivemm_module_api::{Config, Opt};

/// The size of the blocks that are looked after, by the three levels that the whole daemon has.
pub(crate) const AGGRESSIVENESS: Opt<i64> = Opt::integer(
    "aggressiveness",
    2,
    1,
    3,
    "Highest order of free blocks to keep available: 5, 7 or 9 for 1, 2 or 3; follows aggressiveness of [core] unless set",
);

/// The size of the blocks that are looked after, as an order.
pub(crate) const MAX_ORDER: Opt<i64> = Opt::integer(
    "max-order",
    0,
    0,
    20,
    "Highest order of free blocks to keep available, as a number: with pages of 4 KiB, 9 is a huge page of 2 MiB; \
     0 uses aggressiveness instead",
);

/// The shortest time between two compactions of a node.
pub(crate) const COOL_DOWN: Opt<i64> = Opt::integer(
    "cool-down-secs",
    60,
    10,
    86_400,
    "Shortest time between two compactions of a node, in seconds; longer where they do not help",
);

/// The options as they are set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) max_order: u32,
    pub(crate) cool_down: Duration,
}

impl Options {
    pub(crate) fn read(config: &Config<'_>) -> Self {
        let max_order = match config.integer(&MAX_ORDER) {
            0 => order_of(config.integer(&AGGRESSIVENESS)),
            order => u32::try_from(order).unwrap_or(u32::MAX),
        };
        let cool_down = config.integer(&COOL_DOWN);
        Self {
            max_order,
            cool_down: Duration::from_secs(cool_down.unsigned_abs()),
        }
    }
}

/// The highest order of a level of aggressiveness.
const fn order_of(level: i64) -> u32 {
    match level {
        ..=1 => 5,
        2 => 7,
        3.. => 9,
    }
}
