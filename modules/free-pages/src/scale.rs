//! `vm.watermark_scale_factor` as a unit.

use core::fmt;

use adaptivemm_module_api::Tunable;
use adaptivemm_module_api::units::Pages;

/// The name of the tunable.
pub(crate) const TUNABLE: &str = "vm.watermark_scale_factor";

/// The number of parts of managed memory.
const WHOLE: f64 = 10_000.0;

/// A value of `vm.watermark_scale_factor`: the gap between two watermarks, in parts of 10 000 of managed memory.
/// Never 0, which no kernel accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scale(i64);

impl Scale {
    pub(crate) const SMALLEST: Self = Self(1);
    /// The largest value that kernels accept since 5.18.
    pub(crate) const LARGEST: Self = Self(3000);
    /// The largest value that they accepted before.
    pub(crate) const LARGEST_OF_OLD: Self = Self(1000);

    /// Makes a value; `None` for a number that is not a value of the tunable.
    pub(crate) fn new(value: i64) -> Option<Self> {
        (value >= Self::SMALLEST.0).then_some(Self(value))
    }

    pub(crate) const fn get(self) -> i64 {
        self.0
    }

    /// The smallest value with which the gap holds so many pages.
    pub(crate) fn holding(pages: f64, managed: Pages) -> Self {
        // 0 / 0 is no number, and `max` takes the other one.
        Self::bounded((WHOLE * pages / managed.as_f64()).max(0.0).ceil())
    }

    /// The largest value with which the gap has at most so many pages; `None` if it always has more.
    pub(crate) fn fitting(pages: f64, managed: Pages) -> Option<Self> {
        let value = (WHOLE * pages / managed.as_f64()).max(0.0).floor();
        (value >= 1.0).then(|| Self::bounded(value))
    }

    /// This share of the value, rounded down.
    pub(crate) fn share(self, share: f64) -> Self {
        Self::bounded((self.as_f64() * share.clamp(0.0, 1.0)).floor())
    }

    /// Half the way down to `target`, or all of it where little is left.
    pub(crate) fn halfway_to(self, target: Self) -> Self {
        let left = self.0.abs_diff(target.0);
        if left <= 10 {
            target
        } else {
            Self(target.0.saturating_add_unsigned(left / 2).min(self.0))
        }
    }

    /// True if a change from `self` to `larger` is worth a write.
    pub(crate) const fn is_worth_raising_to(self, larger: Self) -> bool {
        larger.0 > self.0.saturating_add(self.0 / 8)
    }

    /// True if `need` is so much less that this is more than enough.
    pub(crate) const fn is_more_than_enough_for(self, need: Self) -> bool {
        need.0 < self.0 - self.0 / 5
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "values of the tunable are far below 2^53"
    )]
    pub(crate) const fn as_f64(self) -> f64 {
        self.0 as f64
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and between the bounds of the tunable"
    )]
    fn bounded(value: f64) -> Self {
        Self(value.clamp(Self::SMALLEST.as_f64(), Self::LARGEST.as_f64()) as i64)
    }
}

/// The tunable as it is, and the owner of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) value: Scale,
    /// The value of the administrator, to which it is restored. It is never above `value`.
    pub(crate) original: Scale,
    /// True if it was changed externally, so that it is left alone.
    pub(crate) is_yielded: bool,
}

impl Setting {
    /// Reads the tunable; `None` if its number is not a value of it.
    pub(crate) fn from_tunable(tunable: Tunable) -> Option<Self> {
        let value = Scale::new(tunable.value)?;
        // This module only raises, so a value below the original is somebody else's.
        let original = Scale::new(tunable.original).map_or(value, |original| original.min(value));
        Some(Self {
            value,
            original,
            is_yielded: tunable.is_yielded,
        })
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANAGED: Pages = Pages::new(1_000_000);

    #[test]
    fn a_value_is_rounded_so_that_the_gap_holds_the_pages_or_fits_in_them() {
        assert_eq!(Scale::holding(20_001.0, MANAGED), Scale(201));
        assert_eq!(Scale::fitting(20_099.0, MANAGED), Some(Scale(200)));
        assert_eq!(Scale::fitting(99.0, MANAGED), None);
    }

    #[test]
    fn no_number_makes_a_value_that_no_kernel_accepts() {
        let pages = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300];

        let values = pages.map(|pages| Scale::holding(pages, MANAGED).get());

        assert_eq!(values, [1, 3000, 1, 1, 3000]);
        assert_eq!(Scale::holding(0.0, Pages::new(0)), Scale::SMALLEST);
    }
}
