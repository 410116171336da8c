//! How much memory this process has.

use std::fs;

/// What counts as no growth: the allocator asks for some pages more when the first findings of a busy machine are told.
pub(crate) const LITTLE_KIB: u64 = 64;

/// Resident, in KiB, counted page by page: the number in `status` may be off by some hundred KiB on
/// kernels from 6.2 to 6.16, which count it per CPU.
pub(crate) fn resident_kib() -> u64 {
    kib("Rss:")
}

/// The part of it that is the program's own: its heap and stacks. Text is mapped piece by piece, when the program first
/// comes there, and what a busy machine makes it tell may be the first of its kind after hours.
pub(crate) fn own_kib() -> u64 {
    kib("Anonymous:")
}

fn kib(name: &str) -> u64 {
    let text = String::from_utf8(fs::read("/proc/self/smaps_rollup").unwrap()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}
