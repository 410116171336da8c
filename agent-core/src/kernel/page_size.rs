//! The size of a base page of the machine that is read, which need not be the one we run on.

use adaptivemm_module_api::units::PageSize;

use super::meminfo::Meminfo;
use super::root::Root;
use super::vmstat::Vmstat;

/// Counters that both files have, one in kB and one in pages. Those that move least come first.
const BOTH: [(&str, &str); 6] = [
    ("PageTables", "nr_page_table_pages"),
    ("Mapped", "nr_mapped"),
    ("Shmem", "nr_shmem"),
    ("AnonPages", "nr_anon_pages"),
    ("SUnreclaim", "nr_slab_unreclaimable"),
    ("MemFree", "nr_free_pages"),
];

/// The size of a page: on a live machine the kernel says it. No file of a tree says it, but two files count the same
/// things in kB and in pages. Where that does not help, the size of the machine we run on is taken.
pub(super) fn read(root: &Root) -> PageSize {
    let here = PageSize::new(rustix::param::page_size() as u64).unwrap_or(PageSize::FOUR_KIB);
    if root.is_live() {
        here
    } else {
        from_counters(root).unwrap_or(here)
    }
}

fn from_counters(root: &Root) -> Option<PageSize> {
    let mut meminfo = Meminfo::default();
    meminfo.update(&root.read("/proc/meminfo").ok()?).ok()?;
    let mut vmstat = Vmstat::default();
    vmstat.update(&root.read("/proc/vmstat").ok()?).ok()?;
    BOTH.iter().find_map(|(kilobytes, pages)| {
        let bytes = meminfo.bytes(kilobytes)?.get();
        let pages = vmstat.get(pages)?;
        // With fewer pages, a change of some pages between the two files would look like another size.
        (pages >= 16).then_some(())?;
        PageSize::new((bytes / pages + bytes / pages / 2 + 1).next_power_of_two() / 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Recorded;

    fn page_size(meminfo: &str, vmstat: &str) -> Option<u64> {
        let files = [("proc/meminfo", meminfo), ("proc/vmstat", vmstat)];
        let recorded: Recorded = files
            .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
            .into();
        from_counters(&Root::Recorded(recorded)).map(|size| size.bytes().kib())
    }

    #[test]
    fn it_follows_from_what_two_files_count() {
        assert_eq!(
            page_size("PageTables: 4000 kB\n", "nr_page_table_pages 1000\n"),
            Some(4)
        );
        assert_eq!(
            page_size("PageTables: 4200 kB\n", "nr_page_table_pages 1000\n"),
            Some(4)
        );
        assert_eq!(
            page_size("PageTables: 3900 kB\n", "nr_page_table_pages 1000\n"),
            Some(4)
        );
        assert_eq!(
            page_size(
                "PageTables: 64 kB\nMapped: 64000 kB\n",
                "nr_page_table_pages 1\nnr_mapped 1000\n"
            ),
            Some(64)
        );
    }

    #[test]
    fn it_stays_unknown_where_nothing_tells() {
        assert_eq!(page_size("MemTotal: 4000 kB\n", "nr_mapped 1000\n"), None);
    }
}
