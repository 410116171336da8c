//! Units that do not mix.
//!
//! The kernel says kB, pages and bytes in files that look alike. The core converts when it parses;
//! from then on a number has a type.
//!
//! ```compile_fail
//! # use adaptivemm_module_api::units::{Bytes, Pages};
//! let _ = Pages::new(1) < Bytes::new(4096);
//! ```

use core::fmt;
use core::time::Duration;

/// A number of bytes. Files that say `kB` mean KiB and are converted on parsing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

/// A number of base pages, as in `/proc/zoneinfo` and `/proc/vmstat`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pages(u64);

/// The size of a base page: 4 KiB on x86-64, up to 64 KiB on aarch64 and ppc64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(Bytes);

/// A balance of memory in bytes, which falls below zero where the kernel counts a page twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Balance(i64);

/// Time since boot, suspended time included (`CLOCK_BOOTTIME`, the first number of `/proc/uptime`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uptime(pub Duration);

impl Bytes {
    /// `bytes` bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// As many bytes as `kib` KiB, or as many as there can be.
    #[must_use]
    pub const fn from_kib(kib: u64) -> Self {
        Self(kib.saturating_mul(1024))
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of whole KiB: what the kernel calls kB.
    #[must_use]
    pub const fn kib(self) -> u64 {
        self.0 / 1024
    }

    /// The number of bytes for a metric; exact below 8 PiB.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact below 2^53, and a metric above that"
    )]
    pub const fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// `self + other`, or the largest number there is.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self - other`, or zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// This share of the bytes; `percent` below 0 counts as 0.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates, and the share is not negative"
    )]
    pub fn percent(self, percent: f64) -> Self {
        Self((self.as_f64() * percent.max(0.0) / 100.0) as u64)
    }

    /// The same amount where it may be compared with a [`Balance`].
    #[must_use]
    pub fn balance(self) -> Balance {
        Balance(i64::try_from(self.0).unwrap_or(i64::MAX))
    }
}

impl Bytes {
    /// Tenths of the unit that is 1024 to this power, rounded; a tie goes to the even number, as with floats.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most 163840 where the unit fits"
    )]
    const fn tenths(self, unit: usize) -> u32 {
        let shift = 10 * unit;
        let (whole, part) = (self.0 >> shift, self.0 & ((1 << shift) - 1));
        let tenths = whole.saturating_mul(10) + ((part * 10) >> shift);
        let rest = (part * 10) & ((1 << shift) - 1);
        let is_up = rest * 2 + (tenths & 1) > 1 << shift;
        (tenths + is_up as u64) as u32
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        // Whole numbers and few pieces: a status line of every scan is full of amounts.
        let mut unit = (self.0.max(1).ilog2() as usize / 10).min(UNITS.len() - 1);
        let mut tenths = self.tenths(unit);
        // 1023.95 would be printed as 1024.0 of the smaller unit.
        if tenths >= 10_240 && unit + 1 < UNITS.len() {
            unit += 1;
            tenths = self.tenths(unit);
        }
        let name = UNITS[unit];
        if unit == 0 {
            return write!(f, "{} {name}", self.0);
        }
        write!(f, "{}", tenths / 10)?;
        let tenth = [
            ".0 ", ".1 ", ".2 ", ".3 ", ".4 ", ".5 ", ".6 ", ".7 ", ".8 ", ".9 ",
        ];
        f.write_str(tenth[tenths as usize % 10])?;
        f.write_str(name)
    }
}

impl Pages {
    /// `pages` pages.
    #[must_use]
    pub const fn new(pages: u64) -> Self {
        Self(pages)
    }

    /// The number of pages.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of pages for a metric or a [`trend`](crate::trend); exact below 2^53.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact below 2^53, and a metric above that"
    )]
    pub const fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// `self + other`, or the largest number there is.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self - other`, or zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The bytes in these pages, or as many as there can be.
    #[must_use]
    pub const fn bytes(self, page_size: PageSize) -> Bytes {
        Bytes(self.0.saturating_mul(page_size.0.0))
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pages", self.0)
    }
}

impl PageSize {
    /// 4 KiB: what most machines have.
    pub const FOUR_KIB: Self = Self(Bytes(4096));

    /// A page of `bytes` bytes. `None` unless it is a power of two of at least 1 KiB.
    #[must_use]
    pub const fn new(bytes: u64) -> Option<Self> {
        if bytes.is_power_of_two() && bytes >= 1024 {
            Some(Self(Bytes(bytes)))
        } else {
            None
        }
    }

    /// The bytes in one page.
    #[must_use]
    pub const fn bytes(self) -> Bytes {
        self.0
    }
}

impl Balance {
    /// `bytes` bytes; negative where more is accounted for than there is.
    #[must_use]
    pub const fn new(bytes: i64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The number of whole KiB: what the kernel calls kB.
    #[must_use]
    pub const fn kib(self) -> i64 {
        self.0 / 1024
    }

    /// The number of bytes for a metric; exact below 8 PiB.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact below 2^53, and a metric above that"
    )]
    pub const fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// What is left of this after `part` is accounted for.
    #[must_use]
    pub fn minus(self, part: Bytes) -> Self {
        Self(self.0.saturating_sub(part.balance().0))
    }

    /// How much more this is than `other`; negative if it is less.
    #[must_use]
    pub const fn since(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}", Bytes(self.0.unsigned_abs()))
    }
}

impl Uptime {
    /// The time from `earlier` until now; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_an_administrator_writes_them() {
        let shown = [
            0,
            1023,
            1024,
            1_048_575,
            1_048_576,
            25_276_510_208,
            u64::MAX,
        ]
        .map(|b| Bytes::new(b).to_string());

        assert_eq!(
            shown,
            [
                "0 B",
                "1023 B",
                "1.0 KiB",
                "1.0 MiB",
                "1.0 MiB",
                "23.5 GiB",
                "16384.0 PiB"
            ]
        );
    }

    #[test]
    fn amounts_are_rounded_as_floats_are() {
        let near = |bytes: u64| [bytes - 1, bytes, bytes + 1];
        let ties =
            (10..50).flat_map(|shift| [3_u64, 5, 13, 15, 399, 20_479].map(|n| (n << shift) / 20));
        for bytes in ties.flat_map(near).chain((1 << 10..1 << 21).step_by(7)) {
            let (mut value, mut unit) = (Bytes::new(bytes).as_f64(), 0);
            while value >= 1023.95 {
                (value, unit) = (value / 1024.0, unit + 1);
            }
            if unit > 0 {
                let unit = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"][unit];
                assert_eq!(Bytes::new(bytes).to_string(), format!("{value:.1} {unit}"));
            }
        }
    }

    #[test]
    fn a_balance_below_zero_keeps_its_sign() {
        let balance = Bytes::from_kib(1).balance().minus(Bytes::from_kib(4));

        assert_eq!(
            (balance.kib(), balance.to_string()),
            (-3, "-3.0 KiB".to_owned())
        );
    }

    #[test]
    fn pages_become_bytes_by_the_page_size_of_the_machine_they_were_read_on() {
        let arm = PageSize::new(65_536).unwrap();

        assert_eq!(Pages::new(3).bytes(arm), Bytes::from_kib(192));
        assert_eq!(Pages::new(u64::MAX).bytes(arm), Bytes::new(u64::MAX));
    }

    #[test]
    fn a_page_size_is_a_power_of_two() {
        assert_eq!([0, 512, 4095, 6144].map(PageSize::new), [None; 4]);
        assert_eq!(
            PageSize::new(16_384).map(PageSize::bytes),
            Some(Bytes::from_kib(16))
        );
    }

    #[test]
    fn a_share_is_never_negative() {
        assert_eq!(Bytes::new(1000).percent(-1.0), Bytes::new(0));
        assert_eq!(Bytes::new(1000).percent(1.5), Bytes::new(15));
    }
}
