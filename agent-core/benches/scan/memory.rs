//! How much memory this process has.

use std::fs;

/// What counts as no growth. The kernel maps the file of a program in pieces of up to 64 KiB, when it
/// first runs there; the first finding on a busy machine may be such a moment.
pub(crate) const PIECE_KIB: u64 = 64;

/// Resident, in KiB, counted page by page: the number in `status` may be off by some hundred KiB on
/// kernels from 6.2 to 6.16, which count it per CPU.
pub(crate) fn resident_kib() -> u64 {
    let text = String::from_utf8(fs::read("/proc/self/smaps_rollup").unwrap()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}
