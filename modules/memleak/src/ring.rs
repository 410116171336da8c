//! The floors of twelve stretches of time in a row, and whether they rise.

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Uptime};

/// Stretches of time that a ring holds.
pub(crate) const LENGTH: usize = 12;

/// Pairs of them.
pub(crate) const PAIRS: usize = LENGTH * (LENGTH - 1) / 2;

/// Where the last third of a ring begins.
const LATE: usize = 7;

/// Floors that differ by no more are the same: pages come and go.
const TIE: i64 = 256 << 10;

/// The least amounts of memory seen in each of the last stretches, the latest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ring {
    floors: [Balance; LENGTH],
    /// When each of them was seen, the last time.
    seen: [Uptime; LENGTH],
    kept: usize,
}

/// How a full ring rose, in the numbers by which it is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rise {
    pub(crate) from: Balance,
    pub(crate) to: Balance,
    /// From one stretch to the next.
    pub(crate) largest_step: Balance,
    /// The part of the rise that is in the last third.
    pub(crate) late: Balance,
    /// The same without the largest step, if that is in it.
    pub(crate) late_rest: Balance,
    /// Mann and Kendall's S: pairs of floors that rose, less those that fell.
    pub(crate) concordance: i32,
}

/// How fast a ring rises, in bytes per stretch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Slopes {
    /// The slope is above this one with a probability of 95 %.
    pub(crate) low: f64,
    /// Theil and Sen's: the middle of the slopes of all pairs.
    pub(crate) middle: f64,
    /// The slope is below this one with a probability of 95 %.
    pub(crate) high: f64,
}

impl Ring {
    pub(crate) const EMPTY: Self = Self {
        floors: [Balance::new(0); LENGTH],
        seen: [Uptime(Duration::ZERO); LENGTH],
        kept: 0,
    };

    pub(crate) fn push(&mut self, floor: Balance, seen: Uptime) {
        if self.kept == LENGTH {
            self.floors.rotate_left(1);
            self.seen.rotate_left(1);
            self.kept -= 1;
        }
        self.floors[self.kept] = floor;
        self.seen[self.kept] = seen;
        self.kept += 1;
    }

    pub(crate) const fn clear(&mut self) {
        self.kept = 0;
    }

    pub(crate) fn floors(&self) -> &[Balance] {
        &self.floors[..self.kept]
    }

    /// The floors, and when each of them was seen.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (Balance, Uptime)> + '_ {
        let floors = self.floors().iter().copied();
        floors.zip(self.seen)
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.kept == LENGTH
    }

    /// `None` until the ring is full.
    pub(crate) fn rise(&self) -> Option<Rise> {
        let floors = &self.floors;
        let steps = floors.windows(2).map(|pair| pair[1].since(pair[0]));
        // The latest of several that are as large.
        let largest = steps.enumerate().max_by_key(|&(_, step)| step);
        let (place, largest_step) = largest.unwrap_or_default();
        let late = floors[LENGTH - 1].since(floors[LATE]);
        self.is_full().then(|| Rise {
            from: floors[0],
            to: floors[LENGTH - 1],
            largest_step,
            late,
            late_rest: if place < LATE {
                late
            } else {
                late.since(largest_step)
            },
            concordance: self.concordance(),
        })
    }

    /// Of a full ring.
    pub(crate) fn slopes(&self) -> Slopes {
        let mut slopes = [0.0; PAIRS];
        for (slope, (earlier, later)) in slopes.iter_mut().zip(pairs()) {
            let rise = self.floors[later].as_f64() - self.floors[earlier].as_f64();
            *slope = rise / stretches(later - earlier);
        }
        slopes.sort_unstable_by(f64::total_cmp);
        // Sen's interval: 1.645 standard deviations of S, which are 24 of the 66 pairs, are between the two.
        Slopes {
            low: slopes[20],
            middle: f64::midpoint(slopes[PAIRS / 2 - 1], slopes[PAIRS / 2]),
            high: slopes[45],
        }
    }

    fn concordance(&self) -> i32 {
        pairs()
            .map(
                |(earlier, later)| match self.floors[later].since(self.floors[earlier]).get() {
                    rise if rise > TIE => 1,
                    rise if rise < -TIE => -1,
                    _ => 0,
                },
            )
            .sum()
    }
}

impl Rise {
    pub(crate) const fn amount(&self) -> Balance {
        self.to.since(self.from)
    }

    /// What is left of it without the largest step.
    pub(crate) const fn rest(&self) -> Balance {
        self.amount().since(self.largest_step)
    }

    /// Whether it rises like a leak: most of the time, in many steps, and to the end. A cache that fills up
    /// rises less and less; a program that starts takes its memory at once; and where both come together, the
    /// program must not be taken for the end of the rise.
    pub(crate) fn is_steady(&self) -> bool {
        let amount = i128::from(self.amount().get());
        let largest_step = i128::from(self.largest_step.get());
        let is_late = |late: Balance, amount: i128| i128::from(late.get()) * 4 >= amount;
        largest_step * 10 <= amount * 4
            && is_late(self.late, amount)
            && is_late(self.late_rest, i128::from(self.rest().get()))
            && self.concordance >= 54
    }
}

/// Of places in a ring.
fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..LENGTH).flat_map(|earlier| (earlier + 1..LENGTH).map(move |later| (earlier, later)))
}

#[expect(clippy::cast_precision_loss, reason = "at most twelve")]
const fn stretches(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: i64 = 1 << 20;

    fn ring(mib: [i64; LENGTH]) -> Ring {
        let mut ring = Ring::EMPTY;
        for mib in mib {
            ring.push(Balance::new(mib * MIB), Uptime::default());
        }
        ring
    }

    fn is_steady(mib: [i64; LENGTH]) -> bool {
        ring(mib).rise().unwrap().is_steady()
    }

    #[test]
    fn a_ring_says_nothing_until_it_is_full_and_then_forgets_the_oldest() {
        let mut ring = Ring::EMPTY;
        (0..11).for_each(|mib| ring.push(Balance::new(mib), Uptime::default()));
        assert_eq!(ring.rise(), None);

        (11..14).for_each(|mib| ring.push(Balance::new(mib), Uptime::default()));
        assert_eq!(ring.rise().unwrap().from, Balance::new(2));

        ring.clear();
        assert_eq!((ring.rise(), ring.floors()), (None, &[][..]));
    }

    #[test]
    fn a_line_rises_steadily_with_the_slope_that_it_has() {
        let ring = ring([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
        let slope = Balance::new(10 * MIB).as_f64();

        assert!(ring.rise().unwrap().is_steady());
        assert_eq!(ring.rise().unwrap().concordance, 66);
        assert_eq!(
            ring.slopes(),
            Slopes {
                low: slope,
                middle: slope,
                high: slope
            }
        );
    }

    #[test]
    fn what_comes_at_once_is_no_steady_rise() {
        assert!(is_steady([0, 2, 4, 6, 8, 48, 52, 60, 70, 80, 90, 100]));
        assert!(!is_steady([0, 2, 4, 6, 8, 49, 52, 60, 70, 80, 90, 100]));
    }

    #[test]
    fn what_comes_to_its_end_is_no_steady_rise() {
        assert!(is_steady([0, 15, 30, 40, 50, 60, 68, 75, 80, 88, 94, 100]));
        assert!(!is_steady([0, 15, 30, 40, 50, 60, 68, 76, 80, 88, 94, 100]));
    }

    #[test]
    fn a_cache_that_fills_up_while_a_program_starts_is_no_steady_rise() {
        let cache = [0, 20, 35, 45, 53, 60, 65, 69, 72, 74, 75, 76];
        let program = |step: i64| {
            let mut floors = cache;
            floors[10..].iter_mut().for_each(|floor| *floor += step);
            floors
        };

        assert!(!is_steady(cache));
        assert!(!is_steady(program(40)));
        assert!(is_steady([0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 109, 116]));
    }

    #[test]
    fn what_falls_as_often_as_it_rises_is_no_steady_rise() {
        assert!(is_steady([0, 0, 0, 0, 10, 20, 30, 40, 50, 60, 70, 80]));
        assert!(!is_steady([20, 5, 35, 20, 50, 35, 45, 50, 45, 75, 60, 80]));
    }

    #[test]
    fn pages_that_come_and_go_are_ties() {
        let mut ring = ring([0; LENGTH]);
        ring.push(Balance::new(TIE), Uptime::default());
        assert_eq!(ring.rise().unwrap().concordance, 0);

        ring.push(Balance::new(TIE + 1), Uptime::default());
        assert_eq!(ring.rise().unwrap().concordance, 10);
    }

    proptest! {
        #[test]
        fn any_numbers_are_judged(floors: [i64; LENGTH]) {
            let mut ring = Ring::EMPTY;
            for floor in floors {
                ring.push(Balance::new(floor), Uptime::default());
            }
            let slopes = ring.slopes();

            let _ = ring.rise().unwrap().is_steady();
            prop_assert!(slopes.low <= slopes.middle && slopes.middle <= slopes.high);
        }

        #[test]
        fn twice_as_much_memory_is_as_steady(floors in prop::array::uniform12(0_i64..1000), times in 1_i64..1000) {
            prop_assert_eq!(is_steady(floors), is_steady(floors.map(|floor| floor * times)));
        }
    }
}
