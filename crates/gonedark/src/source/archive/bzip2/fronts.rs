/// The values in use, the one used last in front.
pub(super) struct Fronts {
    /// The first eight, the very first in the lowest byte.
    near: u64,
    /// The others, where they belong; the first eight of it mean nothing.
    far: [u8; 256],
}

impl Fronts {
    pub(super) fn new(used: &[u8]) -> Self {
        let mut far = [0; 256];
        far.iter_mut().zip(used).for_each(|(to, &value)| *to = value);
        let near = far.first_chunk().map_or(0, |near| u64::from_le_bytes(*near));
        Fronts { near, far }
    }

    pub(super) fn first(&self) -> u8 {
        self.near as u8
    }

    /// Moves the value of this rank, below 256, to the front.
    #[inline(always)]
    pub(super) fn take(&mut self, rank: usize) -> u8 {
        if rank < 8 {
            let shift = 8 * rank as u32;
            let value = self.near >> shift & 0xff;
            let before = (1 << shift) - 1;
            let behind = self.near & !before & !(0xff << shift);
            self.near = behind | (self.near & before) << 8 | value;
            value as u8
        } else {
            let rank = rank & 0xff;
            let value = self.far[rank];
            self.far.copy_within(8..rank, 9);
            self.far[8] = (self.near >> 56) as u8;
            self.near = self.near << 8 | u64::from(value);
            value
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_comes_to_the_front_and_the_others_keep_their_order() {
        let mut wanted: Vec<u8> = (0..=255).rev().collect();
        let mut fronts = Fronts::new(&wanted);
        for step in 0..5_000 {
            let rank = step * 7 % 256;
            let value = wanted.remove(rank);
            wanted.insert(0, value);
            assert_eq!(fronts.take(rank), value);
            assert_eq!(fronts.first(), value);
        }
    }
}
