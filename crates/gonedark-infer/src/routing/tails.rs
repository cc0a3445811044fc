//! Path tails: the origin of a route and the AS before it.
//!
//! The table keeps of a path what the statements of a replay rest on: who originates, and through whom. With 35 peers
//! of 2014 a row has 28 distinct paths but 2.5 distinct tails (METHOD.md, "What the table keeps"), which is what lets
//! a cell be one byte.

use foldhash::fast::FixedState;
use gonedark_route::{Asn, Tail};
use hashbrown::HashMap;

/// A number for each tail ever seen. Bounded by the pairs of neighbouring ASes (some hundred thousand).
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Tails {
    tails: Vec<Tail>,
    #[serde(skip)]
    index: HashMap<Tail, u32, FixedState>,
    /// The answer to the last question in each slot: tables name the same few tails again and again.
    #[serde(skip)]
    recent: Vec<(Tail, u32)>,
}

/// More tails than this, which no Internet has (there are some hundred thousand pairs of neighbours), count as not told.
const MAX_TAILS: usize = 1 << 24;

/// Slots of the recent-answers cache; 12 bytes each, a quarter of a first-level data cache.
const RECENT: usize = 1024;

impl Tails {
    pub(crate) fn intern(&mut self, tail: Tail) -> u32 {
        if self.recent.is_empty() {
            self.prepare();
        }
        let asn = |asn: Option<Asn>| u64::from(asn.unwrap_or_default().0);
        let key = asn(tail.upstream()) << 32 | asn(tail.origin());
        // Fibonacci hashing: the upper ten bits of the product with 2^64 over the golden ratio.
        let slot = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize;
        if self.recent[slot].0 == tail {
            return self.recent[slot].1;
        }
        let tails = &mut self.tails;
        if tails.len() >= MAX_TAILS && !self.index.contains_key(&tail) {
            return 0;
        }
        let id = *self.index.entry(tail).or_insert_with(|| {
            tails.push(tail);
            (tails.len() - 1) as u32
        });
        self.recent[slot] = (tail, id);
        id
    }

    /// Fills what is not kept: at the begin, and where the tails were restored.
    fn prepare(&mut self) {
        // The tail that tells nothing is number 0, which is what an empty slot answers.
        self.recent.resize(RECENT, (Tail::default(), 0));
        if self.tails.is_empty() {
            self.tails.push(Tail::default());
        }
        self.index = self.tails.iter().zip(0..).map(|(tail, id)| (*tail, id)).collect();
    }

    pub(crate) fn get(&self, id: u32) -> Tail {
        self.tails[id as usize]
    }
}
