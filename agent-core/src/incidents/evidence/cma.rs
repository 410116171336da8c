//! `/sys/kernel/mm/cma`: areas of the contiguous memory allocator.

use adaptivemm_module_api::units::{PageSize, Pages};

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;

const DIRECTORY: &str = "/sys/kernel/mm/cma";

/// Collects what was handed out and not given back, by area.
pub(super) fn collect(
    meter: &mut Meter<'_>,
    page_size: PageSize,
    found: &mut Holdings,
) -> Result<(), Halt> {
    let areas = meter.list(DIRECTORY)?;
    let mut counted = 0;
    for area in &areas {
        let taken = meter.number(&format!("{DIRECTORY}/{area}/alloc_pages_success"));
        let given_back = meter.number(&format!("{DIRECTORY}/{area}/release_pages_success"));
        if let (Some(taken), Some(given_back)) = (taken, given_back) {
            counted += 1;
            let pages = Pages::new(taken.saturating_sub(given_back));
            let owner = format!("CMA area {area}");
            let bytes = pages.bytes(page_size).get();
            found.add(Some(Class::Unaccounted), Certainty::Exact, &owner, bytes);
        }
    }
    match (areas.len(), counted) {
        (0, _) => Err(Halt::Missing),
        (_, 0) => Err(Halt::Useless(
            "this kernel does not count what is given back (release_pages_success)".to_owned(),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EvidenceBudget;
    use crate::incidents::evidence::Holding;
    use crate::kernel::{Recorded, Root};

    fn collected(files: &[(&str, &str)]) -> (Vec<Holding>, Result<(), Halt>) {
        let file = |(name, text): &(&str, &str)| {
            let path = format!("sys/kernel/mm/cma/reserved/{name}");
            (path, text.as_bytes().to_vec())
        };
        let root = Root::Recorded(files.iter().map(file).collect::<Recorded>());
        let mut found = Holdings::default();
        let mut meter = Meter::new(&root, EvidenceBudget::default(), false);
        let result = collect(&mut meter, PageSize::FOUR_KIB, &mut found);
        (found.finish().0, result)
    }

    #[test]
    fn an_area_holds_what_was_taken_and_not_given_back() {
        // The numbers are of Linux 6.12.117 with `cma=256M` (`cargo vm profiled`), but for what was given back: a
        // third.
        let (held, result) = collected(&[
            ("alloc_pages_fail", "0\n"),
            ("alloc_pages_success", "49152\n"),
            ("release_pages_success", "16384\n"),
        ]);

        assert!(result.is_ok());
        assert_eq!(
            (&*held[0].owner, held[0].bytes >> 20),
            ("CMA area reserved", 128)
        );
    }

    #[test]
    fn a_kernel_that_counts_only_what_is_taken_says_so() {
        let (_, older) = collected(&[("alloc_pages_success", "49152\n")]);
        let (_, without) = collected(&[]);

        assert!(matches!(older, Err(Halt::Useless(why)) if why.contains("release_pages_success")));
        assert!(matches!(without, Err(Halt::Missing)));
    }
}
