//! Whom a scan still waits for, so that only the last one who answers wakes the core.
//!
//! A wake-up and the way back to waiting cost as much as a small module does; with all modules on the core's processor
//! there would be one for each.

use std::sync::atomic::{AtomicU64, Ordering};

/// The count is in these low bits, the number of the scan in those above.
const COUNT: u32 = 16;

/// How many answers are to come in the scan that goes on: those of its modules, and one by the core itself, until it
/// has handed out all work.
#[derive(Debug, Default)]
pub(super) struct Awaited(AtomicU64);

impl Awaited {
    /// A scan begins. Who is still busy with an earlier one is awaited no more.
    pub(super) fn begin(&self, scan: u64) {
        self.0.store(scan << COUNT | 1, Ordering::Release);
    }

    /// One more is to answer in this scan.
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One has answered. Whether it was the last of a scan that goes on.
    pub(super) fn answered(&self, scan: u64) -> bool {
        let is_awaited =
            |now: u64| now >> COUNT == scan << COUNT >> COUNT && now % (1 << COUNT) > 0;
        let one_less = |now: u64| is_awaited(now).then(|| now - 1);
        // An answer is in the channel before it is counted, and found there by whoever counts it.
        let counted = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less);
        counted.is_ok_and(|before| before % (1 << COUNT) == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_of_a_scan_is_told_from_the_others() {
        let awaited = Awaited::default();
        awaited.begin(7);
        (0..2).for_each(|_| awaited.add());

        assert_eq!(
            [7, 7, 7].map(|scan| awaited.answered(scan)),
            [false, false, true]
        );
    }

    #[test]
    fn an_answer_that_comes_too_late_counts_for_nothing() {
        let awaited = Awaited::default();
        awaited.begin(1);
        awaited.add();
        awaited.begin(2);
        awaited.add();

        let late = awaited.answered(1);
        let in_time = [2, 2, 2].map(|scan| awaited.answered(scan));

        assert_eq!((late, in_time), (false, [false, true, false]));
    }

    #[test]
    fn one_that_is_asked_after_all_others_have_answered_is_awaited_too() {
        let awaited = Awaited::default();
        awaited.begin(1);
        assert!(awaited.answered(1));

        awaited.add();

        assert!(awaited.answered(1));
    }
}
