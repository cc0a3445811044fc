//! A small documented generator of pseudo-random numbers, so that a seed means the same Internet for ever.

/// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014; constants of
/// Vigna's public-domain splitmix64.c). No library: its next release must not change what a scenario says.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    /// A stream of its own for every combination of `words`: adding an event changes no other event.
    pub(crate) fn stream(seed: u64, words: &[u64]) -> Self {
        let mut state = SplitMix64(seed);
        for word in words {
            state = SplitMix64(state.next() ^ word.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        }
        SplitMix64(state.next())
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `bound` - 1; 0 for a bound of 0. The bias is under 2^-32 for the bounds in use here.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// Both ends included; `low` where the range is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).max(0) as usize + 1) as i64
    }

    /// 0 (included) to 1 (excluded).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in `share` of the cases.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// The wait until the next event of a Poisson process with this mean wait, in the mean's unit, at least 1.
    pub(crate) fn wait(&mut self, mean: f64) -> i64 {
        ((-(1.0 - self.unit()).ln() * mean) as i64).max(1)
    }

    /// Fisher and Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_numbers() {
        // The first outputs of splitmix64.c for seed 1234567.
        let mut numbers = SplitMix64(1_234_567);
        assert_eq!(numbers.next(), 6_457_827_717_110_365_317);
        assert_eq!(numbers.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn stays_within_its_bounds() {
        let mut numbers = SplitMix64::stream(1, &[2, 3]);
        for _ in 0..1_000 {
            assert!(numbers.below(7) < 7);
            assert!((-3..=3).contains(&numbers.between(-3, 3)));
            assert!((0.0..1.0).contains(&numbers.unit()));
            assert!(numbers.wait(5.0) >= 1);
        }
        assert_eq!(numbers.below(0), 0);
    }
}
