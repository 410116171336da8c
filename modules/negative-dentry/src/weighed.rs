//! The facts behind a limit, a line each, which `adaptivemmd explain` shows.

use core::fmt;

use adaptivemm_module_api::units::Balance;

use crate::detector::{Change, HUGEPAGES_PERCENT, MEMORY_PERCENT, Set};
use crate::sample::Memory;

/// Everything that led to a change.
pub(crate) struct Weighed<'a>(pub(crate) &'a Change);

impl fmt::Display for Weighed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change {
            limit,
            to,
            cap,
            memory,
            set,
            ..
        } = self.0;
        let Memory { managed, hugepages } = memory;
        let usable = memory.usable();
        writeln!(
            f,
            "of {managed} of memory, {hugepages} are in huge pages, and dentries can be in {usable}"
        )?;
        writeln!(
            f,
            "cap {cap}: {} of these; as a whole number of thousandths of all memory, at least 1, that is {to}",
            usable.percent(Balance::new(*cap).as_f64() / 10.0)
        )?;
        writeln!(
            f,
            "the limit was {}, originally {}",
            limit.value, limit.original
        )?;
        match set {
            None => f.write_str("it was not set before for an amount of memory"),
            Some(Set { limit, memory }) => write!(
                f,
                "{limit} was chosen before, for {} of memory and {} in huge pages; a change of {MEMORY_PERCENT} % of the \
                 one or {HUGEPAGES_PERCENT} % of the other counts",
                memory.managed, memory.hugepages
            ),
        }
    }
}
