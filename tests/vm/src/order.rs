//! In which order the arms of a comparison run: by chance, but the same again for the same seed.

/// A source of chance (`SplitMix64`).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The same things in an order of chance.
    pub(crate) fn shuffled<T: Clone>(&mut self, things: &[T]) -> Vec<T> {
        let mut things = things.to_vec();
        for last in (1..things.len()).rev() {
            let among = u64::try_from(last + 1).unwrap_or(1);
            let chosen = usize::try_from(self.next() % among).unwrap_or(0);
            things.swap(last, chosen);
        }
        things
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_order() {
        let orders = |seed| {
            let mut chance = Chance::new(seed);
            [(); 4].map(|()| chance.shuffled(&[1, 2, 3]))
        };
        assert_eq!(orders(7), orders(7));
        assert_ne!(orders(7), orders(8));
    }

    #[test]
    fn every_order_comes_up_about_as_often() {
        let mut chance = Chance::new(1);
        let mut first = [0; 3];
        for _ in 0..3000 {
            first[chance.shuffled(&[0_usize, 1, 2])[0]] += 1;
        }
        assert!(
            first.iter().all(|&times| (900..1100).contains(&times)),
            "{first:?}"
        );
    }
}
