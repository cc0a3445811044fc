//! Counting in bounded memory: how many distinct ones there were, and which were the most.

use super::amount::Amount;

/// Distinct ones, counted by HyperLogLog (Flajolet et al., 2007) with linear counting where few were seen (Heule et al.,
/// EDBT 2013, section 5.2).
///
/// With `2^B` registers the standard error is 1.04 / sqrt(2^B): 2.3 % for 11. Order changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Distinct {
    #[serde(with = "serde_bytes")]
    registers: Vec<u8>,
}

impl Distinct {
    /// With `2^bits` registers of a byte.
    pub(crate) fn new(bits: u32) -> Self {
        Distinct { registers: vec![0; 1 << bits] }
    }

    /// Takes one, by a hash of 64 good bits.
    #[inline]
    pub(crate) fn add(&mut self, hash: u64) {
        let bits = self.registers.len().trailing_zeros();
        let at = (hash >> (64 - bits)) as usize;
        // The bit that is set ends the search where all others are 0.
        let rank = ((hash << bits) | (1 << (bits - 1))).leading_zeros() as u8 + 1;
        if let Some(register) = self.registers.get_mut(at)
            && *register < rank
        {
            *register = rank;
        }
    }

    /// How many there were, about.
    pub(crate) fn estimate(&self) -> u64 {
        let count = self.registers.len() as f64;
        let zeros = self.registers.iter().filter(|register| **register == 0).count();
        let sum: f64 = self.registers.iter().map(|register| 0.5_f64.powi(i32::from(*register))).sum();
        let raw = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
        if zeros > 0 && raw <= 2.5 * count {
            (count * (count / zeros as f64).ln()).round() as u64
        } else {
            raw.round() as u64
        }
    }

    /// The standard error in thousandths.
    pub(crate) fn error_permille(&self) -> u32 {
        (1_040.0 / (self.registers.len() as f64).sqrt()).ceil() as u32
    }
}

/// Those that had most, by the space-saving algorithm (Metwally et al., ICDT 2005): with room for `n`, whatever has more
/// than an `n`th of all is among them. Exact, in any order, while there are no more than `n`.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Heaviest<T> {
    room: usize,
    counted: Vec<Counted<T>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
struct Counted<T> {
    what: T,
    amount: Amount,
    /// What of it may belong to those that were here before.
    doubtful: Amount,
}

impl<T: Copy + Ord> Heaviest<T> {
    pub(crate) fn new(room: usize) -> Self {
        Heaviest { room, counted: Vec::new() }
    }

    pub(crate) fn add(&mut self, what: T, amount: Amount) {
        if self.room == 0 {
            return;
        }
        if let Some(known) = self.counted.iter_mut().find(|known| known.what == what) {
            known.amount = known.amount.plus(amount);
        } else if self.counted.len() < self.room {
            self.counted.push(Counted { what, amount, doubtful: Amount::default() });
        } else if let Some(least) =
            self.counted.iter_mut().min_by_key(|known| (known.amount.packets, known.what))
        {
            let doubtful = least.amount;
            *least = Counted { what, amount: doubtful.plus(amount), doubtful };
        }
    }

    /// Those of which it is certain, with what they had at least; most packets first.
    pub(crate) fn certain(&self) -> Vec<(T, Amount)> {
        let certain = self.counted.iter().map(|known| {
            let Amount { packets, bytes } = known.amount;
            let Amount { packets: doubtful_packets, bytes: doubtful_bytes } = known.doubtful;
            let amount = Amount {
                packets: packets.wrapping_sub(doubtful_packets),
                bytes: bytes.wrapping_sub(doubtful_bytes),
            };
            (known.what, amount)
        });
        let mut certain: Vec<(T, Amount)> = certain.collect();
        certain.sort_unstable_by_key(|(what, amount)| (std::cmp::Reverse(amount.packets), *what));
        certain
    }
}

#[cfg(test)]
mod tests {
    use super::super::place::mix;
    use super::*;

    #[test]
    fn distinct_ones_are_counted_within_three_standard_errors() {
        for (bits, error) in [(11, 0.023), (8, 0.065)] {
            for count in [1_u64, 10, 100, 1_000, 5_000, 37_623, 1_000_000] {
                let mut distinct = Distinct::new(bits);
                for number in 0..count {
                    distinct.add(mix(number));
                    distinct.add(mix(number));
                }
                let off = (distinct.estimate() as f64 - count as f64).abs();
                assert!(off <= 0.5 + 3.0 * error * count as f64, "{bits} {count} {}", distinct.estimate());
            }
        }
    }

    #[test]
    fn the_heavy_ones_stay_among_many_that_come_once() {
        let mut heaviest = Heaviest::new(64);
        let amount = |packets: i64| Amount { packets, bytes: packets * 100 };
        for round in 0..20_000_u64 {
            heaviest.add(mix(round) | 1 << 60, amount(1));
            if round % 10 == 0 {
                heaviest.add(round % 3, amount(1));
            }
        }
        let certain = heaviest.certain();
        let first: Vec<u64> = certain.iter().take(3).map(|(what, _)| *what).collect();
        assert!(first.iter().all(|what| *what < 3), "{first:?}");
        // Never more than there was.
        assert!(certain[0].1.packets <= 667, "{:?}", certain[0]);
        assert!(certain[0].1.packets >= 300, "{:?}", certain[0]);
    }
}
