//! How memory stands, in one line.

use core::fmt;

use adaptivemm_module_api::units::{Balance, Bytes};

use crate::accounting::Exact;
use crate::sample::Sample;
use crate::sources::Sources;

/// How memory stands after a scan.
#[derive(Debug)]
pub(crate) struct Status<'a> {
    pub(crate) sample: &'a Sample<'a>,
    pub(crate) sources: &'a Sources,
    /// None before the first scan whose sources agreed.
    pub(crate) baseline: Option<Balance>,
}

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sample {
            total, unaccounted, ..
        } = self.sample;
        match self.sources {
            Sources::Agree(exact) => {
                accounted(f, *total, exact)?;
                write!(
                    f,
                    "; {} unaccounted (classic formula {unaccounted}",
                    exact.unaccounted
                )?;
                self.baseline(f)?;
                f.write_str(")")
            }
            Sources::Incomplete(reason) => {
                write!(
                    f,
                    "{unaccounted} of {total} not accounted for (classic formula"
                )?;
                self.baseline(f)?;
                write!(f, "); no exact accounting: {reason}")
            }
            Sources::Disagree(contradiction) => {
                write!(
                    f,
                    "no leak is looked for, because the kernel's files disagree: {contradiction}"
                )
            }
        }
    }
}

impl Status<'_> {
    fn baseline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.baseline {
            Some(baseline) => write!(f, ", baseline {baseline}"),
            None => Ok(()),
        }
    }
}

fn accounted(f: &mut fmt::Formatter<'_>, total: Bytes, exact: &Exact) -> fmt::Result {
    let parts = &exact.parts;
    write!(
        f,
        "{} of {total} accounted for (free {}, page cache {}, programs {}, ",
        parts.sum(),
        parts.free,
        parts.page_cache,
        parts.programs,
    )?;
    // Most machines have none.
    if parts.huge_pages > Bytes::default() {
        write!(f, "huge pages {}, ", parts.huge_pages)?;
    }
    write!(f, "slab {}, other kernel {})", parts.slab, parts.other)
}

#[cfg(test)]
mod tests {
    use adaptivemm_module_api::ScanError;

    use super::*;
    use crate::accounting::{Contradiction, Parts};

    const MIB: u64 = 1 << 20;

    fn status(sources: &Sources, baseline: Option<i64>) -> String {
        let sample = Sample {
            total: Bytes::new(24_064 * MIB),
            unaccounted: Balance::new(65 << 20),
            ..Sample::quiet()
        };
        let baseline = baseline.map(|mib| Balance::new(mib << 20));
        Status {
            sample: &sample,
            sources,
            baseline,
        }
        .to_string()
    }

    fn exact(huge_pages: u64) -> Sources {
        let parts = Parts {
            free: Bytes::new(23_716 * MIB),
            page_cache: Bytes::new(245 * MIB),
            programs: Bytes::new(5 * MIB),
            huge_pages: Bytes::new(huge_pages * MIB),
            slab: Bytes::new(32 * MIB),
            other: Bytes::new(18 * MIB),
        };
        let unaccounted = Bytes::new(24_064 * MIB).balance().minus(parts.sum());
        Sources::Agree(Exact {
            parts,
            unaccounted,
            ..Exact::default()
        })
    }

    #[test]
    fn tells_where_memory_is() {
        assert_eq!(
            status(&exact(0), Some(60)),
            "23.5 GiB of 23.5 GiB accounted for (free 23.2 GiB, page cache 245.0 MiB, programs 5.0 MiB, \
             slab 32.0 MiB, other kernel 18.0 MiB); 48.0 MiB unaccounted (classic formula 65.0 MiB, baseline 60.0 MiB)"
        );
    }

    #[test]
    fn names_huge_pages_where_there_are_any() {
        assert_eq!(
            status(&exact(64), Some(-3)),
            "23.5 GiB of 23.5 GiB accounted for (free 23.2 GiB, page cache 245.0 MiB, programs 5.0 MiB, \
             huge pages 64.0 MiB, slab 32.0 MiB, other kernel 18.0 MiB); -16.0 MiB unaccounted (classic formula \
             65.0 MiB, baseline -3.0 MiB)"
        );
    }

    #[test]
    fn says_why_it_knows_less() {
        let contradiction = Contradiction::Faked {
            managed: Bytes::new(64 << 30),
            total: Bytes::new(2 << 30),
        };

        assert_eq!(
            status(
                &Sources::Incomplete(ScanError::new("there is no /proc/vmstat")),
                Some(60)
            ),
            "65.0 MiB of 23.5 GiB not accounted for (classic formula, baseline 60.0 MiB); \
             no exact accounting: there is no /proc/vmstat"
        );
        assert_eq!(
            status(&Sources::Disagree(contradiction), None),
            "no leak is looked for, because the kernel's files disagree: the zones of /proc/zoneinfo \
             manage 64.0 GiB, but MemTotal is 2.0 GiB, as in a container"
        );
    }
}
