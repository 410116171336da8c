//! Huge pages that are being set up. Newer kernels (seen on 6.12) take them off the free lists one by one, and count them
//! in `nr_hugepages` only once all are there: meanwhile they are in no figure. `htlb_buddy_alloc_success` of
//! `/proc/vmstat` tells, as it counts each of them at once.

use adaptivemm_module_api::units::Bytes;

use crate::sample::Sample;

/// It does not take longer. Without a limit, a program that always gets and gives back huge pages would hide leaks.
const LONGEST: u32 = 20;

/// Whether huge pages are being set up.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    /// Of the scan before: huge pages that were ever allocated, and those in the pools.
    before: Option<(u64, Bytes)>,
    /// Scans in a row in which it went on.
    scans: u32,
}

impl Setup {
    /// Looks at a scan: whether some were allocated since the one before that the pools do not have.
    pub(crate) fn goes_on(&mut self, sample: &Sample<'_>) -> bool {
        let now = (sample.hugepages_allocated, sample.hugepages);
        let before = self.before.replace(now);
        let is_missing = before.is_some_and(|before| now.0 > before.0 && now.1 <= before.1);
        self.scans = if is_missing {
            self.scans.saturating_add(1)
        } else {
            0
        };
        is_missing && self.scans <= LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it goes on in each of these scans: huge pages that were allocated, and MiB in the pools.
    fn goes_on(scans: &[(u64, u64)]) -> Vec<bool> {
        let mut setup = Setup::default();
        let scans = scans.iter().map(|&(hugepages_allocated, mib)| Sample {
            hugepages_allocated,
            hugepages: Bytes::from_kib(mib << 10),
            ..Sample::quiet()
        });
        scans.map(|sample| setup.goes_on(&sample)).collect()
    }

    #[test]
    fn it_goes_on_until_the_pool_has_the_pages() {
        assert_eq!(
            goes_on(&[(0, 0), (5, 0), (30, 0), (50, 100), (50, 100)]),
            [false, true, true, false, false]
        );
    }

    #[test]
    fn pages_that_the_pool_has_at_once_are_no_setup() {
        assert_eq!(goes_on(&[(7, 0), (12, 10), (13, 12)]), [false; 3]);
    }

    #[test]
    fn whoever_always_gets_and_gives_back_huge_pages_hides_nothing_for_long() {
        let scans: Vec<_> = (0..40).map(|scan| (scan, 100)).collect();

        let hidden = goes_on(&scans).into_iter().filter(|goes_on| *goes_on);

        assert_eq!(hidden.count(), 20);
    }
}
