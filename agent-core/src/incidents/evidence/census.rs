//! `/proc/kpageflags`: every page of the machine, by its flags. Only when asked for: it takes 25 to 50 ms per GB.

use adaptivemm_module_api::units::{PageSize, Pages};

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;

const PATH: &str = "/proc/kpageflags";

/// Bits of a page, as in `include/uapi/linux/kernel-page-flags.h`.
mod flag {
    pub(super) const UPTODATE: u64 = 1 << 3;
    pub(super) const DIRTY: u64 = 1 << 4;
    pub(super) const LRU: u64 = 1 << 5;
    pub(super) const SLAB: u64 = 1 << 7;
    pub(super) const BUDDY: u64 = 1 << 10;
    pub(super) const MMAP: u64 = 1 << 11;
    pub(super) const ANON: u64 = 1 << 12;
    pub(super) const SWAP_BACKED: u64 = 1 << 14;
    pub(super) const HEAD: u64 = 1 << 15;
    pub(super) const TAIL: u64 = 1 << 16;
    pub(super) const HUGE: u64 = 1 << 17;
    pub(super) const UNEVICTABLE: u64 = 1 << 18;
    pub(super) const NO_PAGE: u64 = 1 << 20;
    pub(super) const OFFLINE: u64 = 1 << 23;
    pub(super) const TABLE: u64 = 1 << 26;
    pub(super) const RESERVED: u64 = 1 << 32;
}

/// The kind of a page, as far as that can tell of a leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    /// Free, or accounted for in `/proc/meminfo`.
    Known,
    /// The page looks like page cache or memory of a program, but is on no list and mapped by nobody.
    OffList,
    /// The page is part of a larger block that the kernel took for itself.
    Block,
    /// Taken by the kernel for itself, and nothing more is known.
    Plain,
}

impl Page {
    const LOST: [(Self, &'static str); 3] = [
        (
            Self::Plain,
            "pages without flags: taken by the kernel, for vmalloc, stacks, or directly",
        ),
        (
            Self::Block,
            "blocks of pages without owner: taken by the kernel, directly or for large objects",
        ),
        (
            Self::OffList,
            "pages that look like page cache, but are on no list: somebody keeps references",
        ),
    ];

    fn from_flags(flags: u64) -> Self {
        let known = flag::NO_PAGE | flag::BUDDY | flag::SLAB | flag::TABLE | flag::HUGE;
        let listed = flag::LRU | flag::MMAP | flag::UNEVICTABLE;
        if flags & (known | listed | flag::OFFLINE | flag::RESERVED) != 0 {
            Self::Known
        } else if flags & (flag::UPTODATE | flag::DIRTY | flag::ANON | flag::SWAP_BACKED) != 0 {
            Self::OffList
        } else if flags & (flag::HEAD | flag::TAIL) != 0 {
            Self::Block
        } else {
            Self::Plain
        }
    }
}

/// Counts pages of each kind.
#[derive(Debug, Default)]
struct Census {
    /// The number of pages of each kind, by its place in [`Page::LOST`].
    counts: [u64; 3],
    /// The kind of the block whose pages follow.
    head: Option<Page>,
    /// The beginning of a number that the last part of the file ended with.
    rest: Vec<u8>,
}

impl Census {
    /// Numbers of 64 bits, in the byte order of the machine.
    fn count(&mut self, mut part: &[u8]) {
        if !self.rest.is_empty() {
            let missing = part.len().min(8 - self.rest.len());
            self.rest.extend_from_slice(&part[..missing]);
            part = &part[missing..];
            if let Ok(number) = <[u8; 8]>::try_from(self.rest.as_slice()) {
                self.page(u64::from_ne_bytes(number));
                self.rest.clear();
            }
        }
        let numbers = part.chunks_exact(8);
        self.rest.extend_from_slice(numbers.remainder());
        for number in numbers.filter_map(|number| number.try_into().ok()) {
            self.page(u64::from_ne_bytes(number));
        }
    }

    fn page(&mut self, flags: u64) {
        // The flags of a block are those of its first page.
        let page = match self.head {
            Some(head) if flags & flag::TAIL != 0 => head,
            _ => Page::from_flags(flags),
        };
        self.head = (flags & (flag::HEAD | flag::TAIL) != 0).then_some(page);
        if let Some(place) = Page::LOST.iter().position(|(each, _)| *each == page) {
            self.counts[place] += 1;
        }
    }
}

/// Counts the pages that are in no figure of the kernel, or may be.
pub(super) fn collect(
    meter: &mut Meter<'_>,
    page_size: PageSize,
    found: &mut Holdings,
) -> Result<(), Halt> {
    let mut census = Census::default();
    meter.bytes(PATH, |part| census.count(part))?;
    for ((_, owner), count) in Page::LOST.iter().zip(census.counts) {
        let bytes = Pages::new(count).bytes(page_size).get();
        found.add(Some(Class::Unaccounted), Certainty::AtMost, owner, bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(flags: &[u64]) -> Vec<u8> {
        flags.iter().flat_map(|flags| flags.to_ne_bytes()).collect()
    }

    #[test]
    fn pages_are_counted_however_the_file_comes_in_parts() {
        let text = bytes(&[
            0,
            flag::NO_PAGE,
            flag::HEAD,
            flag::TAIL,
            flag::TAIL,
            flag::HEAD | flag::LRU,
            flag::TAIL,
            flag::UPTODATE | flag::SWAP_BACKED,
            flag::BUDDY,
            0,
        ]);

        for size in 1..text.len() {
            let mut census = Census::default();
            text.chunks(size).for_each(|part| census.count(part));
            assert_eq!(census.counts, [2, 3, 1], "in parts of {size}");
        }
    }
}
