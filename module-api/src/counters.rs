//! The named numbers of a kernel file, with their unit in the type of the file.
#![expect(
    unsafe_code,
    reason = "reads the arrays that the core lends for the call"
)]

use core::cell::Cell;
use core::marker::PhantomData;

use crate::abi;
use crate::units::{Bytes, Pages};

/// How the names of those numbers of a meminfo file begin that count huge pages. All others are in kB.
const COUNTED: &str = "HugePages_";

/// `/proc/meminfo`, or the meminfo of a node, which has the same names.
///
/// Nearly all of it is memory, which the core has converted to [`Bytes`]. What counts huge pages is no memory, and is
/// read with [`count`](Self::count). Asking for numbers in the order of the file is fastest.
///
/// ```
/// # use adaptivemm_module_api::{Meminfo, units::Bytes};
/// fn hugepages(meminfo: &Meminfo<'_>) -> Option<Bytes> {
///     let size = meminfo.bytes("Hugepagesize")?;
///     Some(Bytes::new(size.get() * meminfo.count("HugePages_Total")?))
/// }
/// ```
///
/// Nothing in it is in pages:
///
/// ```compile_fail,E0599
/// # use adaptivemm_module_api::{Meminfo, units::Pages};
/// fn free(meminfo: &Meminfo<'_>) -> Option<Pages> {
///     meminfo.pages("MemFree")
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Meminfo<'a>(Counters<'a>);

impl<'a> Meminfo<'a> {
    /// `None` if there is no such array.
    pub(crate) fn new(seq: abi::Seq<abi::Counter>) -> Option<Self> {
        Counters::new(seq).map(Self)
    }

    /// An amount of memory, such as `MemFree`. `None` if this kernel does not have it, and for a number that counts huge
    /// pages.
    #[must_use]
    pub fn bytes(&self, key: &str) -> Option<Bytes> {
        (!key.starts_with(COUNTED))
            .then(|| self.0.get(key))?
            .map(Bytes::new)
    }

    /// How many huge pages of the default size, `Hugepagesize`, there are: `HugePages_Total`, `HugePages_Free`,
    /// `HugePages_Rsvd` or `HugePages_Surp`. `None` if this kernel does not have it, and for an amount of memory.
    #[must_use]
    pub fn count(&self, key: &str) -> Option<u64> {
        key.starts_with(COUNTED).then(|| self.0.get(key))?
    }

    /// All amounts of memory, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Bytes)> + use<'a> {
        let all = self.0.iter();
        all.filter(|(key, _)| !key.starts_with(COUNTED))
            .map(|(key, value)| (key, Bytes::new(value)))
    }

    /// All counts of huge pages, in the order of the file.
    pub fn counts(&self) -> impl Iterator<Item = (&'a str, u64)> + use<'a> {
        let all = self.0.iter();
        all.filter(|(key, _)| key.starts_with(COUNTED))
    }
}

/// `/proc/vmstat`, or what `/proc/zoneinfo` has of the same kind for a zone or a node.
///
/// Each number has a unit of its own, which the kernel does not print: most of those that begin with `nr_` are
/// [`pages`](Self::pages), and nearly all others [`count`](Self::count) events since boot. Asking for numbers in the order
/// of the file is fastest.
///
/// ```
/// # use adaptivemm_module_api::{Vmstat, units::Pages};
/// fn free(vmstat: &Vmstat<'_>) -> Option<Pages> {
///     vmstat.pages("nr_free_pages")
/// }
/// ```
///
/// Nothing in it is in bytes:
///
/// ```compile_fail,E0599
/// # use adaptivemm_module_api::{Vmstat, units::Bytes};
/// fn free(vmstat: &Vmstat<'_>) -> Option<Bytes> {
///     vmstat.bytes("nr_free_pages")
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Vmstat<'a>(Counters<'a>);

impl<'a> Vmstat<'a> {
    /// `None` if there is no such array.
    pub(crate) fn new(seq: abi::Seq<abi::Counter>) -> Option<Self> {
        Counters::new(seq).map(Self)
    }

    /// Without a number.
    pub(crate) const fn empty() -> Self {
        Self(Counters {
            seq: abi::Seq::ABSENT,
            next: Cell::new(0),
            lent: PhantomData,
        })
    }

    /// A number of pages, such as `nr_free_pages`; `None` if this kernel does not have it.
    #[must_use]
    pub fn pages(&self, key: &str) -> Option<Pages> {
        self.count(key).map(Pages::new)
    }

    /// A number as it is printed, such as that of the events `allocstall_normal`; `None` if this kernel does not have it.
    #[must_use]
    pub fn count(&self, key: &str) -> Option<u64> {
        self.0.get(key)
    }

    /// All numbers whose names begin like this: some are counted apart for each kind of zone, or by who did it.
    pub fn beginning_with<'s>(
        &self,
        start: &'s str,
    ) -> impl Iterator<Item = (&'a str, u64)> + use<'a, 's> {
        self.0.beginning_with(start)
    }

    /// All numbers as they are printed, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, u64)> + use<'a> {
        self.0.iter()
    }
}

/// Named numbers in the order of their file.
///
/// A look-up starts where the last one ended.
#[derive(Debug, Clone)]
struct Counters<'a> {
    seq: abi::Seq<abi::Counter>,
    next: Cell<usize>,
    lent: PhantomData<&'a ()>,
}

impl<'a> Counters<'a> {
    fn new(seq: abi::Seq<abi::Counter>) -> Option<Self> {
        (!seq.is_absent()).then(|| Self {
            seq,
            next: Cell::new(0),
            lent: PhantomData,
        })
    }

    /// The counter, in its own unit; `None` if this kernel does not have it.
    fn get(&self, key: &str) -> Option<u64> {
        let start = self.next.get().min(self.seq.len());
        // Most keys are of another length, and the rest of the comparison takes longer than all else.
        let has_key = |counter: &abi::Counter| {
            // SAFETY: the keys live as long as the array.
            counter.key.len == key.len() && unsafe { counter.key.bytes() } == key.as_bytes()
        };
        // SAFETY: `Snapshot::new` requires well-formed arrays, which live for `'a`.
        let (index, value) = if let Some(counters) = unsafe { self.seq.as_slice::<'a>() } {
            // The usual case, and quick: what is not there is looked for everywhere.
            let (before, after) = counters.split_at(start);
            let ahead = after.iter().position(has_key).map(|index| start + index);
            let index = ahead.or_else(|| before.iter().position(has_key))?;
            (index, counters[index].value)
        } else {
            let mut order = (start..self.seq.len()).chain(0..start);
            order.find_map(|index| {
                // SAFETY: as above.
                let counter = unsafe { self.seq.get(index) }?;
                has_key(&counter).then_some((index, counter.value))
            })?
        };
        self.next.set(index + 1);
        Some(value)
    }

    /// All counters whose names begin like this: some are counted apart for each kind of zone, or by who did it.
    fn beginning_with<'s>(
        &self,
        start: &'s str,
    ) -> impl Iterator<Item = (&'a str, u64)> + use<'a, 's> {
        elements(self.seq).filter_map(move |counter| {
            // SAFETY: the keys live as long as the array, for `'a`.
            let key: &'a [u8] = unsafe { counter.key.bytes() };
            let is_one = key.starts_with(start.as_bytes());
            // Only of those few is it worth while to look whether it is UTF-8.
            let name = is_one.then(|| core::str::from_utf8(key).unwrap_or_default())?;
            Some((name, counter.value))
        })
    }

    /// All counters.
    fn iter(&self) -> impl Iterator<Item = (&'a str, u64)> + use<'a> {
        elements(self.seq).map(|counter| {
            // SAFETY: the keys live as long as the array, for `'a`.
            let key = unsafe { counter.key.text() };
            (key.unwrap_or_default(), counter.value)
        })
    }
}

/// The elements of an array that lives for `'a`; only called with arrays of a snapshot.
pub(crate) fn elements<'a, T: abi::Versioned + 'a>(
    seq: abi::Seq<T>,
) -> impl Iterator<Item = T> + use<'a, T> {
    // SAFETY: `Snapshot::new` requires well-formed arrays, and all that is reachable from it is made here.
    (0..seq.len()).filter_map(move |index| unsafe { seq.get(index) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter of a core that knows more of it than we do.
    #[repr(C)]
    struct Longer {
        counter: abi::Counter,
        more: u64,
    }

    const VMSTAT: [(&str, u64); 4] = [
        ("nr_free_pages", 7),
        ("allocstall_dma", 1),
        ("allocstall_normal", 2),
        ("thp_fault", 3),
    ];

    fn counter((key, value): (&'static str, u64)) -> abi::Counter {
        abi::Counter {
            key: abi::Str::new(key),
            value,
        }
    }

    #[test]
    fn counters_are_found_in_any_order_however_long_the_elements_are() {
        let ours = VMSTAT.map(counter);
        let newer = ours.map(|counter| Longer { counter, more: 9 });
        let of_newer = abi::Seq {
            ptr: newer.as_ptr().cast(),
            len: 4,
            stride: abi::size_of_u32::<Longer>(),
            of: PhantomData,
        };
        let keys = [
            "thp_fault",
            "allocstall_dma",
            "nr_free_page",
            "nr_free_pages",
            "",
        ];

        let read = [abi::Seq::new(&ours), of_newer].map(|seq| {
            let counters = Counters::new(seq).unwrap();
            keys.map(|key| counters.get(key))
        });

        assert_eq!(read, [[Some(3), Some(1), None, Some(7), None]; 2]);
        assert_eq!(newer[0].more, 9);
    }

    #[test]
    fn counters_that_are_counted_apart_are_found_by_what_they_have_in_common() {
        let ours = VMSTAT.map(counter);
        let counters = Counters::new(abi::Seq::new(&ours)).unwrap();

        let stalls: Vec<_> = counters.beginning_with("allocstall").collect();

        assert_eq!(stalls, [("allocstall_dma", 1), ("allocstall_normal", 2)]);
        assert_eq!(counters.beginning_with("pgsteal").count(), 0);
    }

    #[test]
    fn what_counts_huge_pages_is_not_taken_for_memory() {
        let counters = [("MemTotal", 4096), ("HugePages_Total", 3), ("HugePages", 1)].map(counter);
        let meminfo = Meminfo::new(abi::Seq::new(&counters)).unwrap();
        let keys = ["MemTotal", "HugePages_Total", "HugePages", "HugePages_Free"];

        let bytes = keys.map(|key| meminfo.bytes(key).map(Bytes::get));
        let counts = keys.map(|key| meminfo.count(key));

        assert_eq!(bytes, [Some(4096), None, Some(1), None]);
        assert_eq!(counts, [None, Some(3), None, None]);
        let memory: Vec<_> = meminfo.iter().map(|(key, _)| key).collect();
        assert_eq!(memory, ["MemTotal", "HugePages"]);
        let counts: Vec<_> = meminfo.counts().collect();
        assert_eq!(counts, [("HugePages_Total", 3)]);
    }
}
