//! The amounts by which each class of memory grew.

use super::{Class, Growth};

/// The factor by which an owner may hold more than a class grew. One that holds more than that is not of the class,
/// even if others of it gave some back.
const MOST_TIMES: u64 = 4;

/// The classes that grew.
#[derive(Debug)]
pub(super) struct Grown {
    /// Without orphans, which are part of what is unaccounted.
    classes: Vec<(Class, u64)>,
    orphans: u64,
}

impl Grown {
    pub(super) fn from_growth(growth: &[Growth]) -> Self {
        let all = growth
            .iter()
            .filter_map(|each| Some((each.class, rise(each)?)));
        let (orphans, classes): (Vec<_>, Vec<_>) =
            all.partition(|(class, _)| *class == Class::Orphans);
        Self {
            classes,
            orphans: orphans.first().map_or(0, |(_, rise)| *rise),
        }
    }

    pub(super) fn classes(&self) -> impl Iterator<Item = (Class, u64)> {
        self.classes.iter().copied()
    }

    /// 0 if it did not grow.
    pub(super) fn by(&self, class: Class) -> u64 {
        if class == Class::Orphans {
            // Part of what is unaccounted: there cannot be more to explain.
            return self.orphans.min(self.by(Class::Unaccounted));
        }
        let rise = self.classes.iter().find(|(each, _)| *each == class);
        rise.map_or(0, |(_, rise)| *rise)
    }

    /// The sum of all classes.
    pub(super) fn total(&self) -> u64 {
        self.classes()
            .map(|(_, rise)| rise)
            .fold(0, u64::saturating_add)
    }

    /// The class that grew by an amount most like `bytes`. None where all grew by much less: then it is memory of
    /// another kind, as that of caches that can be reclaimed is, or of swap in memory.
    pub(super) fn nearest(&self, bytes: u64) -> Option<Class> {
        let (class, rise) = self
            .classes()
            .min_by_key(|(_, rise)| rise.abs_diff(bytes))?;
        (bytes <= rise.saturating_mul(MOST_TIMES)).then_some(class)
    }
}

/// Returns by how much a class grew, if it did.
fn rise(growth: &Growth) -> Option<u64> {
    let rise = growth.after_bytes.saturating_sub(growth.before_bytes);
    u64::try_from(rise).ok().filter(|rise| *rise > 0)
}
