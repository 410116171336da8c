//! The options of negative dentries.

use adaptivemm_module_api::{Config, Opt};

/// The share of memory that negative dentries may take.
pub(crate) const CAP: Opt<i64> = Opt::integer(
    "cap",
    15,
    1,
    100,
    "How much memory negative dentries may take, in thousandths of the memory that is not in huge pages",
);

/// The options as they are set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) cap: i64,
}

impl Options {
    pub(crate) fn read(config: &Config<'_>) -> Self {
        Self {
            cap: config.integer(&CAP),
        }
    }
}
