//! The allocations that are pages of programs and files. They are accounted for as long as somebody owns them, so that
//! they can explain orphans at most.

const FILES: [&str; 13] = [
    "mm/filemap.c",
    "mm/huge_memory.c",
    "mm/hugetlb.c",
    "mm/khugepaged.c",
    "mm/ksm.c",
    "mm/memfd.c",
    "mm/memory.c",
    "mm/mempolicy.c",
    "mm/migrate.c",
    "mm/readahead.c",
    "mm/secretmem.c",
    "mm/shmem.c",
    "mm/swap_state.c",
];

/// Functions of these beginnings lead there.
const FUNCTIONS: [&str; 12] = [
    "__filemap_get_folio",
    "__handle_mm_fault",
    "__read_swap_cache_async",
    "alloc_buddy_hugetlb_folio",
    "alloc_charge_folio",
    "do_anonymous_page",
    "do_read_cache_folio",
    "handle_mm_fault",
    "page_cache_ra_",
    "shmem_alloc",
    "shmem_get_folio",
    "wp_page_copy",
];

/// A file of the kernel's source.
pub(super) fn is_file(file: &str) -> bool {
    FILES.contains(&file)
}

/// A function of the kernel.
pub(super) fn is_function(name: &str) -> bool {
    FUNCTIONS.iter().any(|start| name.starts_with(start))
}
