//! Those that have no course yet, where there is little room: who has enough to be taken in.

use super::amount::{Amount, SCALE};

/// Places in which new ones show it: each for all of the same hash. Guess: 256 KiB.
const CONTENDERS: usize = 1 << 14;
/// Whoever has sent so many packets more than those of the same place is taken in: a quarter of the least threshold. Guess.
const WORTH_PACKETS: i64 = 250 * SCALE;
/// And in so many records, as with sampling a single one stands for a thousand packets. Guess.
const WORTH_RECORDS: u32 = 4;

/// One that has no course yet: a vote by majority among those of one hash (Boyer and Moore).
#[derive(Clone, Copy, Default, Debug, serde::Serialize, serde::Deserialize)]
struct Contender {
    /// The lower half of the hash.
    hash: u32,
    records: u32,
    packets: i64,
}

/// What one that has no course yet comes with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) amount: Amount,
    pub(crate) records: u32,
}

/// All of them.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Contenders {
    places: Vec<Contender>,
}

impl Contenders {
    pub(crate) fn clear(&mut self) {
        self.places.clear();
    }

    /// Whether one that has no course is worth one by now.
    pub(crate) fn contend(&mut self, hash: u64, Claim { amount, records }: Claim) -> bool {
        if self.places.is_empty() {
            self.places = vec![Contender::default(); CONTENDERS];
        }
        let contender = &mut self.places[(hash >> 40) as usize % CONTENDERS];
        let hash = hash as u32;
        if contender.hash == hash {
            contender.packets = contender.packets.saturating_add(amount.packets);
            contender.records = contender.records.saturating_add(records);
        } else if contender.records <= records {
            *contender = Contender { hash, packets: amount.packets, records };
        } else {
            contender.packets = contender.packets.saturating_sub(amount.packets);
            contender.records -= records;
        }
        contender.hash == hash && contender.packets >= WORTH_PACKETS && contender.records >= WORTH_RECORDS
    }
}
