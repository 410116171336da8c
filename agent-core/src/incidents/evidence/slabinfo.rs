//! `/proc/slabinfo`: what each slab cache holds.

use adaptivemm_module_api::units::{PageSize, Pages};

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::{Holding, Holdings};
use super::meter::Meter;
use crate::kernel::Root;

const PATH: &str = "/proc/slabinfo";

/// Adds up caches by name: before 5.9 each control group had caches of its own, of the same names.
pub(super) fn collect(
    meter: &mut Meter<'_>,
    page_size: PageSize,
    found: &mut Holdings,
) -> Result<(), Halt> {
    let mut lines = 0;
    meter.lines(PATH, |line| {
        if let Some((name, bytes)) = cache(line, page_size) {
            lines += 1;
            found.add(Some(Class::Slab), Certainty::Exact, name, bytes);
        }
    })?;
    if lines == 0 {
        return Err(Halt::Failed(format!("{PATH}: no line is that of a cache")));
    }
    Ok(())
}

/// The name of a cache and what it holds: whole slabs, objects in use or not.
///
/// `name active objects size per-slab pages-per-slab : tunables ... : slabdata active-slabs slabs shared`
fn cache(line: &str, page_size: PageSize) -> Option<(&str, u64)> {
    let (sizes, slabs) = line.rsplit_once(": slabdata")?;
    let mut sizes = sizes.split_ascii_whitespace();
    let name = sizes.next()?;
    let pages: u64 = sizes.nth(4)?.parse().ok()?;
    let slabs: u64 = slabs.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let bytes = Pages::new(pages.saturating_mul(slabs)).bytes(page_size);
    Some((name, bytes.get()))
}

/// Returns true if the cache counts as `SReclaimable`, so that it cannot explain a growth of `SUnreclaim`.
pub(super) fn is_reclaimable(root: &Root, held: &Holding) -> bool {
    let flag = format!("/sys/kernel/slab/{}/reclaim_account", held.owner);
    match root.read(&flag) {
        Ok(text) => text.trim_ascii() == b"1",
        // A kernel without these files: by name, those that are reclaimable everywhere.
        Err(_) => is_known_reclaimable(&held.owner),
    }
}

fn is_known_reclaimable(name: &str) -> bool {
    let known = [
        "dentry",
        "inode_cache",
        "buffer_head",
        "radix_tree_node",
        "xfs_inode",
    ];
    known.contains(&name) || name.ends_with("_inode_cache") || name.starts_with("kmalloc-rcl-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<(&str, u64)> {
        cache(line, PageSize::FOUR_KIB)
    }

    #[test]
    fn a_cache_holds_whole_slabs() {
        let line = "kmalloc-1k          9184   9200   1024   16    4 : tunables    0    0    0 : slabdata    575    575      0";

        assert_eq!(parse(line), Some(("kmalloc-1k", 575 * 4 * 4096)));
    }

    #[test]
    fn lines_of_another_form_are_passed_over() {
        let refused = [
            "",
            "slabinfo - version: 2.1",
            "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>",
            "kmalloc-1k 9184 9200 1024 16 4 : tunables 0 0 0 : slabdata 575",
            "kmalloc-1k 9184 9200 1024 16 -4 : tunables 0 0 0 : slabdata 575 575 0",
            ": slabdata",
        ];

        assert_eq!(refused.map(parse), [None; 6]);
    }

    #[test]
    fn huge_numbers_do_not_wrap() {
        let line = "x 1 1 1 1 18446744073709551615 : slabdata 1 18446744073709551615 0";

        assert_eq!(parse(line), Some(("x", u64::MAX)));
    }
}
