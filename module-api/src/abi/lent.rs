//! Memory of the other side: strings, arrays and structures that are lent for the length of a call.

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// A type that may be shorter on the other side than it is here.
///
/// # Safety
///
/// `repr(C)`, valid when all bytes are zero, and free of padding that the other side could leave
/// uninitialised. It starts with `struct_size: u32` unless it is only ever an element of a [`Seq`].
pub unsafe trait Versioned: Copy {
    /// The size it had in the oldest version that is still understood.
    const MIN_SIZE: usize;
}

/// Larger than any structure will ever be; a size above it is garbage.
const MAX_SIZE: usize = 64 * 1024;
/// Longer than any string or kernel file, in bytes; a length above it is garbage.
const MAX_LENGTH: usize = 256 << 20;

/// Copies the part of a structure that both sides know; the rest is zero. `None` if it is too short.
///
/// # Safety
///
/// `from` is null or points to `size` readable bytes.
#[must_use]
pub unsafe fn read_prefix<T: Versioned>(from: *const u8, size: usize) -> Option<T> {
    if from.is_null() || size < T::MIN_SIZE {
        return None;
    }
    if size >= size_of::<T>() {
        // The usual case, and a copy whose length the compiler knows: a look-up makes hundreds.
        // SAFETY: `from` has that many readable bytes, and the producer wrote a `T` or a longer one.
        return Some(unsafe { from.cast::<T>().read_unaligned() });
    }
    let mut copy = MaybeUninit::<T>::zeroed();
    // SAFETY: `from` has `size` readable bytes, `copy` has room for more.
    unsafe { core::ptr::copy_nonoverlapping(from, copy.as_mut_ptr().cast::<u8>(), size) };
    // SAFETY: zero is valid for a `Versioned` type, and the producer wrote the rest.
    Some(unsafe { copy.assume_init() })
}

/// Copies a structure that starts with its own size. `None` if it is null, too short or garbage.
///
/// # Safety
///
/// `from` is null or points to a structure whose first `u32` is its size in bytes.
#[must_use]
pub unsafe fn read_sized<T: Versioned>(from: *const T) -> Option<T> {
    if from.is_null() {
        return None;
    }
    // SAFETY: every sized structure starts with a `u32`.
    let size = unsafe { from.cast::<u32>().read() } as usize;
    if size > MAX_SIZE {
        return None;
    }
    // SAFETY: the producer vouches for `size` bytes.
    unsafe { read_prefix(from.cast(), size) }
}

/// The size of `T` for a `struct_size` or `stride` member.
///
/// # Panics
///
/// When compiled, for a type that is larger than any reader accepts.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "no structure is larger than `MAX_SIZE`"
)]
pub const fn size_of_u32<T>() -> u32 {
    assert!(
        size_of::<T>() <= MAX_SIZE,
        "a structure is larger than any reader accepts"
    );
    size_of::<T>() as u32
}

/// A counted UTF-8 string that belongs to the producer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    /// Not terminated; null if there is no string.
    pub ptr: *const u8,
    /// In bytes.
    pub len: usize,
}

// SAFETY: a `Str` is only dereferenced through its unsafe methods, whose callers vouch for the memory.
unsafe impl Send for Str {}
// SAFETY: as above.
unsafe impl Sync for Str {}

impl Str {
    /// No string.
    pub const ABSENT: Self = Self {
        ptr: core::ptr::null(),
        len: 0,
    };

    /// Points to `text`.
    #[must_use]
    pub const fn new(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// Points to the bytes of a kernel file, which need not be UTF-8.
    #[must_use]
    pub const fn of_bytes(bytes: &[u8]) -> Self {
        Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// Points to `bytes`; absent if there are none.
    #[must_use]
    pub const fn of_any(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            Self::ABSENT
        } else {
            Self::of_bytes(bytes)
        }
    }

    /// Whether it claims to have bytes, but not where: whoever made it made a mistake.
    #[must_use]
    pub const fn is_broken(self) -> bool {
        self.ptr.is_null() && self.len > 0
    }

    /// Whether it claims to be longer than anything is: its length is garbage, and it must not be read.
    #[must_use]
    pub const fn is_absurd(self) -> bool {
        self.len > MAX_LENGTH
    }

    /// The bytes; empty if absent, and if the length is garbage.
    ///
    /// # Safety
    ///
    /// The producer's bytes live and stay unchanged for `'a`.
    #[inline]
    #[must_use]
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() || self.len == 0 || self.is_absurd() {
            return &[];
        }
        // SAFETY: not null, not larger than an object can be, and the caller vouches for the rest.
        unsafe { core::slice::from_raw_parts(self.ptr, self.len) }
    }

    /// The text; `None` if it is not UTF-8.
    ///
    /// # Safety
    ///
    /// As for [`Str::bytes`].
    #[inline]
    #[must_use]
    pub unsafe fn text<'a>(self) -> Option<&'a str> {
        // SAFETY: the caller's promise is the same.
        core::str::from_utf8(unsafe { self.bytes() }).ok()
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Str({:?}, {})", self.ptr, self.len)
    }
}

// SAFETY: `repr(C)` and valid when zeroed: a null `Str` is absent.
unsafe impl Versioned for Str {
    const MIN_SIZE: usize = size_of::<Self>();
}

// SAFETY: any bits are a `u64`.
unsafe impl Versioned for u64 {
    const MIN_SIZE: usize = size_of::<Self>();
}

/// An array whose element size is the producer's. A null pointer means that there is no array, which
/// is not the same as an empty one.
#[repr(C)]
pub struct Seq<T> {
    /// The first element; null if there is no array.
    pub ptr: *const u8,
    /// How many elements.
    pub len: u32,
    /// From one element to the next, in bytes.
    pub stride: u32,
    /// What the elements are.
    pub of: PhantomData<*const T>,
}

impl<T> Clone for Seq<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Seq<T> {}

// SAFETY: a `Seq` is only dereferenced through `get`, whose callers vouch for the memory.
unsafe impl<T> Send for Seq<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Seq<T> {}

impl<T> fmt::Debug for Seq<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Seq({:?}, {} of {} bytes)",
            self.ptr, self.len, self.stride
        )
    }
}

impl<T> Seq<T> {
    /// No array.
    pub const ABSENT: Self = Self {
        ptr: core::ptr::null(),
        len: 0,
        stride: 0,
        of: PhantomData,
    };

    /// Points to `elements`; to the first 2^32 - 1 of them if there are more.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the length is capped in the same line"
    )]
    pub const fn new(elements: &[T]) -> Self {
        let len = if elements.len() > u32::MAX as usize {
            u32::MAX
        } else {
            elements.len() as u32
        };
        Self {
            ptr: elements.as_ptr().cast(),
            len,
            stride: size_of_u32::<T>(),
            of: PhantomData,
        }
    }

    /// Whether there is no array, as opposed to an empty one.
    #[must_use]
    pub const fn is_absent(self) -> bool {
        self.ptr.is_null()
    }

    /// Whether it claims to have elements, but not where: whoever made it made a mistake.
    #[must_use]
    pub const fn is_broken(self) -> bool {
        self.ptr.is_null() && self.len > 0
    }

    /// Whether its elements claim to be larger than any structure is: their size is garbage, and none must be read.
    #[must_use]
    pub const fn is_absurd(self) -> bool {
        self.stride as usize > MAX_SIZE
    }

    /// The number of elements.
    #[must_use]
    pub const fn len(self) -> usize {
        if self.ptr.is_null() {
            0
        } else {
            self.len as usize
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl<T: Versioned> Seq<T> {
    /// Element `index`; `None` past the end, or where the size of the producer's elements is too short or garbage.
    ///
    /// # Safety
    ///
    /// The producer's array is alive and has `len` elements `stride` bytes apart.
    #[must_use]
    pub unsafe fn get(self, index: usize) -> Option<T> {
        if index >= self.len() || self.is_absurd() {
            return None;
        }
        let stride = self.stride as usize;
        let offset = index.checked_mul(stride)?;
        // SAFETY: `index < len`, so the element lies within the producer's array.
        let element = unsafe { self.ptr.add(offset) };
        // SAFETY: an element has `stride` readable bytes.
        unsafe { read_prefix(element, stride) }
    }

    /// All elements where they are; `None` if the producer's are of another size, or not aligned as ours.
    ///
    /// # Safety
    ///
    /// As for [`Seq::get`], and the array stays unchanged for `'a`.
    #[inline]
    #[must_use]
    pub unsafe fn as_slice<'a>(self) -> Option<&'a [T]> {
        let start = self.ptr.cast::<T>();
        let is_ours = self.stride as usize == size_of::<T>() && start.is_aligned();
        if self.is_absent() || !is_ours {
            return None;
        }
        // SAFETY: not null, aligned, and the caller vouches for the elements.
        Some(unsafe { core::slice::from_raw_parts(start, self.len()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{Config, Hugepages};

    #[test]
    fn a_shorter_structure_of_an_older_producer_reads_as_absent_beyond_its_end() {
        let pools = [[2u64 << 20, 7], [1 << 30, 1]];
        let older = Seq::<Hugepages> {
            ptr: pools.as_ptr().cast(),
            len: 2,
            stride: 16,
            of: PhantomData,
        };
        // SAFETY: `pools` outlives the sequence and has two elements of 16 bytes.
        let second = unsafe { older.get(1) }.map(|pool| (pool.size, pool.count));

        let mut config = Config {
            struct_size: 8,
            pad: 0,
            settings: Seq::ABSENT,
            state: Str::ABSENT,
        };
        // SAFETY: `config` is alive and at least 8 bytes long.
        let too_short = unsafe { read_sized(&raw const config) }.is_none();
        config.struct_size = u32::MAX;
        // SAFETY: a size that is garbage is refused before anything else is read.
        let garbage = unsafe { read_sized(&raw const config) }.is_none();

        assert_eq!(
            (second, too_short, garbage),
            (Some((1 << 30, 1)), true, true)
        );
    }

    #[test]
    fn elements_that_grew_are_read_by_the_producers_stride() {
        let newer = [[4096u64, 1, 99], [8192, 2, 99]];
        let seq = Seq::<Hugepages> {
            ptr: newer.as_ptr().cast(),
            len: 2,
            stride: 24,
            of: PhantomData,
        };

        // SAFETY: `newer` outlives the sequence and has two elements of 24 bytes.
        let counts = [0, 1, 2].map(|i| unsafe { seq.get(i) }.map(|pool| pool.count));

        assert_eq!(counts, [Some(1), Some(2), None]);
    }

    #[test]
    fn elements_whose_size_is_garbage_are_not_read() {
        let pool = [4096u64, 1];
        for stride in [65_537, 1 << 31, u32::MAX] {
            let seq = Seq::<Hugepages> {
                ptr: pool.as_ptr().cast(),
                len: 2,
                stride,
                of: PhantomData,
            };

            // SAFETY: nothing is read of elements of such a size.
            let read = [0, 1].map(|index| unsafe { seq.get(index) }.is_some());

            assert_eq!((read, seq.is_absurd()), ([false, false], true), "{stride}");
        }
    }

    #[test]
    fn a_string_whose_length_is_garbage_is_not_read() {
        for len in [MAX_LENGTH + 1, usize::MAX / 2, usize::MAX] {
            let text = Str {
                ptr: "text".as_ptr(),
                len,
            };

            // SAFETY: nothing is read of a string of such a length.
            let bytes = unsafe { text.bytes() };

            assert_eq!((bytes, text.is_absurd()), (b"".as_slice(), true), "{len}");
        }
    }

    #[test]
    fn an_absent_array_is_not_an_empty_one() {
        let empty = Seq::<u64>::new(&[]);

        assert_eq!(
            (
                Seq::<u64>::ABSENT.is_absent(),
                empty.is_absent(),
                empty.len()
            ),
            (true, false, 0)
        );
    }
}
