//! `/sys/kernel/mm/cma`: areas of the contiguous memory allocator.

use adaptivemm_module_api::units::{PageSize, Pages};

use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::{Halt, Meter};

const DIRECTORY: &str = "/sys/kernel/mm/cma";

/// What was handed out and not given back, by area.
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
